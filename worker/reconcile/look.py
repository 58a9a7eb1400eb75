"""One look at Platform: its runs, its counters, its failed batches. Idempotent from end to end.

A look goes back over what earlier ones have seen: runs come late and batches fail late. What it
writes is either the newest word on an hour, or a page of a file with the mark that it is done.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

import structlog

from app.adobe.catalog import Batch
from app.adobe.data_access import File
from app.adobe.observability import INGESTED, RECEIVED, Wanted
from app.core.errors import PlatformFault, PlatformRefused
from app.store.lake import Begun, Lake, LakeHour
from worker.reconcile.burying import Burying
from worker.reconcile.platform import Platform

log = structlog.get_logger()

_HOUR_MS: Final = 3_600_000


@dataclass(slots=True)
class Look:
    """`keep`: called often; raises when the look is no longer ours. `first_hour`: Unix hour from
    which runs are read; `look_back_ms`: what failed batches are read of, before the last look."""

    connection: str
    platform: Platform
    lake: Lake
    burying: Burying
    begun: Begun
    first_hour: int
    look_back_ms: int
    keep: Callable[[], Awaitable[None]]
    # Batches that runs name, and of which records failed: batch id -> when the run began.
    _batches: dict[str, int] = field(default_factory=dict, init=False)

    async def run(self) -> None:
        """The whole of it. Raises PlatformFault, CredentialsRefused, TokenUnavailable and
        StoreUnavailable; what was read until then is written."""
        hours = await self._runs()
        await self._count(hours)
        await self.lake.put(self.connection, hours)
        seen: set[str] = set()
        after_ms = max(0, min(self.begun.seen_ms or self.begun.now_ms, self.begun.now_ms))
        batches = self.platform.catalog.failed_batches(
            self.platform.dataset_id, after_ms - self.look_back_ms, self.begun.now_ms + _HOUR_MS
        )
        async for batch in batches:
            seen.add(batch.batch_id)
            await self._failed_batch(batch)
        for batch_id, started_ms in self._batches.items():
            if batch_id not in seen:
                await self._partly_failed(batch_id, started_ms)

    async def _runs(self) -> dict[int, LakeHour]:
        hours: dict[int, LakeHour] = {}
        # Whole hours: a row is written over with the sum of its runs.
        after_ms = self.first_hour * _HOUR_MS - 1
        async for run in self.platform.flows.runs(self.platform.flow_id, after_ms):
            hour = run.started_ms // _HOUR_MS
            said = hours.get(hour, LakeHour())
            hours[hour] = said._replace(
                landed=said.landed + run.landed,
                failed=said.failed + run.failed,
                runs=said.runs + 1,
                finished=said.finished and run.finished,
            )
            if run.failed:
                for batch_id in run.batch_ids:
                    self._batches[batch_id] = run.started_ms
        await self.keep()
        return hours

    async def _count(self, hours: dict[int, LakeHour]) -> None:
        """Adds Platform's counters to the hours. They only say more, so they may be missing."""
        wanted = [
            Wanted(RECEIVED, "inletId", self.platform.inlet_id),
            Wanted(INGESTED, "dataSetId", self.platform.dataset_id),
        ]
        try:
            received, ingested = await self.platform.counters.hourly(
                wanted, self.first_hour * 3600, self.begun.now_ms // 1000
            )
        except PlatformFault as fault:
            log.info("reconcile.no_counters", connection=self.connection, reason=str(fault))
            return
        for hour in hours:
            hours[hour] = hours[hour]._replace(
                received=received.get(hour), ingested=ingested.get(hour)
            )

    async def _failed_batch(self, batch: Batch) -> None:
        files = self.platform.files
        await self._each(
            batch.batch_id,
            batch.created_ms,
            files.failed_files(batch.batch_id),
            files.failed_lines,
        )

    async def _partly_failed(self, batch_id: str, started_ms: int) -> None:
        """A batch that landed but for some rows: they are in its failed files or diagnostics."""
        files = self.platform.files
        for listed, lines in (
            (files.failed_files(batch_id), files.failed_lines),
            (files.row_error_files(batch_id), files.row_error_lines),
        ):
            try:
                if await self._each(batch_id, started_ms, listed, lines):
                    return
            except PlatformRefused as fault:
                if fault.status != 404:
                    raise

    async def _each(
        self,
        batch_id: str,
        created_ms: int,
        files: AsyncIterator[File],
        lines_of: Callable[[str, File], AsyncGenerator[bytes, None]],
    ) -> int:
        """Works through the files of a batch that have something new; how many files it has."""
        count = 0
        async for file in files:
            count += 1
            name = f"{batch_id}/{file.path}"
            mark = await self.burying.mark(created_ms, name)
            if file.length is not None and mark.length == file.length:
                continue
            # A file may be left in the middle: its answer is then given up at once.
            async with aclosing(lines_of(batch_id, file)) as lines:
                work = self.burying.work(created_ms, name, file.length, mark, lines)
                async with aclosing(work) as pages:
                    async for _ in pages:
                        await self.keep()
        await self.keep()
        return count
