"""Ringing the workers: after the answer, never for it, and not for every batch.

An arq job costs 155 µs to enqueue and 390 µs to run (design.md section 7), as much as ten webhooks.
So the first batch rings at once, and those that follow within the interval share one ringing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from app.core.errors import StoreUnavailable
from app.web.fault_log import FaultLog

# A Redis that hangs must not hold up the end of the process.
_RING_SECONDS: Final = 2.0


class RingStore(Protocol):
    async def ring_all(self, batch_ids: Sequence[str]) -> None:
        """Wake workers. May raise StoreUnavailable: the batches are safe, the sweep finds them."""


class Bell:
    """One per process. Lives in one event loop."""

    def __init__(self, store: RingStore, interval_seconds: float, faults: FaultLog) -> None:
        self._store = store
        self._interval = interval_seconds
        self._faults = faults
        self._waiting: list[str] = []
        self._task: asyncio.Task[None] | None = None

    def ring_for(self, batch_id: str) -> None:
        """Wake a worker for a committed batch, now or within the interval."""
        self._waiting.append(batch_id)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Wait until all is rung."""
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while self._waiting:
            batch_ids, self._waiting = self._waiting, []
            try:
                async with asyncio.timeout(_RING_SECONDS):
                    await self._store.ring_all(batch_ids)
            except (StoreUnavailable, TimeoutError):
                pass  # The sweep rings for what is in the open set.
            except Exception as fault:
                self._faults.report(fault)
            await asyncio.sleep(self._interval)
