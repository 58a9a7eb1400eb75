"""Batches that this worker cannot work on are left to others, or to itself later: none is lost."""

from __future__ import annotations

import math
import time
from typing import Final

import structlog

from app.core.errors import StoreUnavailable
from app.store.batches import Batches, Taken
from worker.story import Story

log = structlog.get_logger()

# How long a batch waits that is of another release, or another configuration.
NOT_OURS_MS: Final = 30_000
# The same while its events are so young that a receiver may have taken up a new connection file
# some seconds before us.
NOT_YET_MS: Final = 2_000
YOUNG_MS: Final = 60_000


class SettingAside:
    """Sets batches aside, and says so."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._unknown_said: dict[str, float] = {}

    async def set_aside(self, taken: Taken, story: Story | None) -> None:
        """`story`: None when its frame cannot be read, else its connection is none of ours."""
        delay_ms = NOT_OURS_MS
        if story is None:
            log.error("batch.set_aside", batch=str(taken.batch_id), reason="frame")
        else:
            youngest = max(story.batch.received_ms, default=0)
            if story.now_ms - youngest < YOUNG_MS:
                delay_ms = NOT_YET_MS
            self._say_unknown(taken.batch_id.connection)
        try:
            await self._batches.release(str(taken.batch_id), delay_ms=delay_ms, counts=False)
        except StoreUnavailable as fault:
            log.warning("store.unavailable", reason=fault.reason)

    def _say_unknown(self, connection: str) -> None:
        """Once in a while: a backlog of a removed connection may be long."""
        now = time.monotonic()
        if now - self._unknown_said.get(connection, -math.inf) >= NOT_OURS_MS / 1000:
            self._unknown_said[connection] = now
            log.error(
                "batch.set_aside",
                connection=connection,
                reason="no such connection: its events wait until it is configured",
            )
