"""Memory and descriptors of the processes under test, over their lives.

A life counts when it lasts to the end, and is long enough to have a beginning, in which caches fill
and code is loaded. How it was when warm, under load, is held against how it is at the end, when
nobody sends any more. The bounds are wide: what is looked for grows with the traffic.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from tests.crash.chaos import procs
from tests.crash.chaos.procs import Use
from tests.crash.chaos.stage import Stage

_LOOK_SECONDS: Final = 1.0
# Of a life: warm from here to there.
_WARM: Final = (0.3, 0.5)
# The last looks of a run, when nobody sends any more.
_QUIET: Final = 3
_MEMORY_BYTES: Final = 30_000_000
_MEMORY_SHARE: Final = 0.3
# Connections to Redis and to Platform come and go.
_DESCRIPTORS: Final = 20


@dataclass(slots=True)
class Life:
    """One process from when it was first seen. `uses`: one a second or so."""

    role: str
    pid: int
    began: float
    uses: list[Use] = field(default_factory=list)
    last: float = 0.0

    @property
    def seconds(self) -> float:
        return self.last - self.began


class Samples:
    """Looks at everything below `sluice up`, and at the stage's own worker, once a second."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.lives: dict[int, Life] = {}

    async def run(self) -> None:
        while True:
            self.look(time.monotonic())
            await asyncio.sleep(_LOOK_SECONDS)

    async def quiet(self) -> None:
        """Looks that belong to the end."""
        for _ in range(_QUIET):
            await asyncio.sleep(_LOOK_SECONDS)
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        for root in (self._stage.up, self._stage.worker):
            if not root.alive or root.pid is None:
                continue
            for found in procs.below(root.pid):
                if use := procs.use_of(found.pid):
                    life = self.lives.setdefault(found.pid, Life(found.role, found.pid, now))
                    life.uses.append(use)
                    life.last = now


def growth(uses: Sequence[Use]) -> tuple[Use, Use]:
    """(when it was warm, at its end), as medians."""
    low, high = (int(len(uses) * share) for share in _WARM)
    return _median(uses[low : high + 1]), _median(uses[-_QUIET:])


def leaks(lives: Sequence[Life], least_seconds: float) -> list[str]:
    """In words, the processes that grew beyond the bounds, of those that lived to the end."""
    found = []
    end = max((life.last for life in lives), default=0.0)
    for life in lives:
        if life.seconds < least_seconds or life.last < end:
            continue
        warm, now = growth(life.uses)
        bound = warm.memory + max(_MEMORY_BYTES, warm.memory * _MEMORY_SHARE)
        if now.memory > bound or now.descriptors > warm.descriptors + _DESCRIPTORS:
            found.append(
                f"{life.role} {life.pid} grew in {life.seconds:.0f} s from "
                f"{warm.memory >> 20} MiB, {warm.descriptors} descriptors to "
                f"{now.memory >> 20} MiB, {now.descriptors} descriptors"
            )
    return found


def _median(uses: Sequence[Use]) -> Use:
    return Use(
        int(median(use.memory for use in uses)), int(median(use.descriptors for use in uses))
    )
