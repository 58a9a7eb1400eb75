"""Takes up what connection files say now, while the worker works, if all of it is valid.

A new connection gets a lane; a changed one another lane, by which goes what its old lane had not
begun to send; a removed one is not served any more, and its events stay in Redis until it is back.
All others notice nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from app.core.errors import ConfigError
from app.settings.watching import Change, ConfigWatch, Refused, look_and_tell
from worker.lines import Lines
from worker.metrics import Metrics
from worker.reconcile import Reconcilers
from worker.routes import Routes
from worker.version_watch import VersionWatch
from worker.versions import load_versions

log = structlog.get_logger()


class TakingUp:
    """`asked`: set by who wants a look at once. `widen`: hears how many bells there may be now."""

    def __init__(
        self,
        watch: ConfigWatch,
        routes: Routes,
        lines: Lines,
        versions: VersionWatch,
        reconcilers: Reconcilers,
        metrics: Metrics,
        asked: asyncio.Event,
    ) -> None:
        self._watch = watch
        self._routes = routes
        self._lines = lines
        self._versions = versions
        self._reconcilers = reconcilers
        self._metrics = metrics
        self._asked = asked
        self.widen: Callable[[int], None] = lambda _bells: None

    async def run(self) -> None:
        """For ever."""
        while True:
            at_once = self._asked.is_set()
            self._asked.clear()
            found = await look_and_tell(self._watch, at_once=at_once)
            if found is not None:
                self._metrics.config_refused.set(isinstance(found, Refused))
            if isinstance(found, Change):
                await self._try(found)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), self._watch.pause)

    async def _try(self, change: Change) -> None:
        try:
            await self.take(change)
        except ConfigError:  # its mapping set changed meanwhile: the next look says what is wrong
            self._watch.forget()
        except Exception:  # a bug of ours, which must not stop the deliveries
            log.exception("config.taking_failed", **change.names)

    async def take(self, change: Change) -> None:
        """From now on this is what the worker works with. Raises ConfigError, and nothing
        happened."""
        new = {name: change.connections[name] for name in (*change.added, *change.changed)}
        versions = await asyncio.to_thread(load_versions, new)
        for name in change.removed:
            self._routes.drop(name)
            self._metrics.gone(name)
        for name, connection in new.items():
            await self._routes.put(connection, versions[name])
        self._lines.follow(self._routes.lanes)
        self._versions.follow(change.connections)
        self.widen(self._lines.bells_at_once)
        await self._reconcilers.drop(change.removed)
        await self._reconcilers.put(new)
        self._watch.taken(change)
        log.info("config.taken", **change.names)
