"""Pages of dead letters: each a bounded amount of work for Redis, however many there are."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any, Final

from app.core.dead_letter import DeadLetterSummary, decode_summary
from app.core.dead_letter.about import event_token, person_token
from app.core.dead_letter.codec import fingerprint_in
from app.core.errors import UnreadableFrame
from app.store import keys
from app.store.dead_letters.causes import Causes
from app.store.dead_letters.filter import Filter
from app.store.dead_letters.writing import DeadWriter
from app.store.scripting import Script, Store

# Sets and letters that one page may look at: some 10 ms of Redis' time.
WORK: Final = 3_000

# Causes that are asked for one by one; more than these are sorted out here.
_CAUSES_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Some letters. `cursor`: where to go on, None at the end; a page may be short, or empty, and
    yet have one. `looked`: how many letters Redis looked at."""

    letters: list[DeadLetterSummary]
    cursor: str | None
    looked: int


@dataclass(slots=True)
class Pages:
    redis: Store
    causes: Causes
    writer: DeadWriter
    _page: Script = field(init=False)

    def __post_init__(self) -> None:
        self._page = Script(self.redis, "dead_page")

    async def read(
        self,
        wanted: Filter,
        cursor: str = "",
        limit: int = 50,
        *,
        up_to: int | None = None,
        ascending: bool = False,
    ) -> Page:
        """The letters behind `cursor`. Raises StoreUnavailable, and ValueError on a wrong cursor.

        `up_to`: the last number of all.
        """
        if cursor and not (cursor.isascii() and cursor.isdigit()):
            raise ValueError(f"{cursor[:20]!r} is no cursor of ours")
        causes = await self._causes(wanted)
        if causes is not None and not causes:
            return Page([], None, 0)
        terms, tokens = wanted.terms(), await self._tokens(wanted)
        some = causes if causes is not None and len(causes) <= _CAUSES_MAX else []
        answer = await self._page(
            [keys.DEAD],
            ["+" if ascending else "-", cursor, limit, WORK,
             _or_any(wanted.died_after_ms), _or_any(wanted.died_before_ms), _or_any(up_to),
             len(terms), len(tokens), len(some), *terms, *tokens, *some],
        )  # fmt: skip
        return await self._decoded(wanted, causes, answer)

    async def decode(self, pairs: list[tuple[int, bytes]]) -> list[DeadLetterSummary]:
        """Summaries with their causes; damaged ones are left to fsck. Raises StoreUnavailable."""
        marks = [_mark(packed) for _, packed in pairs]
        causes = await self.causes.of(mark for mark in marks if mark)
        found = []
        for (number, packed), mark in zip(pairs, marks, strict=True):
            with contextlib.suppress(UnreadableFrame):
                found.append(decode_summary(number, packed, causes.get(mark)))
        return found

    async def _decoded(self, wanted: Filter, causes: list[str] | None, answer: Any) -> Page:
        cursor, looked, numbers, packed = answer
        letters = await self.decode(list(zip(map(int, numbers), packed, strict=True)))
        among = None if causes is None else set(causes)
        chosen = [
            letter
            for letter in letters
            if wanted.wants(letter) and (among is None or letter.fingerprint in among)
        ]
        return Page(chosen, str(cursor, "ascii") or None, int(looked))

    async def _causes(self, wanted: Filter) -> list[str] | None:
        """The fingerprints that are meant, None when any is."""
        if wanted.code is None and wanted.text is None:
            return None
        causes = await self.causes.all()
        return sorted(mark for mark, cause in causes.items() if wanted.wants_cause(cause))

    async def _tokens(self, wanted: Filter) -> list[bytes]:
        tokens = []
        if wanted.event_id:
            tokens.append(event_token(await self.writer.key(), wanted.event_id))
        if wanted.person is not None:
            tokens.append(person_token(await self.writer.key(), wanted.person))
        return tokens


def _mark(packed: bytes) -> str:
    try:
        return fingerprint_in(packed)
    except UnreadableFrame:
        return ""


def _or_any(value: int | None) -> int | str:
    return "" if value is None else value
