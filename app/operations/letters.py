"""Dead letters in the Redis beside us: looked at, and acts on them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, NamedTuple

from app.core.dead_letter import DeadLetter, DeadLetterSummary, Edit, edited
from app.operations.actor import Actor
from app.operations.face import Exported
from app.operations.trying import Surroundings, try_replay
from app.store.dead_letters import REPLAY_BATCH, DeadLetters, Filter, exchange
from app.store.dead_letters.discarding import discard_all
from app.store.dead_letters.exchange import Intake, export, export_part
from app.store.dead_letters.groups import Groups
from app.store.dead_letters.searching import Searched, search_bodies
from app.store.scripting import Store

_HEX: Final = frozenset("0123456789abcdef")
# What one page of an export holds.
EXPORT_LETTERS: Final = 1_000
_EXPORT_BYTES: Final = 8_000_000


class ExportPage(NamedTuple):
    """`cursor` None: that was all."""

    lines: list[bytes]
    unread: int
    cursor: str | None


@dataclass(slots=True)
class HereLetters:
    """app.operations.face.Letters."""

    redis: Store
    actor: Actor
    around: Surroundings
    _letters: DeadLetters = field(init=False)

    def __post_init__(self) -> None:
        self._letters = DeadLetters(self.redis)

    async def page(
        self, wanted: Filter, cursor: str, limit: int
    ) -> tuple[list[DeadLetterSummary], str | None]:
        return await self._letters.whole_page(wanted, cursor, limit)

    async def page_within(
        self, wanted: Filter, cursor: str, limit: int, seconds: float
    ) -> tuple[list[DeadLetterSummary], str | None]:
        """The same, but after so long it is short, and yet has a cursor."""
        found, more, until = list[DeadLetterSummary](), cursor or None, time.monotonic() + seconds
        while True:
            part = await self._letters.page(wanted, more or "", limit - len(found))
            found, more = found + part.letters, part.cursor
            if more is None or len(found) >= limit or time.monotonic() > until:
                return found, more

    async def some(self, numbers: Sequence[int]) -> list[DeadLetterSummary]:
        return await self._letters.summaries(numbers)

    async def whole(self, number: int) -> DeadLetter | None:
        found = await self._letters.look([number])
        return found[0] if found else None

    async def search(self, wanted: Filter, word: str, limit: int) -> list[DeadLetterSummary]:
        found: dict[int, DeadLetterSummary] = {}
        async for each in self._readings(wanted, word):
            async for letter in self._letters.find(each):
                found.setdefault(letter.number, letter)
                if len(found) >= limit:
                    return list(found.values())
        return list(found.values())

    async def _readings(self, wanted: Filter, word: str) -> AsyncIterator[Filter]:
        """What the word may mean, the narrowest first, beside what the filter says already."""
        if wanted.event_id is None:
            yield replace(wanted, event_id=word)
        yield replace(wanted, person=word)
        if wanted.campaign is None:
            yield replace(wanted, campaign=word)
        if wanted.fingerprint is None and len(word) >= 4 and _HEX.issuperset(word.lower()):
            for mark in await Groups(self.redis).resolve_prefix(word.lower()):
                yield replace(wanted, fingerprint=mark)
        yield replace(wanted, text=word)

    def bodies(self, wanted: Filter, text: str) -> AsyncIterator[Searched]:
        return self.bodies_from(wanted, text, "")

    def bodies_from(self, wanted: Filter, text: str, cursor: str) -> AsyncIterator[Searched]:
        """The same behind a cursor."""
        return search_bodies(self._letters, wanted, text, cursor)

    async def edit(self, number: int, patch: bytes | None) -> bool:
        """Raises PatchInvalid."""
        letters = await self._letters.get([number])
        if not letters:
            return False
        if patch is not None:
            edited(letters[0].original, patch)
        edit = None if patch is None else Edit(self.actor.name, _now_ms(), patch)
        what = "dead-letters.edit" if edit else "dead-letters.edit-undone"
        await self.actor.note(self.redis, what, number=number)
        return await self._letters.edit(number, edit)

    async def replay(self, numbers: Sequence[int]) -> AsyncIterator[int]:
        numbers = list(numbers)
        if not numbers:
            return
        await self.actor.note(
            self.redis, "dead-letters.replay", letters=len(numbers), numbers=numbers[:20]
        )
        for at in range(0, len(numbers), REPLAY_BATCH):
            batches = await self._letters.replay(numbers[at : at + REPLAY_BATCH], _now_ms())
            yield sum(int(batch.split(":")[2]) for batch in batches)

    async def discard(
        self, letters: Sequence[DeadLetterSummary], reason: str
    ) -> AsyncIterator[int]:
        record = partial(self.actor.note, self.redis)
        async for gone in discard_all(self._letters, letters, reason, record):
            yield gone

    async def export(self, wanted: Filter) -> AsyncIterator[Exported]:
        last, noted = await self._letters.last_number(), False
        async for part in export(self._letters, wanted, last):
            if part.lines and not noted:
                # Before any of them leaves: how many it will be is not known yet.
                await self.actor.note(self.redis, "dead-letters.exported", up_to=last)
                noted = True
            yield Exported(part.lines, len(part.unread))

    async def export_page(self, wanted: Filter, up_to: int, cursor: str) -> ExportPage:
        """Letters up to the number `up_to`, 0 = all, as many as are worth one answer. Not written
        down."""
        lines, unread, size = list[bytes](), 0, 0
        last, more = up_to or await self._letters.last_number(), cursor or None
        while True:
            part = await export_part(self._letters, wanted, last, more or "")
            lines, unread, more = lines + part.lines, unread + len(part.unread), part.cursor
            size += sum(map(len, part.lines))
            if more is None or size > _EXPORT_BYTES or len(lines) > EXPORT_LETTERS - exchange.PART:
                return ExportPage(lines, unread, more)

    async def last_number(self) -> int:
        """The newest letter's."""
        return await self._letters.last_number()

    async def take_in(
        self, batches: Iterable[Sequence[DeadLetter]], *, dry: bool = False
    ) -> AsyncIterator[int]:
        intake, done = Intake(self.redis), 0
        try:
            for batch in batches:
                taken = len(await (intake.new(batch) if dry else intake.take(batch)))
                done += taken
                yield taken
        finally:
            if done and not dry:
                await self.actor.note(self.redis, "dead-letters.imported", letters=done)

    async def try_out(self, wanted: Filter, sample: int) -> tuple[dict[str, Any], dict[str, Any]]:
        trials = await asyncio.to_thread(self.around.trials)
        census, trial = await try_replay(self._letters, trials, wanted, sample)
        return census.document(), trial.document()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
