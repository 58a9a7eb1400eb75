"""Dead letters to and from elsewhere, as NDJSON, a letter a line.

What comes in is put among ours, and into the ledger as received and dead. An edit travels with its
letter.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from app.core.dead_letter import DeadLetter, decode_line, edited, encode_edit, encode_line
from app.core.errors import PatchInvalid, UnreadableFrame
from app.store import keys
from app.store.dead_letters.filter import Filter
from app.store.dead_letters.letters import DeadLetters
from app.store.dead_letters.writing import DeadWriter
from app.store.scripting import Script, Store

# As connections are called (app/settings/connections.py).
_NAME: Final = re.compile(r"[a-z0-9-]{1,40}")
# Letters at a time: taken in, and read for an export.
BATCH: Final = 200
PART: Final = 50


class Part(NamedTuple):
    """Some letters as lines; `unread`: numbers of those that cannot be read here; `cursor`: where
    to go on, None at the end."""

    lines: list[bytes]
    unread: list[int]
    cursor: str | None


class Refused(NamedTuple):
    """A line that cannot be taken in, from 1 on, and why: no value of it."""

    line: int
    why: str


@dataclass(slots=True)
class Taken:
    """How many letters were taken in, or would be, and how many not."""

    letters: int = 0
    there: int = 0
    refused: int = 0


async def export(letters: DeadLetters, wanted: Filter, up_to: int) -> AsyncIterator[Part]:
    """Matching letters up to a number, oldest first, a part in memory at a time. They stay where
    they are. Raises StoreUnavailable."""
    more: str | None = ""
    while more is not None:
        part = await export_part(letters, wanted, up_to, more)
        more = part.cursor
        yield part


async def export_part(letters: DeadLetters, wanted: Filter, up_to: int, cursor: str) -> Part:
    """Those behind `cursor`. Raises StoreUnavailable, and ValueError on a wrong cursor."""
    numbers, more = await letters.numbers(wanted, up_to, cursor, PART)
    found = await letters.look(numbers)
    lines = [encode_line(letter) for letter in found if not letter.missing]
    return Part(lines, [letter.summary.number for letter in found if letter.missing], more)


async def take_in(
    intake: Intake,
    lines: Iterable[bytes],
    *,
    dry: bool = False,
    refused: Callable[[Refused], None] = lambda _: None,
    told: Callable[[Taken], None] = lambda _: None,
) -> Taken:
    """Adds the letters in these lines that are not there yet; `dry`: only counts them.

    `refused` hears of each line that cannot be taken, `told` how far it is. Raises
    StoreUnavailable: what was taken until then stays, and is there when it is tried again.
    """
    taken = Taken()
    for batch in batches_in(lines):
        wrong = [each for each in batch if isinstance(each, Refused)]
        good = [each for each in batch if isinstance(each, DeadLetter)]
        for each in wrong:
            refused(each)
        new = len(await intake.new(good)) if dry else len(await intake.take(good))
        taken.letters += new
        taken.there += len(good) - new
        taken.refused += len(wrong)
        told(taken)
    return taken


def why_not(letter: DeadLetter) -> str:
    """Why a letter cannot be taken in; "" when it can."""
    if not _NAME.fullmatch(letter.summary.connection):
        return "connection is no name of a connection: a-z, 0-9 and -"
    if not (letter.summary.failure and letter.summary.received_ms and letter.summary.hour):
        return "failure, received_ms and hour are needed"
    if letter.summary.dead_ms < letter.summary.received_ms:
        return "dead_ms is before received_ms"
    if letter.edit is not None:
        try:
            edited(letter.original, letter.edit.patch)
        except PatchInvalid:
            # Its text may name a value.
            return "edit.patch cannot be applied to the body"
    return ""


@dataclass(slots=True)
class Intake:
    redis: Store
    _import: Script = field(init=False)
    _writer: DeadWriter = field(init=False)

    def __post_init__(self) -> None:
        self._import = Script(self.redis, "dead_import")
        self._writer = DeadWriter(self.redis)

    async def new(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Those that are not there yet. Raises StoreUnavailable.

        The same letter, by event id, connection and time of death, is not taken twice; a body
        without an event id cannot be told from another.
        """
        known = DeadLetters(self.redis)
        there = await asyncio.gather(*(_is_there(known, letter) for letter in letters))
        found: dict[object, DeadLetter] = {}
        for at, letter in enumerate(letters):
            x = letter.summary
            mark: object = (x.connection, x.event_id, x.dead_ms) if x.event_id else at
            if not there[at]:
                found.setdefault(mark, letter)
        return list(found.values())

    async def take(self, letters: Sequence[DeadLetter]) -> list[int]:
        """Adds those that are not there yet; their numbers. Raises StoreUnavailable."""
        by_row: dict[tuple[str, int], list[DeadLetter]] = {}
        for letter in await self.new(letters):
            by_row.setdefault((letter.summary.connection, letter.summary.hour), []).append(letter)
        numbers: list[int] = []
        for (connection, hour), row in by_row.items():
            args: list[Any] = [connection, hour, len(row), *await self._writer.args(row)]
            args += [encode_edit(letter.edit) if letter.edit else b"" for letter in row]
            numbers += map(int, await self._import(_keys(connection, hour), args))
        return numbers


def batches_in(lines: Iterable[bytes]) -> Iterator[list[DeadLetter | Refused]]:
    """The letters in these lines, and what is none; empty lines are nothing."""
    batch: list[DeadLetter | Refused] = []
    for at, line in enumerate(lines, 1):
        if line.strip():
            batch.append(_letter(at, line))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _letter(at: int, line: bytes) -> DeadLetter | Refused:
    try:
        letter = decode_line(line)
    except UnreadableFrame as fault:
        return Refused(at, str(fault))
    why = why_not(letter)
    return Refused(at, why) if why else letter


def _keys(connection: str, hour: int) -> list[str]:
    row = f"{keys.ledger_prefix(connection)}{hour}"
    return [keys.DEAD, keys.DEAD_NUMBER, row, keys.CONNECTIONS, keys.ledger_hours(connection)]


async def _is_there(known: DeadLetters, letter: DeadLetter) -> bool:
    x = letter.summary
    if not x.event_id:
        return False
    wanted = Filter(connection=x.connection, event_id=x.event_id)
    async for other in known.find(wanted):
        if other.dead_ms == x.dead_ms:
            return True
    return False
