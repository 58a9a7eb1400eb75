"""The desk: takes the batches a bell names, keeps their leases, gives them to the pipeline.

Whatever happens to the work, the batch is either settled, given back, or left to its lease.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, Protocol

import structlog

from app.core.errors import StoreUnavailable
from app.store.batches import SUSPECT_TAKES, Batches, Taken, takes_most
from worker.metrics import Metrics

log = structlog.get_logger()

# A batch on which we stumbled waits this long per take before somebody tries again.
STUMBLE_MS: Final = 2_000


class Work(Protocol):
    """worker.pipeline.Pipeline, as far as the desk is concerned."""

    async def work(self, taken: Taken) -> None: ...


class Desk:
    """What one worker process has in hand."""

    def __init__(self, batches: Batches, pipeline: Work, metrics: Metrics) -> None:
        self._batches = batches
        self._pipeline = pipeline
        self._metrics = metrics
        self._held: dict[str, Taken] = {}
        self._returning: set[asyncio.Task[None]] = set()
        self._alone = Alone()
        # Grows with every batch that was finished with: the watch looks at it.
        self.progress = 0

    @property
    def in_hand(self) -> int:
        return len(self._held)

    async def answer(self, batch_ids: Sequence[str]) -> None:
        """Works on those of the batches that nobody holds. One bell's worth."""
        # After a failover that forgot batches, their ids are given out again: one of those may name
        # other events while we still work on ours.
        batch_ids = [name for name in batch_ids if name not in self._held]
        try:
            taken, lost = await self._batches.take(batch_ids)
        except StoreUnavailable:
            return  # the bell is spent; the sweep rings again
        for batch_id in lost:
            log.error("batch.frame_missing", batch=batch_id)
        self.progress += 1
        self._held.update({str(batch.batch_id): batch for batch in taken})
        self._metrics.in_work.set(len(self._held))
        await asyncio.gather(*(self._hold(batch) for batch in taken))

    async def all_returned(self) -> None:
        """Waits for batches that are on their way back, even if their jobs were cancelled twice."""
        await asyncio.gather(*self._returning, return_exceptions=True)

    async def keep_leases(self) -> None:
        """For ever: a heartbeat three times per lease for everything in hand."""
        while True:
            await asyncio.sleep(self._batches.lease_ms / 3000)
            if not self._held:
                continue
            # A lost lease needs no more than a word: the settlement will be refused.
            with contextlib.suppress(StoreUnavailable):
                lost = await self._batches.keep(list(self._held))
                # What was settled meanwhile is not lost.
                if lost := [name for name in lost if name in self._held]:
                    log.warning("batch.lease_lost", batches=lost)

    async def _hold(self, taken: Taken) -> None:
        name = str(taken.batch_id)
        suspect = taken.takes >= SUSPECT_TAKES
        # A suspect's take counts from here on; anything else was counted when it was taken.
        counted = not suspect
        try:
            async with self._alone.enter(alone=suspect):
                if suspect and taken.takes <= takes_most(taken.batch_id):
                    counted = await self._batches.begin(name)
                    if not counted:
                        return  # the lease ran out while it waited for its turn
                await self._pipeline.work(taken)
        except asyncio.CancelledError:
            # A graceful stop: nobody shall wait for the lease of a worker that is gone.
            give_back = self._give_back(name, delay_ms=0, counts=not counted)
            returning = asyncio.create_task(give_back)
            self._returning.add(returning)
            returning.add_done_callback(self._returning.discard)
            await asyncio.shield(returning)
            raise
        except StoreUnavailable:
            pass  # its lease runs out
        except Exception as fault:  # a bug of ours: the batch waits, and in the end is isolated
            log.exception("batch.stumbled", batch=name, error=type(fault).__name__)
            await self._give_back(name, delay_ms=STUMBLE_MS * taken.takes, counts=True)
        finally:
            self._held.pop(name, None)
            self.progress += 1
            self._metrics.in_work.set(len(self._held))

    async def _give_back(self, name: str, *, delay_ms: int, counts: bool) -> None:
        with contextlib.suppress(StoreUnavailable):  # then its lease runs out
            await self._batches.release(name, delay_ms=delay_ms, counts=counts)


class Alone:
    """Batches work side by side, except those that may be what killed the last worker."""

    def __init__(self) -> None:
        self._inside = 0
        self._closed = False
        self._waiting: list[asyncio.Future[None]] = []

    @contextlib.asynccontextmanager
    async def enter(self, *, alone: bool) -> AsyncIterator[None]:
        """Enters at once, or `alone`: when all others have left, and keeping them out."""
        await self._until(lambda: not self._closed)
        if alone:
            self._closed = True
            try:
                await self._until(lambda: self._inside == 0)
            except BaseException:
                self._open()
                raise
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            if alone:
                self._open()
            elif self._closed:
                self._wake()

    def _open(self) -> None:
        self._closed = False
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    async def _until(self, ready: Callable[[], bool]) -> None:
        while not ready():
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
