"""Sees that connection files changed, and whether what they say now may be taken up.

Only content counts, not dates: a file is read again when its date, size or inode is another, and
what it says is compared with what runs. Polled: there is no watch for files that works on every
mount, and a look at some twenty files costs less than a millisecond.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

import structlog

from app.core.errors import ConfigError
from app.settings.connections import Connection
from app.settings.folders import Folders
from app.settings.load import SOURCES_FILE, load_connections
from app.settings.mapping_files import check_files, read_mapping_files

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 2.0
# A file that is being written may be read half, and several that belong together are written one
# after the other: what is new is believed when a second look finds the same.
AGAIN_SECONDS: Final = 0.5
# A connection whose file goes for a moment (an editor, a deployment, a mount) must not be refused
# meanwhile: it would stop Customer.io's stream.
GONE_SECONDS: Final = 10.0

_FAULTS_MAX: Final = 10
_AT_ONCE_TRIES: Final = 3

# Beside the connections: all in the config folder that decides whether one is valid.
_WATCHED: Final = (
    SOURCES_FILE,
    "mappings/*.json",
    "mappings/examples/*.json",
    "schemas/*.json",
)


@dataclass(frozen=True, slots=True)
class Change:
    """A valid configuration that differs from the one that runs; names are sorted."""

    connections: dict[str, Connection]
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def names(self) -> dict[str, list[str]]:
        """What is said of it in a log."""
        named = {"added": self.added, "changed": self.changed, "removed": self.removed}
        return {what: list(names) for what, names in named.items() if names}


@dataclass(frozen=True, slots=True)
class Refused:
    """What lies there is not valid. `faults`: one line each, naming file, key and fix."""

    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AsBefore:
    """What was refused is gone: the files say what runs."""


Found = Change | Refused | AsBefore


class ConfigWatch:
    """One process's eye on its connection files. `running`: what it works with."""

    def __init__(
        self, folders: Folders, environ: Mapping[str, str], running: Mapping[str, Connection]
    ) -> None:
        self.running = dict(running)
        self._folders = folders
        self._environ = environ
        self._digests: dict[Path, tuple[object, str]] = {}
        self._pointed: set[Path] = set()
        # Digests of what was judged last, and of what was seen last and since when. None at first:
        # what changed between the start of this process and now is found, too.
        self._judged: dict[Path, str] | None = None
        self._seen: dict[Path, str] = {}
        self._since = 0.0
        self._refused = False

    @property
    def pause(self) -> float:
        """Seconds until the next look: sooner while something is new, and not yet believed."""
        return AGAIN_SECONDS if self._seen != self._judged else LOOK_SECONDS

    def taken(self, change: Change) -> None:
        """It is what runs from now on."""
        self.running = change.connections

    def forget(self) -> None:
        """What was judged is judged anew: it could not be taken up."""
        self._judged = None

    def look(self, now: float, *, at_once: bool = False) -> Found | None:
        """One look; None when there is nothing to say. `now`: monotonic seconds. Blocks.

        `at_once`: a person says that the files are complete.
        """
        seen = self._read()
        if seen != self._seen:
            self._seen, self._since = seen, now
            if not at_once:
                return None
        if self._seen == self._judged and not (at_once and self._refused):
            return None
        tries = _AT_ONCE_TRIES if at_once else 1
        for _ in range(tries):
            found, whole = self._judge(now, at_once)
            if whole:
                return found
        return None

    def _judge(self, now: float, at_once: bool) -> tuple[Found | None, bool]:
        """What is found, and whether it was made of what was seen, and may be believed."""
        pointed: set[Path] = set()
        found, gone = self._load(pointed)
        before, self._pointed = self._seen, pointed
        # Secret files that are pointed at for the first time are in it now.
        self._seen = self._read()
        if self._seen != before or (gone and not at_once and now - self._since < GONE_SECONDS):
            return None, False
        self._judged = self._seen
        said, self._refused = self._refused, isinstance(found, Refused)
        if found is None and said:
            return AsBefore(), True
        return found, True

    def _load(self, pointed: set[Path]) -> tuple[Found | None, bool]:
        """What the files say; and whether a connection is gone."""
        try:
            new = load_connections(self._folders, self._environ, pointed=pointed)
        except ConfigError as error:
            return Refused(error.faults), False
        if new == self.running:
            return None, False
        change = _change(self.running, new)
        faults = document_faults(new)
        return (Refused(faults) if faults else change), bool(change.removed)

    def _read(self) -> dict[Path, str]:
        """A digest of each file."""
        found = {path: self._digest(path) for path in self._paths()}
        self._digests = {path: self._digests[path] for path in found}
        return found

    def _paths(self) -> Iterator[Path]:
        yield from self._folders.files("connections", "*.y*ml")
        for pattern in _WATCHED:
            yield from self._folders.config.glob(pattern)
        yield from self._pointed

    def _digest(self, path: Path) -> str:
        """Of the content, read only when its date, size or inode changed; "" while there is none.
        A digest: no secret is kept that nobody runs with."""
        key: object = None
        digest = ""
        with suppress(OSError):
            stat = path.stat()
            key = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
            before = self._digests.get(path)
            if before is not None and before[0] == key:
                return before[1]
            digest = blake2b(path.read_bytes(), digest_size=16).hexdigest()
        self._digests[path] = (key, digest)
        return digest


def _change(old: Mapping[str, Connection], new: dict[str, Connection]) -> Change:
    changed = [name for name in new.keys() & old.keys() if new[name] != old[name]]
    added, removed = new.keys() - old.keys(), old.keys() - new.keys()
    return Change(new, tuple(sorted(added)), tuple(sorted(changed)), tuple(sorted(removed)))


def document_faults(connections: Mapping[str, Connection]) -> tuple[str, ...]:
    """What would keep a worker from starting with the documents that connections name."""
    faults: dict[str, None] = {}
    judged: set[tuple[object, ...]] = set()
    for connection in connections.values():
        path = connection.mapping_path
        if path is None or connection.platform.mode == "raw":
            continue
        variables = connection.mapping_variables
        key = (path, connection.schema_path, *sorted(variables.items()))
        if key in judged:
            continue
        judged.add(key)
        try:
            files = read_mapping_files(path, connection.schema_path)
        except OSError as fault:
            faults[f"{fault.filename}: cannot be read: {fault.strerror}"] = None
            continue
        report = check_files(files, variables)
        faults |= dict.fromkeys(f"{path}: {problem}" for problem in report.problems)
    return tuple(faults)


async def look_and_tell(watch: ConfigWatch, *, at_once: bool = False) -> Found | None:
    """`ConfigWatch.look` beside the event loop. What is not valid is said in the log, once. Raises
    nothing but CancelledError."""
    try:
        found = await asyncio.to_thread(watch.look, time.monotonic(), at_once=at_once)
    except Exception:  # a bug of ours, which must not stop the work
        log.exception("config.look_failed")
        return None
    match found:
        case Refused():
            log.error(
                "config.refused",
                faults=list(found.faults[:_FAULTS_MAX]),
                times=len(found.faults),
                reason="the configuration before goes on; `sluice check-config` says all faults",
            )
        case AsBefore():
            log.info("config.as_before")
    return found
