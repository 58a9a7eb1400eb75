"""A selection of dead letters that people look at before they act on it: frozen by number."""

from __future__ import annotations

from typing import NamedTuple

from app.core.dead_letter import DeadLetterSummary
from app.core.selection import Census
from app.store.dead_letters.filter import Filter
from app.store.dead_letters.letters import DeadLetters


class Chosen(NamedTuple):
    """What is meant, and had died up to the letter `up_to`; what dies later was not looked at.
    `more`: there are more than were asked for."""

    letters: list[DeadLetterSummary]
    census: Census
    up_to: int
    more: bool = False


async def choose(letters: DeadLetters, wanted: Filter, up_to: int, most: int) -> Chosen:
    """The newest `most` of what `wanted` finds. `up_to` 0: up to now. Raises StoreUnavailable."""
    up_to = up_to or await letters.last_number()
    found: list[DeadLetterSummary] = []
    async for letter in letters.find(wanted):
        if letter.number > up_to:
            continue
        if len(found) == most:
            return _chosen(found, up_to, more=True)
        found.append(letter)
    return _chosen(found, up_to)


async def choose_numbers(letters: DeadLetters, numbers: list[int]) -> Chosen:
    """Those of these letters that are there. Raises StoreUnavailable."""
    found = await letters.summaries(numbers)
    return _chosen(found, max(numbers, default=0))


def _chosen(letters: list[DeadLetterSummary], up_to: int, *, more: bool = False) -> Chosen:
    census = Census()
    for letter in letters:
        census.add(letter)
    return Chosen(letters, census, up_to, more)
