"""A sample of dead letters, drawn by lot, with a census of what it was drawn from."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence

from app.core.dead_letter import DeadLetter
from app.core.selection import Census
from app.store.dead_letters.filter import Filter
from app.store.dead_letters.letters import REPLAY_BATCH, DeadLetters


async def draw(letters: DeadLetters, wanted: Filter, sample: int) -> tuple[Census, list[int]]:
    """What `wanted` finds, and the numbers of `sample` of it. Raises StoreUnavailable."""
    census, drawn = Census(), list[int]()
    async for letter in letters.find(wanted):
        # Reservoir sampling: each letter is as likely to be drawn as any other.
        if len(drawn) < sample:
            drawn.append(letter.number)
        elif (at := random.randrange(census.letters + 1)) < sample:
            drawn[at] = letter.number
        census.add(letter)
    return census, drawn


async def each_of(letters: DeadLetters, numbers: Sequence[int]) -> AsyncIterator[DeadLetter]:
    """The letters that can be read, a batch in memory at a time. Raises StoreUnavailable."""
    for start in range(0, len(numbers), REPLAY_BATCH):
        for letter in await letters.get(numbers[start : start + REPLAY_BATCH]):
            yield letter
