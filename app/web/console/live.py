"""The pipeline sampled every few seconds: for rates, forecasts and charts, and for whoever watches.

History lies in this process's memory only: a console that was just started says that it is
collecting. Sampling takes at most a tenth of the time, however large the backlog is.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from app.core.forecast import Forecast, Sample, forecast
from app.store.connect import Store
from app.store.lane_views import LaneView, LaneViews
from app.store.ledger import Balance, Ledger
from app.store.pipeline import Pipeline, Reading
from app.web.console.freshness import Freshness
from app.web.console.panels import Panel, explain, now_ms

INTERVAL_SECONDS: Final = 2.0
# A quarter of an hour.
_SAMPLES: Final = 450
_TREND_SECONDS: Final = 60.0
# A look at the whole ledger, which a check is, is dear.
_BALANCE_SECONDS: Final = 30.0
_PATIENCE_SECONDS: Final = 10.0
_ENDING_SECONDS: Final = 2.0


@dataclass(slots=True)
class Live:
    """The latest look at everything. `interval_seconds`: between two looks, at least.
    `memory_share`: of the limit, at which webhooks are refused."""

    redis: Store
    memory_share: float = 0.8
    interval_seconds: float = INTERVAL_SECONDS
    reading: Panel[Reading] = field(default_factory=lambda: Panel(None, now_ms()), init=False)
    lanes: Panel[list[LaneView]] = field(default_factory=lambda: Panel(None, now_ms()), init=False)
    balance: Panel[Balance] = field(default_factory=lambda: Panel(None, now_ms()), init=False)
    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=_SAMPLES), init=False)
    freshness: Freshness = field(default_factory=Freshness, init=False)
    version: int = field(default=0, init=False)
    closing: bool = field(default=False, init=False)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition, init=False)
    _ended: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _pipeline: Pipeline = field(init=False)
    _balance_at: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self._pipeline = Pipeline(self.redis)

    async def run(self) -> AsyncIterator[None]:
        """Samples while the application runs: for its `cleanup_ctx`."""
        task = asyncio.create_task(self._sample_for_ever())
        yield
        await self.stop()
        # Not in the middle of a look: a connection whose making is cancelled is never closed.
        await asyncio.wait({task}, timeout=_ENDING_SECONDS)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def stop(self) -> None:
        """Whoever waits for the next look is told that there is none."""
        self.closing = True
        self._ended.set()
        async with self._changed:
            self._changed.notify_all()

    async def after(self, version: int) -> int:
        """Waits until there is a later look than `version`; its number."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.version > version or self.closing)
        return self.version

    def forecast(self) -> Forecast:
        """What comes of it if all goes on as in the last minute."""
        reading = self.reading.data
        limit = int(reading.memory_limit * self.memory_share) if reading else 0
        return forecast(self.samples, _TREND_SECONDS, limit)

    async def sample(self) -> None:
        """One look; a fault is part of it."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                reading = await self._pipeline.look()
                lanes = await LaneViews(self.redis).look(reading.flows)
            self.reading, self.lanes = Panel(reading, now_ms()), Panel(lanes, now_ms())
            self._remember(reading)
        except Exception as fault:
            told = explain(fault)
            self.reading = Panel(self.reading.data, self.reading.at_ms, told)
            self.lanes = Panel(self.lanes.data, self.lanes.at_ms, told)
        await self._check()
        async with self._changed:
            self.version += 1
            self._changed.notify_all()

    async def _check(self) -> None:
        # An empty ledger costs nothing to look at, and is the first thing to change.
        known = self.balance.data is not None and self.balance.data.rows and not self.balance.fault
        if known and time.monotonic() - self._balance_at < _BALANCE_SECONDS:
            return
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                self.balance = Panel(await Ledger(self.redis).read(), now_ms())
            self._balance_at = time.monotonic()
        except Exception as fault:
            self.balance = Panel(self.balance.data, self.balance.at_ms, explain(fault))

    def _remember(self, reading: Reading) -> None:
        self.freshness.note(reading.flows, reading.at_ms)
        whole = reading.whole()
        self.samples.append(
            Sample(
                reading.at_ms / 1000,
                whole.counts["received"],
                whole.done,
                whole.backlog,
                reading.memory_used,
            )
        )

    async def _sample_for_ever(self) -> None:
        # redis-py swallows a cancellation while it connects: the flag is what ends it for sure.
        while not self.closing:
            began = time.monotonic()
            await self.sample()
            took = time.monotonic() - began
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), max(self.interval_seconds, 10 * took))
