"""Discarding many dead letters: written down first, then done, a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any, Final, Protocol

from app.core.dead_letter import DeadLetterSummary
from app.store.dead_letters.letters import DeadLetters

PAGE: Final = 1_000
# Of more letters the trail has the number alone.
NAMED: Final = 20


class Record(Protocol):
    """Writes an act into the audit trail, as whoever does it."""

    def __call__(self, what: str, /, **about: Any) -> Awaitable[None]: ...


async def discard_all(
    letters: DeadLetters, chosen: Sequence[DeadLetterSummary], reason: str, record: Record
) -> AsyncIterator[int]:
    """Takes letters away for good; page by page, how many were still there.

    The trail comes first: an act that nobody remembers is worse than one that was not finished.
    Raises StoreUnavailable.
    """
    if not chosen:
        return
    numbers = [letter.number for letter in chosen[:NAMED]]
    await record("dead-letters.discard", letters=len(chosen), numbers=numbers, reason=reason)
    for at in range(0, len(chosen), PAGE):
        yield await letters.discard(chosen[at : at + PAGE])
