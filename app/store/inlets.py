"""Which inlet each worker sends a connection's events to, as the worker itself says.

A connection file that was written is not one that was taken up: another folder, or another file
that is not valid, and a worker goes on with what it had. Raises StoreUnavailable when Redis cannot
answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from app.core.errors import StoreUnavailable
from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Store
from app.store.signs_of_life import signs_of_life

_INTERVAL_SECONDS: Final = 1.0
_EXPIRES_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class InletSign:
    """One worker's word. `running`: connection -> inlet id, as it works with them now."""

    redis: Store
    owner: str
    running: Callable[[], Mapping[str, str]]

    async def run(self) -> None:
        """For ever."""
        while True:
            with suppress(StoreUnavailable):  # it is told elsewhere
                await self.give()
            await asyncio.sleep(_INTERVAL_SECONDS)

    async def give(self) -> None:
        content = json.dumps(dict(self.running()))
        with store_faults():
            await self.redis.set(keys.inlets(self.owner), content, ex=_EXPIRES_SECONDS)


async def inlets_of(redis: Store, connection: str) -> list[str | None]:
    """Of each worker that is alive the inlet id; "" of one that does not serve the connection, None
    of one that does not say."""
    workers = [s.name for s in await signs_of_life(redis) if s.role == "worker" and s.alive]
    found: list[str | None] = []
    for name in workers:
        with store_faults():
            content = await redis.get(keys.inlets(name))
        found.append(str(json.loads(content).get(connection, "")) if content else None)
    return found
