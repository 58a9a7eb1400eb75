"""Keeps the dead letter store in order beside the work, a step at a time.

Letters of releases before fingerprints are taken into the indexes: when the worker starts, and now
and again, for an older worker may still write some. One worker does it at a time, by a lease;
nothing depends on it being this one, or on its being done soon.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from app.core.errors import StoreUnavailable

log = structlog.get_logger()

EVERY_SECONDS: Final = 15.0


class Upkeep(Protocol):
    """app.store.dead_letters.upkeep.Upkeep, as far as the keeper is concerned."""

    async def lease(self) -> bool: ...
    async def adopt(self) -> dict[str, int]: ...


@dataclass(slots=True)
class DeadKeeper:
    upkeep: Upkeep
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

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
