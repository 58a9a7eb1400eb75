"""Dead letters in Redis: list, show, replay, discard. One API under all faces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, cast

from app.core.batch import TAKE_OVER, AttemptRun, EventBatch, add_attempt, encode
from app.core.dead_letter import DeadLetter, DeadLetterSummary, decode_letter, decode_summary
from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Script, Store

_PAGE: Final = 500
REPLAY_BATCH: Final = 200

# A replay leaves this mark in an event's history; its age counts anew from there.
REPLAYED: Final = "replayed"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead letters. None = any; times in Unix ms.

    `mapping`: a label (`customerio-default@3+a1b2c3d4`) or the beginning of one that says a set or
    a version of it (`customerio-default`, `customerio-default@3`); "" = made without a mapping set.
    """

    connection: str | None = None
    failure: str | None = None
    kind: str | None = None
    event_id: str | None = None
    code: str | None = None
    mapping: str | None = None
    died_after_ms: int | None = None
    died_before_ms: int | None = None

    def wants(self, letter: DeadLetterSummary) -> bool:
        return self._wants_mapping(letter.mapping) and all(
            wanted is None or wanted == found
            for wanted, found in (
                (self.failure, letter.failure),
                (self.kind, letter.kind),
                (self.event_id, letter.event_id),
                (self.code, letter.code),
            )
        )

    def _wants_mapping(self, label: str) -> bool:
        wanted = self.mapping
        return wanted in (None, label) or bool(
            wanted and label.startswith((f"{wanted}@", f"{wanted}+"))
        )


@dataclass(slots=True)
class DeadLetters:
    redis: Store
    _replay: Script = field(init=False)
    _discard: Script = field(init=False)

    def __post_init__(self) -> None:
        self._replay = Script(self.redis, "replay")
        self._discard = Script(self.redis, "discard")

    async def count(self, connection: str) -> int:
        with store_faults():
            return int(await self.redis.zcard(keys.dead_index(connection)))

    async def find(self, wanted: Filter) -> AsyncIterator[DeadLetterSummary]:
        """Matching letters, newest first, page by page. Raises StoreUnavailable."""
        connections = [wanted.connection] if wanted.connection else await self.connections()
        for connection in connections:
            async for page in self._pages(connection, wanted):
                for letter in page:
                    if wanted.wants(letter):
                        yield letter

    async def connections(self) -> list[str]:
        """Connections that ever received something."""
        with store_faults():
            names = await cast(Awaitable[set[bytes]], self.redis.smembers(keys.CONNECTIONS))
        return sorted(str(name, "utf-8") for name in names)

    async def get(self, numbers: Sequence[int]) -> list[DeadLetter]:
        """The letters that exist, in the order asked for."""
        if not numbers:
            return []
        with store_faults():
            payloads = await self._many(keys.DEAD_PAYLOADS, numbers)
            summaries = await self._many(keys.DEAD_SUMMARIES, numbers)
        return [
            decode_letter(number, payload, summary)
            for number, payload, summary in zip(numbers, payloads, summaries, strict=True)
            if payload is not None and summary is not None
        ]

    async def replay(self, numbers: Sequence[int], now_ms: int) -> list[str]:
        """Puts letters back on the queue as ordinary events; the ids of their batches.

        Put first, remove second, in one step. A letter that somebody else replayed or discarded
        meanwhile is left out.
        """
        batch_ids: list[str] = []
        for start in range(0, len(numbers), REPLAY_BATCH):
            letters = await self.get(numbers[start : start + REPLAY_BATCH])
            for (connection, hour), group in _by_row(letters):
                batch_id = await self._replay_row(connection, hour, group, now_ms)
                if batch_id:
                    batch_ids.append(batch_id)
        return batch_ids

    async def discard(self, letters: Iterable[DeadLetterSummary]) -> int:
        """Takes letters away for good; how many were still there."""
        found = 0
        ordered = sorted(letters, key=lambda letter: (letter.connection, letter.hour))
        for (connection, hour), group in groupby(ordered, lambda x: (x.connection, x.hour)):
            row = f"{keys.ledger_prefix(connection)}{hour}"
            names = [keys.DEAD_PAYLOADS, keys.DEAD_SUMMARIES, keys.dead_index(connection), row]
            found += int(await self._discard(names, [letter.number for letter in group]))
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
                    keys.DEAD_PAYLOADS,
                    keys.DEAD_SUMMARIES,
                    keys.dead_index(connection),
                    f"{keys.ledger_prefix(connection)}{hour}",
                    keys.BACKLOG,
                ],
                [connection, hour, _replay_frame(letters, now_ms), keys.BATCH_PREFIX, *numbers],
            )
            if isinstance(answer, list):
                return str(answer[0], "ascii")
            letters = [letter for letter in letters if letter.summary.number != int(answer)]
        return None

    async def _pages(
        self, connection: str, wanted: Filter
    ) -> AsyncIterator[list[DeadLetterSummary]]:
        # By score, then by rank within it: letters that die while we page come first and are
        # not seen; letters that go shift the rest by a few, which are then missed or seen by
        # the next call. A replay works on numbers, so neither can hurt.
        low = "-inf" if wanted.died_after_ms is None else wanted.died_after_ms
        high = "+inf" if wanted.died_before_ms is None else wanted.died_before_ms
        offset = 0
        while True:
            with store_faults():
                found = await self.redis.zrevrangebyscore(
                    keys.dead_index(connection), high, low, start=offset, num=_PAGE
                )
                numbers = [int(number) for number in found]
                packed = await self._many(keys.DEAD_SUMMARIES, numbers) if numbers else []
            yield [
                decode_summary(number, summary)
                for number, summary in zip(numbers, packed, strict=True)
                if summary is not None
            ]
            if len(numbers) < _PAGE:
                return
            offset += _PAGE

    async def _many(self, key: str, numbers: Sequence[int]) -> list[bytes | None]:
        fields = [str(number) for number in numbers]
        return await cast(Awaitable[list[bytes | None]], self.redis.hmget(key, fields))


def _by_row(letters: list[DeadLetter]) -> list[tuple[tuple[str, int], list[DeadLetter]]]:
    def row(letter: DeadLetter) -> tuple[str, int]:
        return letter.summary.connection, letter.summary.hour

    return [(key, list(group)) for key, group in groupby(sorted(letters, key=row), row)]


def _replay_frame(letters: list[DeadLetter], now_ms: int) -> bytes:
    mark = AttemptRun(now_ms, now_ms, 1, REPLAYED, 0, "", "", "")
    return encode(
        EventBatch(
            [letter.body or letter.record or b"" for letter in letters],
            [letter.summary.received_ms for letter in letters],
            claim=TAKE_OVER,
            histories=[
                add_attempt((*letter.history, _death_of(letter.summary)), mark)
                for letter in letters
            ],
            ready=frozenset(at for at, letter in enumerate(letters) if _is_record(letter)),
        )
    )


def _is_record(letter: DeadLetter) -> bool:
    """Whether its XDM record is all that is left of the event."""
    return not letter.body and letter.record is not None


def _death_of(letter: DeadLetterSummary) -> AttemptRun:
    ms = letter.dead_ms
    return AttemptRun(ms, ms, 1, letter.failure, 0, letter.code, letter.detail, "")
