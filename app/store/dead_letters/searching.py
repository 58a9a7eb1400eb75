"""Searching where no index helps: in bodies, a page at a time, for as long as somebody asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from app.core.dead_letter import DeadLetterSummary
from app.store.dead_letters.filter import Filter
from app.store.dead_letters.letters import DeadLetters

_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Searched:
    """One page's worth. `unread`: letters whose body could not be read; `cursor`: the next."""

    found: list[DeadLetterSummary]
    looked: int
    unread: int
    cursor: str | None


async def search_bodies(
    letters: DeadLetters, wanted: Filter, text: str, cursor: str = ""
) -> AsyncIterator[Searched]:
    """Looks through the bodies of matching letters, newest first, whatever the case of letters.

    Each step is some 200 letters; who has enough stops asking. Raises StoreUnavailable.
    """
    needle = text.lower()
    more: str | None = cursor
    while more is not None:
        page = await letters.page(wanted, more, _PAGE)
        more = page.cursor
        whole = await letters.look([letter.number for letter in page.letters])
        found = [
            letter.summary
            for letter in whole
            if needle in letter.body.decode("utf-8", "replace").lower()
        ]
        unread = sum(bool(letter.missing) for letter in whole)
        yield Searched(found, len(whole), unread, more)
