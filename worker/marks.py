"""Writes down what Platform has taken while the rest of a batch is still on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from app.core.outcome import Outcome, Verdict
from app.store.batches import Batches


class Marks:
    """Those of one batch. `positions`: of the messages that are sent, in their order."""

    def __init__(self, batches: Batches, batch_id: str, positions: Sequence[int]) -> None:
        self._batches = batches
        self._batch_id = batch_id
        self._positions = positions
        self._writing: list[asyncio.Task[None]] = []

    def told(self, start: int, outcomes: Sequence[Outcome]) -> None:
        delivered = [
            position
            for position, outcome in zip(self._positions[start:], outcomes, strict=False)
            if outcome.verdict is Verdict.DELIVERED
        ]
        if delivered:
            mark = self._batches.mark_delivered(self._batch_id, delivered)
            self._writing.append(asyncio.create_task(mark))

    async def written(self) -> None:
        """Waits for the marks; one that could not be written costs at most a second sending."""
        await asyncio.gather(*self._writing, return_exceptions=True)
