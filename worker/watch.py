"""Notices when this worker is alive but gets nowhere, and does something about it.

Three ways to get nowhere: the event loop is stuck (a thread sees that), Redis takes no writes
(the pulse sees that), arq hears no bells though batches are due (progress sees that).
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from app.core.errors import StoreUnavailable
from app.store.batches import Batches
from worker.bells import Bells
from worker.desk import Desk
from worker.metrics import Metrics

log = structlog.get_logger()

SWEEP_SECONDS: Final = 1.0
# Due for this long, and nobody took it: the grace and a second ringing are over.
OVERDUE_MS: Final = 20_000
LOOP_STUCK_SECONDS: Final = 60.0
# Exit code of a worker that gave up on itself, for whoever restarts it (EX_SOFTWARE).
GAVE_UP: Final = 70
_REPLACEMENTS_MAX: Final = 3


class Watch:
    """Sweeps once a second, and draws its conclusions from how that goes."""

    def __init__(self, batches: Batches, bells: Bells, desk: Desk, metrics: Metrics) -> None:
        self._batches = batches
        self._bells = bells
        self._desk = desk
        self._metrics = metrics
        self._trouble = ""
        self._seen_progress = -1
        self._stalled_since: float | None = None
        self._replacements = 0
        self.gave_up = asyncio.Event()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.once(time.monotonic())
            await asyncio.sleep(SWEEP_SECONDS)

    async def once(self, now: float) -> None:
        """One sweep and one look at ourselves. `now`: monotonic seconds."""
        try:
            await self._batches.pulse()
            await self._batches.sweep()
            overdue_ms = await self._batches.overdue_ms()
        except StoreUnavailable as fault:
            self._unavailable(fault.reason)
            return
        self._available()
        self._metrics.overdue_seconds.set(overdue_ms / 1000)
        self._look(now, overdue_ms)

    def _unavailable(self, reason: str) -> None:
        if reason != self._trouble:
            log.error("store.unavailable", reason=reason)
            self._trouble = reason
            self._bells.pause()
        self._stalled_since = None

    def _available(self) -> None:
        if self._trouble:
            log.info("store.available", after=self._trouble)
            self._trouble = ""
            self._bells.resume()

    def _look(self, now: float, overdue_ms: int) -> None:
        moved = self._desk.progress != self._seen_progress
        self._seen_progress = self._desk.progress
        if moved or self._desk.in_hand or overdue_ms < OVERDUE_MS:
            self._stalled_since = None
            if moved:
                self._replacements = 0
            return
        if self._stalled_since is None:
            self._stalled_since = now
        elif now - self._stalled_since > OVERDUE_MS / 1000:
            self._stalled(overdue_ms)
            self._stalled_since = now

    def _stalled(self, overdue_ms: int) -> None:
        self._replacements += 1
        log.error("worker.stalled", overdue_seconds=overdue_ms // 1000, times=self._replacements)
        if self._replacements > _REPLACEMENTS_MAX:
            self.gave_up.set()
        else:
            self._bells.replace()


class LoopWatch:
    """A thread that ends the process when the event loop has not turned for a minute.

    Its batches' leases have run out by then; another worker has them, and the supervisor starts
    this one again.
    """

    def __init__(
        self,
        limit_seconds: float = LOOP_STUCK_SECONDS,
        give_up: Callable[[int], object] = os._exit,
    ) -> None:
        self._limit = limit_seconds
        self._give_up = give_up
        self._turned = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loop-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def seconds_since_turn(self) -> float:
        return time.monotonic() - self._turned

    async def turn(self) -> None:
        """For ever: shows the thread that the loop turns."""
        while True:
            self._turned = time.monotonic()
            await asyncio.sleep(min(1.0, self._limit / 4))

    def _watch(self) -> None:
        while not self._ended.wait(min(1.0, self._limit / 4)):
            if self.seconds_since_turn() > self._limit:
                log.critical("worker.loop_stuck", seconds=round(self.seconds_since_turn()))
                self._give_up(GAVE_UP)
                return
