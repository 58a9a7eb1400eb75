"""Dead letters for tests and measurements: many, alike in causes, different in everything else."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from app.core.batch import AttemptRun
from app.core.dead_letter import DeadLetter, DeadLetterSummary, Encoded, encode_letter
from app.core.event import peek_event
from app.store import keys
from app.store.connect import Store
from app.store.dead_letters import DeadLetters
from app.store.dead_letters.writing import person_key

START_MS: Final = 1_700_000_000_000
HOUR: Final = START_MS // 3_600_000
LABELS: Final = ("customerio-default@3+a1b2c3d4", "customerio-default@4+b1b2c3d4")

_LOADED: Final = 500

# stage, class, code, path, detail, row: %d differs from letter to letter, and makes no new cause.
CAUSES: Final = tuple(
    cause
    for at in range(8)
    for cause in (
        ("check", "schema", "type", f"/_acme/field{at}", "expected string, found number",
         f"#{at} ATTRIBUTE data.a{at} -> _acme.field{at}"),
        ("check", "schema", "required", f"/_acme/items/%d/x{at}", "required key is absent", ""),
        ("transform", "mapping", "bad_date", f"_acme.date{at}", "'day %d' is no date",
         f"#{at} EXPRESSION date(data.b{at}) -> _acme.date{at}"),
        ("send", "contract", f"DCVS-110{at}-400", "", "the value [ab%d] is not known", ""),
        ("send", "refused", "refused", f"/header/{'abcdefgh'[at]}", "not permitted, sent %d", ""),
    )
)  # fmt: skip


def letter_of(
    body: bytes, at: int = 0, *, connection: str = "example", causes: int = len(CAUSES)
) -> DeadLetter:
    """The `at`th letter of a row, one a second: its cause and version follow from `at`."""
    stage, failure, code, path, detail, row = (
        text.replace("%d", str(at)) for text in CAUSES[at * 7 % causes]
    )
    event_id, kind = peek_event(body)
    ms = START_MS + at * 1_000
    summary = DeadLetterSummary(
        0, connection, ms // 3_600_000, stage, failure, code, path, detail, row, kind, event_id,
        ms - 500, ms, LABELS[at % 2] if failure != "unreadable" else "",
    )  # fmt: skip
    run = AttemptRun(ms, ms, 1, failure, 400, code, detail, "receipt")
    history = (run,) if stage == "send" else ()
    return DeadLetter(summary, body, None, history)


def letters_of(bodies: Sequence[bytes], *, connection: str = "example") -> Iterator[DeadLetter]:
    """One after the other."""
    for at, body in enumerate(bodies):
        yield letter_of(body, at, connection=connection)


async def bury(store: Store, letters: Sequence[DeadLetter]) -> list[int]:
    """Puts letters into the store with the ledger rows that count them; their numbers."""
    numbers = await DeadLetters(store).put(letters)
    for letter in letters:
        name, hour = letter.summary.connection, letter.summary.hour
        row = f"{keys.ledger_prefix(name)}{hour}"
        await store.hincrby(row, "dead", 1)  # type: ignore[misc]  # redis-py's stub
        await store.hincrby(row, "received", 1)  # type: ignore[misc]
        await store.sadd(keys.CONNECTIONS, name)  # type: ignore[misc]
        await store.sadd(keys.ledger_hours(name), hour)  # type: ignore[misc]
    return numbers


def numbered(letters: Sequence[DeadLetter], numbers: Sequence[int]) -> list[DeadLetter]:
    """The letters as they are read back."""
    return [
        replace(letter, summary=replace(letter.summary, number=number))
        for letter, number in zip(letters, numbers, strict=True)
    ]


async def load(
    store: Store,
    count: int,
    bodies: Sequence[bytes],
    *,
    connection: str = "example",
    distinct: int = 0,
) -> None:
    """Puts `count` letters of all causes into the store, with their ledger rows; of a million, in
    some two minutes. Bodies come again, under other event ids (ULIDs of later days).

    `distinct`: only so many different ones, put again and again, for who wants many soon: Redis'
    part alone is left of the time, some 25 microseconds each.
    """
    letters, key = DeadLetters(store), await person_key(store)
    known: dict[int, tuple[int, Encoded]] = {}

    def made(at: int) -> tuple[int, Encoded]:
        at = at % distinct if distinct else at
        if at in known:
            return known[at]
        body = _another(bodies[at % len(bodies)], at // len(bodies))
        letter = letter_of(body, at, connection=connection)
        encoded = letter.summary.hour, encode_letter(letter, key)
        return known.setdefault(at, encoded) if distinct else encoded

    def part(start: int) -> list[tuple[int, Encoded]]:
        return [made(at) for at in range(start, min(start + _LOADED, count))]

    on_its_way: asyncio.Task[None] | None = None
    for start in range(0, count, _LOADED):
        # The next are made while Redis takes these.
        some = await asyncio.to_thread(part, start)
        if on_its_way is not None:
            await on_its_way
        on_its_way = asyncio.create_task(_put(store, letters, connection, some))
    if on_its_way is not None:
        await on_its_way


async def _put(
    store: Store, letters: DeadLetters, connection: str, some: Sequence[tuple[int, Encoded]]
) -> None:
    await letters.put_encoded([encoded for _, encoded in some])
    hours = Counter(hour for hour, _ in some)
    async with store.pipeline(transaction=False) as trip:
        trip.sadd(keys.CONNECTIONS, connection)
        for hour, times in hours.items():
            row = f"{keys.ledger_prefix(connection)}{hour}"
            trip.hincrby(row, "received", times)
            trip.hincrby(row, "dead", times)
            trip.sadd(keys.ledger_hours(connection), hour)
        await trip.execute()


def _another(body: bytes, time: int) -> bytes:
    """The body under another event id."""
    return body if not time else body.replace(b'"event_id":"01', b'"event_id":"%02d' % (time + 1))
