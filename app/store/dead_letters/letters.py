"""Dead letters: count, find, get, replay, discard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, cast

from app.core.dead_letter import (
    DeadLetter,
    DeadLetterSummary,
    Edit,
    Encoded,
    decode_edit,
    decode_letter,
    edited,
    encode_edit,
    encode_letter,
    is_spilled,
    spilled_to,
)
from app.core.errors import UnreadableFrame
from app.core.replay import by_row, replay_frame
from app.store import keys
from app.store.dead_letters.causes import Causes
from app.store.dead_letters.files import SpillFiles, name_of
from app.store.dead_letters.filter import Filter
from app.store.dead_letters.pages import Page, Pages
from app.store.dead_letters.writing import DeadWriter
from app.store.faults import store_faults
from app.store.scripting import Script, Store

_PAGE: Final = 500
REPLAY_BATCH: Final = 200


@dataclass(slots=True)
class DeadLetters:
    redis: Store
    causes: Causes = field(init=False)
    _writer: DeadWriter = field(init=False)
    _pages: Pages = field(init=False)
    _files: SpillFiles = field(init=False)
    _add: Script = field(init=False)
    _replay: Script = field(init=False)
    _discard: Script = field(init=False)
    _edit: Script = field(init=False)

    def __post_init__(self) -> None:
        self.causes = Causes(self.redis)
        self._writer = DeadWriter(self.redis)
        self._pages = Pages(self.redis, self.causes, self._writer)
        self._files = SpillFiles(self.redis.data_dir)
        self._add = Script(self.redis, "dead_put")
        self._replay = Script(self.redis, "replay")
        self._discard = Script(self.redis, "discard")
        self._edit = Script(self.redis, "dead_edit")

    async def count(self, connection: str) -> int:
        with store_faults():
            found = await cast(
                Awaitable[bytes | None], self.redis.hget(keys.DEAD_COUNTS, connection)
            )
            return int(found or 0) + int(await self.redis.zcard(keys.old_dead_index(connection)))

    async def find(self, wanted: Filter) -> AsyncIterator[DeadLetterSummary]:
        """All matching letters, newest first, page by page. Raises StoreUnavailable.

        Those that die meanwhile are not seen; no other is missed or seen twice.
        """
        cursor: str | None = ""
        while cursor is not None:
            page = await self._pages.read(wanted, cursor, _PAGE)
            for letter in page.letters:
                yield letter
            cursor = page.cursor

    async def page(self, wanted: Filter, cursor: str = "", limit: int = 50) -> Page:
        """Matching letters behind `cursor`, newest first. Raises StoreUnavailable, ValueError."""
        return await self._pages.read(wanted, cursor, limit)

    async def whole_page(
        self, wanted: Filter, cursor: str = "", limit: int = 50
    ) -> tuple[list[DeadLetterSummary], str | None]:
        """`limit` letters, of as many pages as that takes, and where to go on. Raises as `page`."""
        found, more = list[DeadLetterSummary](), cursor or None
        while True:
            part = await self.page(wanted, more or "", limit - len(found))
            found, more = found + part.letters, part.cursor
            if more is None or len(found) >= limit:
                return found, more

    async def last_number(self) -> int:
        """The newest number given out: a cut-off for `numbers`. Raises StoreUnavailable."""
        with store_faults():
            return int(await self.redis.get(keys.DEAD_NUMBER) or 0)

    async def numbers(
        self, wanted: Filter, up_to: int, cursor: str = "", limit: int = 1_000
    ) -> tuple[list[int], str | None]:
        """A page of a frozen selection: matching numbers up to `up_to`, ascending, and the cursor.

        A page may be short and yet have a cursor. Raises StoreUnavailable.
        """
        page = await self._pages.read(wanted, cursor, limit, up_to=up_to, ascending=True)
        return [letter.number for letter in page.letters], page.cursor

    async def connections(self) -> list[str]:
        """Connections that ever received something."""
        with store_faults():
            names = await cast(Awaitable[set[bytes]], self.redis.smembers(keys.CONNECTIONS))
        return sorted(str(name, "utf-8") for name in names)

    async def summaries(self, numbers: Sequence[int]) -> list[DeadLetterSummary]:
        """The summaries of the letters that exist, in the order asked for."""
        if not numbers:
            return []
        with store_faults():
            async with self.redis.pipeline(transaction=False) as trip:
                for number in numbers:
                    trip.hget(keys.dead_bucket(number), str(number))
                packed = await trip.execute()
        pairs = zip(numbers, packed, strict=True)
        return await self._pages.decode([(n, each) for n, each in pairs if each is not None])

    async def get(self, numbers: Sequence[int]) -> list[DeadLetter]:
        """The letters that exist and can be read whole, in the order asked for."""
        return [letter for letter in await self.look(numbers) if not letter.missing]

    async def look(self, numbers: Sequence[int]) -> list[DeadLetter]:
        """The letters that exist, in the order asked for; some may say what is missing of them."""
        found = await self.summaries(numbers)
        if not found:
            return []
        with store_faults():
            fields = [str(letter.number) for letter in found]
            payloads = await cast(
                Awaitable[list[bytes | None]], self.redis.hmget(keys.DEAD_PAYLOADS, fields)
            )
            edits = await cast(
                Awaitable[list[bytes | None]], self.redis.hmget(keys.DEAD_EDITS, fields)
            )
        pairs = list(zip(found, payloads, strict=True))
        if any(payload is not None and is_spilled(payload) for payload in payloads):
            whole = await asyncio.to_thread(lambda: [self._whole(*pair) for pair in pairs])
        else:
            whole = [self._whole(*pair) for pair in pairs]
        return [
            letter if edit is None else replace(letter, edit=decode_edit(edit))
            for letter, edit in zip(whole, edits, strict=True)
        ]

    async def edit(self, number: int, edit: Edit | None) -> bool:
        """Puts an edit beside a letter, in place of the one that was there; None takes it away.

        False when there is no such letter, or it cannot be read. Raises PatchInvalid, and
        StoreUnavailable.
        """
        letters = await self.get([number])
        if not letters:
            return False
        if edit is not None:
            edited(letters[0].original, edit.patch)
        args = [number, b"" if edit is None else encode_edit(edit)]
        return bool(await self._edit([keys.DEAD], args))

    def _whole(self, summary: DeadLetterSummary, payload: bytes | None) -> DeadLetter:
        if payload is None:
            return DeadLetter(summary, b"", None, (), "its payload is gone from Redis")
        try:
            place = spilled_to(payload)
            if place is None:
                return decode_letter(summary, payload)
            return replace(self._files.read(place, summary.number), summary=summary)
        except OSError as fault:
            name = name_of(place.file) if place else ""
            return DeadLetter(summary, b"", None, (), f"{name}: {fault.strerror or fault}")
        except UnreadableFrame as fault:
            return DeadLetter(summary, b"", None, (), str(fault))

    async def all_numbers(self, cursor: str, limit: int) -> tuple[list[int], str | None]:
        """Numbers of all letters behind `cursor`, ascending. Raises StoreUnavailable."""
        page = await self._pages.read(Filter(), cursor, limit, ascending=True)
        return [letter.number for letter in page.letters], page.cursor

    async def put(self, letters: Sequence[DeadLetter]) -> list[int]:
        """Adds letters that the ledger counts as dead already; their numbers.

        Raises StoreUnavailable.
        """
        key = await self._writer.key()
        return await self.put_encoded([encode_letter(letter, key) for letter in letters])

    async def put_encoded(self, letters: Sequence[Encoded]) -> list[int]:
        """The same for letters that are encoded already."""
        args = [len(letters), *(part for letter in letters for part in letter)]
        return [int(number) for number in await self._add([keys.DEAD, keys.DEAD_NUMBER], args)]

    async def replay(self, numbers: Sequence[int], now_ms: int) -> list[str]:
        """Puts letters back on the queue as ordinary events; the ids of their batches.

        Put first, remove second, in one step. A letter that somebody else replayed or discarded
        meanwhile is left out.
        """
        batch_ids: list[str] = []
        numbers = list(dict.fromkeys(numbers))
        for start in range(0, len(numbers), REPLAY_BATCH):
            letters = await self.get(numbers[start : start + REPLAY_BATCH])
            for (connection, hour), group in by_row(letters, lambda letter: letter.summary):
                batch_id = await self._replay_row(connection, hour, group, now_ms)
                if batch_id:
                    batch_ids.append(batch_id)
        return batch_ids

    async def discard(self, letters: Iterable[DeadLetterSummary]) -> int:
        """Takes letters away for good; how many were still there."""
        found = 0
        for (connection, hour), group in by_row(letters, lambda letter: letter):
            row = f"{keys.ledger_prefix(connection)}{hour}"
            for start in range(0, len(group), _PAGE):
                numbers = [letter.number for letter in group[start : start + _PAGE]]
                found += int(await self._discard([keys.DEAD, row], numbers))
        return found

    async def _replay_row(
        self, connection: str, hour: int, letters: list[DeadLetter], now_ms: int
    ) -> str | None:
        while letters:
            numbers = [letter.summary.number for letter in letters]
            answer = await self._replay(
                [
                    keys.OPEN_SET,
                    keys.BATCH_NUMBER,
                    keys.DEAD,
                    f"{keys.ledger_prefix(connection)}{hour}",
                    keys.BACKLOG,
                ],
                [connection, hour, replay_frame(letters, now_ms), keys.BATCH_PREFIX, *numbers],
            )
            if isinstance(answer, list):
                return str(answer[0], "ascii")
            letters = [letter for letter in letters if letter.summary.number != int(answer)]
        return None
