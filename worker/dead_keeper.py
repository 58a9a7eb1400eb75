"""Keeps the dead letter store in order beside the work, a step at a time.

* Letters of releases before fingerprints are taken into the indexes: when the worker starts, and
  now and again, for an older worker may still write some.
* Above the budget, the oldest letters are spilled to files in the data folder.
* Files whose letters are gone are removed, and groups that have long had no letters forgotten.

One worker does it at a time, by a lease; nothing depends on it being this one, or on its being done
soon.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from app.core.errors import StoreUnavailable
from app.store.dead_letters.spilling import SpillReport
from worker.metrics import Metrics

log = structlog.get_logger()

EVERY_SECONDS: Final = 15.0
# The lease is longer than so many files take.
FILES_AT_ONCE: Final = 8


class Upkeep(Protocol):
    """app.store.dead_letters.upkeep.Upkeep, as far as the keeper is concerned."""

    async def lease(self) -> bool: ...
    async def adopt(self) -> dict[str, int]: ...
    async def spill(self) -> SpillReport | None: ...
    async def tidy(self) -> list[str]: ...
    async def forget(self, now_ms: int) -> int: ...


@dataclass(slots=True)
class DeadKeeper:
    upkeep: Upkeep
    metrics: Metrics
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.time
    # Why files cannot be written; it is told when it changes.
    _trouble: str = field(default="", init=False)

    async def run(self) -> None:
        """Until cancelled. A store that is away is waited for: others speak of it already."""
        while True:
            try:
                if await self.upkeep.lease():
                    await self._keep()
            except StoreUnavailable:
                pass
            except Exception:
                # A fault of ours in here must not end the worker.
                log.exception("dead_letters.upkeep_failed")
            await self.sleep(EVERY_SECONDS)

    async def _keep(self) -> None:
        for connection, count in (await self.upkeep.adopt()).items():
            log.info("dead_letters.adopted", connection=connection, letters=count)
        await self.upkeep.forget(int(self.clock() * 1000))
        try:
            await self._files()
        except OSError as fault:
            self._tell(fault.strerror or type(fault).__name__)
        else:
            self._tell("")

    async def _files(self) -> None:
        for name in await self.upkeep.tidy():
            log.info("dead_letters.file_removed", file=name, reason="no letter is in it any more")
        for _ in range(FILES_AT_ONCE):
            report = await self.upkeep.spill()
            if report is None:
                return
            self.metrics.dead_letters_spilled.inc(report.letters)
            log.warning(
                "dead_letters.spilled",
                file=report.file,
                letters=report.letters,
                bytes_left=report.bytes_left,
                reason="SLUICE_DEAD_LETTERS_MAX_BYTES is reached; they stay listed and replayable",
            )

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.error(
                "dead_letters.cannot_spill",
                reason=trouble,
                effect="they stay in Redis; give SLUICE_DATA_DIR room and rights",
            )
        elif self._trouble and not trouble:
            log.info("dead_letters.can_spill_again")
        self._trouble = trouble
