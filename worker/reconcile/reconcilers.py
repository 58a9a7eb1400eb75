"""The reconcilers of a worker's connections, which come, change and go."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.settings import Connection
from app.store.connect import Store
from worker.metrics import Metrics
from worker.reconcile.burying import Bodies
from worker.reconcile.loop import open_reconciler


@dataclass(slots=True)
class Reconcilers:
    """One per connection that is to be reconciled. `close` at the end."""

    redis: Store
    owner: str
    metrics: Metrics
    archive: Bodies | None
    _open: dict[str, contextlib.AsyncExitStack] = field(default_factory=dict)

    async def put(self, connections: Mapping[str, Connection]) -> None:
        """Opens theirs, in place of those there are."""
        await self.drop(connections)
        for name, connection in connections.items():
            stack = contextlib.AsyncExitStack()
            opened = open_reconciler(
                {name: connection}, self.redis, self.owner, self.metrics, self.archive
            )
            await stack.enter_async_context(opened)
            self._open[name] = stack

    async def drop(self, names: Iterable[str]) -> None:
        """A look that is under way is broken off: another one finds the same."""
        for name in list(names):
            if stack := self._open.pop(name, None):
                await stack.aclose()

    async def close(self) -> None:
        await self.drop(self._open)
