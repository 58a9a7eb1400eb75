"""Takes a new version of a mapping set without a restart, if it passes its check, and says so.

Only the content of the files counts: not their dates, not which name or link leads to them. A
batch is mapped in one go between two turns of the event loop, so it is mapped by one version
whole; those under way go on with what they have. Connection files are worker.taking_up's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from app.settings import Connection
from worker.metrics import Metrics
from worker.route import Route, Version
from worker.versions import Judged, Reader

log = structlog.get_logger()

LOOK_SECONDS: Final = 2.0
# A file that is being written may be read half, and several that belong together are written one
# after the other: what is new is believed when a second look finds the same.
AGAIN_SECONDS: Final = 0.5
# Files that go for a moment (an editor, a deployment, a mount) are given some 10 s to come back.
GONE_LOOKS: Final = 5

FAULTS_MAX: Final = 5

_CHANGED: Final = ("mapping set", "schema", "examples")


@dataclass(slots=True)
class _Known:
    """What is known of one connection's files: digests of what was judged last, what the last
    look found, and how often in a row it did."""

    judged: tuple[str, ...]
    seen: tuple[str, ...]
    looks: int = 1


class VersionWatch:
    """Watches the files of every route that maps."""

    def __init__(
        self, connections: Mapping[str, Connection], routes: Mapping[str, Route], metrics: Metrics
    ) -> None:
        self._connections: Mapping[str, Connection] = {}
        self._routes = routes
        self._metrics = metrics
        self._known: Mapping[str, _Known] = {}
        self.follow(connections)

    def follow(self, connections: Mapping[str, Connection]) -> None:
        """From now on these are the connections, and their routes are in place. One that is new or
        changed has a new version, too."""
        before, known = self._connections, dict(self._known)
        now = {
            name: connections[name] for name, route in self._routes.items() if route.version.mapping
        }
        for name in before.keys() - now.keys():
            del known[name]
            self._metrics.mapping_gone(name)
        for name, connection in now.items():
            if before.get(name) != connection:
                digests = self._routes[name].version.digests
                known[name] = _Known(digests, digests)
                self._metrics.mapping_refused.labels(name).set(0)
                self._say_which(name)
        # New objects, for a thread may be reading the old ones.
        self._known, self._connections = known, now

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                await self.look()
            except Exception:  # a bug of ours, which must not stop the deliveries
                log.exception("mapping.look_failed")
            settling = any(
                known.seen != known.judged and _readable(known) for known in self._known.values()
            )
            await asyncio.sleep(AGAIN_SECONDS if settling else LOOK_SECONDS)

    async def look(self) -> None:
        """One look at all files. A thread reads and compiles: it takes 0.1 s and more, and the
        event loop has leases to keep and answers to read."""
        reader = Reader()
        due = await asyncio.to_thread(self._due, reader)
        for name, connection in due:
            # One at a time, so that the loop's own work gets its turn between two of them.
            judged = await asyncio.to_thread(_judge, reader, connection)
            if self._connections.get(name) is connection:
                self._decide(name, judged)

    def _due(self, reader: Reader) -> list[tuple[str, Connection]]:
        """The connections whose files have changed, and not just this moment."""
        known, connections = self._known, self._connections
        return [
            (name, connection)
            for name, connection in connections.items()
            if name in known and self._is_due(known[name], reader, connection)
        ]

    def _is_due(self, known: _Known, reader: Reader, connection: Connection) -> bool:
        files = reader.read(connection)
        if isinstance(files, OSError):
            found: tuple[str, ...] = (f"{files.filename}: {files.strerror}",)
        else:
            found = files.digests
        known.looks = known.looks + 1 if found == known.seen else 1
        known.seen = found
        return found != known.judged and known.looks >= (2 if _readable(known) else GONE_LOOKS)

    def _decide(self, name: str, judged: Judged) -> None:
        known, route = self._known[name], self._routes[name]
        running = route.version
        changed = _changed(known, running)
        known.judged = known.seen
        if known.seen == running.digests:
            log.info("mapping.as_before", connection=name, label=running.label)
            self._metrics.mapping_refused.labels(name).set(0)
        elif judged.version is None:
            log.error(
                "mapping.refused",
                connection=name,
                label=judged.label,
                runs=running.label,
                changed=changed,
                faults=list(judged.faults[:FAULTS_MAX]),
                times=len(judged.faults),
            )
            self._metrics.mapping_refused.labels(name).set(1)
        else:
            self._take(name, judged.version, changed)

    def _take(self, name: str, new: Version, changed: list[str]) -> None:
        route = self._routes[name]
        old = route.version
        route.version = new
        log.info("mapping.taken", connection=name, old=old.label, new=new.label, changed=changed)
        if _same_number(old, new):
            log.warning(
                "mapping.version_unchanged",
                connection=name,
                old=old.label,
                new=new.label,
                reason="the mapping set changed and its version did not: raise `version`, so that "
                "people can tell the two apart",
            )
        self._say_which(name)
        self._metrics.mapping_refused.labels(name).set(0)

    def _say_which(self, name: str) -> None:
        mapping = self._routes[name].version.mapping
        if mapping is not None:
            self._metrics.mapping_taken(name, mapping)


def _judge(reader: Reader, connection: Connection) -> Judged:
    try:
        return reader.judge(connection)
    except Exception as fault:  # a bug of ours, which must not stop the deliveries
        log.exception("mapping.check_failed", connection=connection.name)
        return Judged(None, "", (f"the check itself failed: {type(fault).__name__}",))


def _readable(known: _Known) -> bool:
    return len(known.seen) == len(_CHANGED)


def _changed(known: _Known, running: Version) -> list[str]:
    if not _readable(known):
        return []
    pairs = zip(_CHANGED, known.seen, running.digests, strict=True)
    return [name for name, new, old in pairs if new != old]


def _same_number(old: Version, new: Version) -> bool:
    a, b = old.mapping, new.mapping
    return a is not None and b is not None and a.label != b.label and a.version == b.version
