"""Writes delivered bodies once a second, beside the work and never in its way.

What cannot be written, or comes faster than the disk takes it, is left out and said; the delivery
has nothing to do with it.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from app.core.event import peek_event
from worker.archive.finder import hours_of
from worker.archive.segments import Kept, append
from worker.ending import end
from worker.metrics import Metrics
from worker.story import Story

log = structlog.get_logger()

EVERY_SECONDS: Final = 1.0
TRIM_SECONDS: Final = 60.0
# Bodies that wait to be written; a batch has a megabyte or so.
WAITING_MAX_BYTES: Final = 64_000_000
_HOUR_SECONDS: Final = 3_600


@dataclass(frozen=True, slots=True)
class ArchiveBounds:
    """How long and how much. What is over goes, the oldest hour first."""

    days: float
    max_bytes: int


class ArchiveWriter:
    """One worker process's part of the archive. `name`: of its files, no other process's."""

    def __init__(
        self,
        folder: Path,
        name: str,
        bounds: ArchiveBounds,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._folder = folder
        self._name = name
        self._bounds = bounds
        self._metrics = metrics
        self._clock = clock
        self._sleep = sleep
        self._waiting: dict[str, list[Kept]] = {}
        self._waiting_bytes = 0
        self._trim_at = 0.0
        self._fault = ""
        self._task: asyncio.Task[None] | None = None
        # One block at a time, or offsets would lie.
        self._writing = asyncio.Lock()

    def start(self) -> None:
        """Says that it is on, and begins."""
        log.info(
            "archive.on",
            days=self._bounds.days,
            max_bytes=self._bounds.max_bytes,
            folder=str(self._folder),
            holds="delivered bodies, with the personal data in them",
        )
        self._task = asyncio.create_task(self._run(), name="archive")

    async def close(self) -> None:
        """Writes what waits, and stops."""
        if self._task is not None:
            await end([self._task])
        await self.write()

    def offer(self, story: Story) -> None:
        """Takes the bodies that Platform took of a settled batch. Waits for nothing."""
        connection = story.taken.batch_id.connection
        kept = [
            Kept(self._id(story, at), story.batch.received_ms[at], story.batch.bodies[at])
            for at in story.accepted
            if at not in story.batch.ready
        ]
        size = sum(len(each.body) for each in kept)
        if self._waiting_bytes + size > WAITING_MAX_BYTES:
            self._metrics.archive_lost.labels(connection).inc(len(kept))
            self._say("the disk is slower than the traffic")
        elif kept:
            self._waiting.setdefault(connection, []).extend(kept)
            self._waiting_bytes += size

    async def write(self) -> None:
        """Writes what waits, and trims now and then. Raises nothing but CancelledError."""
        async with self._writing:
            waiting, self._waiting, self._waiting_bytes = self._waiting, {}, 0
            hour = int(self._clock()) // _HOUR_SECONDS
            for connection, events in waiting.items():
                segment = self._folder / connection / str(hour) / f"{self._name}.seg"
                try:
                    await asyncio.to_thread(append, segment, events)
                except OSError as fault:
                    self._metrics.archive_lost.labels(connection).inc(len(events))
                    self._say(fault.strerror or type(fault).__name__)
                else:
                    self._say("")
            if self._clock() >= self._trim_at:
                self._trim_at = self._clock() + TRIM_SECONDS
                await asyncio.to_thread(self._trim)

    async def _run(self) -> None:
        while True:
            await self._sleep(EVERY_SECONDS)
            try:
                # Shielded: a block that is being written is finished.
                await asyncio.shield(asyncio.ensure_future(self.write()))
            except Exception:  # a bug of ours, which must not become the worker's
                log.exception("archive.failed")

    def _id(self, story: Story, position: int) -> str:
        known = story.ids.get(position)
        return known[0] if known else peek_event(story.batch.bodies[position])[0]

    def _say(self, fault: str) -> None:
        """A line per change of state."""
        if fault and not self._fault:
            log.warning("archive.behind", reason=fault)
        elif self._fault and not fault:
            log.info("archive.well", was=self._fault)
        self._fault = fault

    def _trim(self) -> None:
        """Drops whole hours: those past their days, then the oldest beyond the bytes."""
        oldest_kept = int(self._clock() - self._bounds.days * 86_400) // _HOUR_SECONDS
        hours = sorted(
            (hour, folder / str(hour))
            for folder in _folders(self._folder)
            for hour in hours_of(folder)
        )
        sizes = {path: _size(path) for _, path in hours}
        left = sum(sizes.values())
        for hour, path in hours:
            old = hour < oldest_kept
            if not old and left <= self._bounds.max_bytes:
                break
            shutil.rmtree(path, ignore_errors=True)
            left -= sizes[path]
            tell = log.info if old else log.warning
            tell(
                "archive.trimmed",
                connection=path.parent.name,
                hour=hour,
                bytes=sizes[path],
                reason="days" if old else "bytes",
            )
        self._metrics.archive_bytes.set(left)


def _folders(folder: Path) -> list[Path]:
    try:
        return [each for each in folder.iterdir() if each.is_dir()]
    except OSError:
        return []


def _size(folder: Path) -> int:
    total = 0
    for file in folder.glob("*"):
        try:
            total += file.stat().st_size
        except OSError:  # another worker trims, too
            continue
    return total
