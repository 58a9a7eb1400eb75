"""Fail points: named places in the code at which a process can be made to kill itself.

Production code knows nothing of them: implant/sitecustomize.py, which only processes of the crash
suite load, wraps the functions named here. A point is armed by a file `armed/NAME` that says at
which passage (1 = the next one) the process dies; who dies moves it to `hit/NAME.PID` first, so it
is one process, once.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final


class Side(StrEnum):
    """Of the call: before it, after it, or inside, when its request has left for Redis and the
    answer was not read."""

    BEFORE = "before"
    AFTER = "after"
    UNREAD = "unread"


class Need(StrEnum):
    """What has to happen so that the point is passed."""

    TRAFFIC = "traffic"
    GARBAGE = "garbage"  # there is always some
    REFUSALS = "refusals"  # Platform refuses some messages for a while
    SLOWNESS = "slowness"  # Platform takes longer than a third of a lease
    BURST = "burst"  # a batch that takes several requests
    STOP = "stop"  # a worker is told to stop with work in hand
    PAUSE = "pause"  # a lane is held back, and let go
    DEAD_WORKER = "dead worker"
    DEAD_CHILD = "dead child"
    ROLL = "roll"  # a rolling restart of the receiver
    MAPPING = "mapping"  # a new version of the mapping set


@dataclass(frozen=True, slots=True)
class Point:
    """`where`: module:function. `only`: whether these arguments are meant."""

    name: str
    where: str
    side: Side
    need: Need = Need.TRAFFIC
    only: Callable[..., bool] = lambda *_: True

    @property
    def module(self) -> str:
        return self.where.partition(":")[0]

    @property
    def function(self) -> str:
        return self.where.partition(":")[2]


def _with_successors(_batches: Any, _batch_id: Any, settlement: Any) -> bool:
    return bool(settlement.successors)


def _with_letters(_batches: Any, _batch_id: Any, settlement: Any) -> bool:
    return bool(settlement.letters)


def _swept(_batches: Any, _batch_ids: Any, job_id: str) -> bool:
    return "@" in job_id


_BATCHES: Final = "app.store.batches:Batches."
_PIPELINE: Final = "worker.pipeline:Pipeline."

POINTS: Final = (
    Point("receiver.committing", _BATCHES + "commit", Side.BEFORE),
    Point("receiver.commit_unread", _BATCHES + "commit", Side.UNREAD),
    Point("receiver.committed", _BATCHES + "commit", Side.AFTER),
    Point("receiver.answered", _BATCHES + "ring_all", Side.BEFORE),
    Point("receiver.rung", _BATCHES + "ring_all", Side.AFTER),
    Point("receiver.buried", "app.web.children:Children.bury", Side.BEFORE, Need.DEAD_CHILD),
    Point("receiver.replaced", "app.web.slot:Slot.replace", Side.AFTER, Need.ROLL),
    Point("worker.take_unread", _BATCHES + "take", Side.UNREAD),
    Point("worker.taken", _BATCHES + "take", Side.AFTER),
    Point("worker.transformed", _PIPELINE + "_transform", Side.AFTER),
    Point("worker.claimed", _PIPELINE + "_claim", Side.AFTER),
    Point("worker.sending", "worker.lane.exchange:_mark_written", Side.AFTER),
    Point("worker.sent", "worker.lane.exchange:Exchange.post", Side.AFTER),
    Point("worker.marked", _BATCHES + "mark_delivered", Side.AFTER, Need.BURST),
    Point("worker.settling", _BATCHES + "settle", Side.BEFORE),
    Point("worker.settle_unread", _BATCHES + "settle", Side.UNREAD),
    Point("worker.settled", _BATCHES + "settle", Side.AFTER),
    Point("worker.retrying", _BATCHES + "settle", Side.BEFORE, Need.REFUSALS, _with_successors),
    Point("worker.retry_unread", _BATCHES + "settle", Side.UNREAD, Need.REFUSALS, _with_successors),
    Point("worker.buried", _BATCHES + "settle", Side.UNREAD, Need.GARBAGE, _with_letters),
    Point("worker.swept", _BATCHES + "_ring", Side.BEFORE, Need.REFUSALS, _swept),
    Point("worker.keeping", _BATCHES + "keep", Side.UNREAD, Need.SLOWNESS),
    Point("worker.releasing", _BATCHES + "release", Side.BEFORE, Need.STOP),
    Point("worker.release_unread", _BATCHES + "release", Side.UNREAD, Need.STOP),
    Point("worker.paused", "worker.lane.gate:LaneGate.pause", Side.AFTER, Need.PAUSE),
    Point("worker.parked", "app.store.waiting:Waiting.park", Side.AFTER, Need.PAUSE),
    Point("worker.pulled", "app.store.waiting:Waiting.pull", Side.AFTER, Need.PAUSE),
    Point("worker.remapped", "worker.version_watch:VersionWatch._take", Side.AFTER, Need.MAPPING),
    Point("supervisor.between", "app.cli.up.child:Backoff.next", Side.AFTER, Need.DEAD_WORKER),
)  # fmt: skip
BY_NAME: Final = {point.name: point for point in POINTS}


class Traps:
    """The driver's side: sets them, and hears of who walked into one."""

    def __init__(self, folder: Path) -> None:
        self._armed = folder / "armed"
        self._hit = folder / "hit"
        for each in (self._armed, self._hit):
            each.mkdir(parents=True, exist_ok=True)

    def arm(self, point: Point, passage: int) -> None:
        partial = self._armed / f".{point.name}"
        partial.write_text(str(passage))
        partial.rename(self._armed / point.name)

    def disarm(self, point: Point) -> bool:
        """Whether it was still armed."""
        try:
            (self._armed / point.name).unlink()
        except FileNotFoundError:
            return False
        return True

    def hits(self, point: Point) -> int:
        return len(list(self._hit.glob(f"{point.name}.*")))

    async def sprung(self, point: Point, hits_before: int, seconds: float) -> bool:
        """Waits until somebody has died of it."""
        deadline = time.monotonic() + seconds
        while self.hits(point) == hits_before:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.02)
        return True


def passed(folder: Path, point: Point, seen: dict[tuple[str, int], int]) -> bool:
    """Whether the process must die here and now. `seen`: its own count of passages."""
    armed = folder / "armed" / point.name
    try:
        key = (point.name, os.stat(armed).st_ino)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] < int(armed.read_text()):
            return False
        armed.rename(folder / "hit" / f"{point.name}.{os.getpid()}")
    except OSError:
        return False
    return True
