"""Ties records that Platform refused later to their events, and buries those: scripts/bury.lua.

An event is ours when its id was claimed. The claim names the delivery that failed: a replay claims
anew, so one that fails again is another delivery, while a second copy of one record is not.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from typing import Any, Final, NamedTuple, cast

from app.core.batch import AttemptRun, decode, pack, unpack
from app.core.batch_id import BatchId
from app.core.dead_letter import DeadLetter
from app.core.errors import UnreadableFrame
from app.core.event import peek_event
from app.store import keys
from app.store.arrivals import made_ms
from app.store.claims import Claims
from app.store.dead_letters import DeadLetters
from app.store.dead_letters.writing import DeadWriter
from app.store.faults import store_faults
from app.store.scripting import Script, Store
from app.store.traces import BatchTrace, Traces

# A day longer than Platform keeps what we read (platform.md section 6.2).
REMEMBERED_MS: Final = 31 * 86_400_000

_WEEK_MS: Final = 7 * 86_400_000
_HOUR_MS: Final = 3_600_000
# Customer.io tries for a week: an event may have been received so long after it was made.
_HOURS_AFTER: Final = 8 * 24


class State(Enum):
    """Where the event is, as far as it matters to a refusal."""

    FOREIGN = "foreign"  # nothing of ours
    DELIVERED = "delivered"
    AGAIN = "again"  # on the queue: it will be sent (again), and then we shall see
    BUSY = "busy"  # being worked on right now: ask again later


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an event. `claim`: number of the batch that was its delivery; `past`: its
    history until it was last buried; `refused`: the delivery that was buried then, 0 = none."""

    state: State
    claim: int = 0
    trace: BatchTrace | None = None
    refused: int = 0
    past: tuple[AttemptRun, ...] = ()


class Mark(NamedTuple):
    """How far a failed file was worked through: `lines`, and its length in bytes when that was all
    of it (-1: it was not). `text`: as it lies in Redis, "" when nothing does."""

    text: str = ""
    lines: int = 0
    length: int = -1


class Counts(NamedTuple):
    """Records of a page that are not buried."""

    foreign: int = 0
    nameless: int = 0
    copies: int = 0
    again: int = 0


class Grave(NamedTuple):
    """A dead letter to be, the delivery it is about, and the history the next one would have."""

    letter: DeadLetter
    claim: int
    timestamp: int
    history: tuple[AttemptRun, ...]


@dataclass(slots=True)
class Refusals:
    """Those of one connection. Raises StoreUnavailable from every method."""

    redis: Store
    connection: str
    _bury: Script = field(init=False)
    _claims: Claims = field(init=False)
    _traces: Traces = field(init=False)
    _writer: DeadWriter = field(init=False)

    def __post_init__(self) -> None:
        self._writer = DeadWriter(self.redis)
        self._bury = Script(self.redis, "bury")
        self._claims = Claims(self.redis)
        self._traces = Traces(self.redis, self._claims, DeadLetters(self.redis))

    async def mark(self, created_ms: int, file: str) -> Mark:
        """How far a file of a batch made at `created_ms` was worked through."""
        key = keys.refused_files(self.connection, created_ms // _WEEK_MS)
        with store_faults():
            found = await cast(Awaitable[bytes | None], self.redis.hget(key, _digest(file)))
        if found is None:
            return Mark()
        text = str(found, "ascii")
        lines, length = text.split(" ")
        return Mark(text, int(lines), int(length))

    async def known(self, ids: Sequence[tuple[str, int]]) -> list[Known]:
        """One answer per (event id, timestamp or 0)."""
        owners = await asyncio.gather(*(self._claims.find(self.connection, *each) for each in ids))
        numbers = {owner for owner in owners if owner is not None}
        traces = {number: await self._traces.batch(number) for number in numbers}
        flying = await self._flying(numbers, {event_id for event_id, _ in ids})
        pasts = await self._pasts(ids)
        found = []
        for (event_id, _), owner, (refused, past) in zip(ids, owners, pasts, strict=True):
            if owner is None:
                found.append(Known(State.FOREIGN))
                continue
            state = flying.get(event_id, State.DELIVERED)
            found.append(Known(state, owner, traces[owner], refused, past))
        return found

    async def hours_near(self, event_id: str, timestamp: int) -> AsyncIterator[tuple[int, int]]:
        """(hour, delivered) of ledger rows in which an event may have been received of which
        nothing says when it was, the likeliest first. An id that is a ULID says when it was made.
        """
        made = made_ms(event_id, timestamp) // _HOUR_MS
        with store_faults():
            key = keys.ledger_hours(self.connection)
            hours = {int(h) for h in await cast(Awaitable[set[bytes]], self.redis.smembers(key))}
        near = sorted(h for h in hours if made <= h <= made + _HOURS_AFTER)
        for hour in [*near, *sorted(hours.difference(near), key=lambda h: abs(h - made))]:
            yield hour, await self.delivered_in(hour)

    async def delivered_in(self, hour: int) -> int:
        """How many events of a ledger row are delivered."""
        with store_faults():
            row = f"{keys.ledger_prefix(self.connection)}{hour}"
            return int(await cast(Awaitable[bytes | None], self.redis.hget(row, "delivered")) or 0)

    async def bury(
        self, created_ms: int, file: str, before: Mark, after: Mark, page: Sequence[Grave],
        counts: Counts,
    ) -> list[int] | int | None:  # fmt: skip
        """Buries a page of a file and moves its mark, in one step.

        Gives the letters' numbers (0: this delivery was buried before), or, with nothing changed,
        the hour whose row has too few delivered events; None when somebody else was faster.
        """
        args: list[Any] = [
            _digest(file), before.text, f"{after.lines} {after.length}", REMEMBERED_MS,
            keys.ledger_prefix(self.connection), keys.refused_events_prefix(self.connection),
            *counts, len(page),
        ]  # fmt: skip
        encoded = await self._writer.args([grave.letter for grave in page])
        for at, grave in enumerate(page):
            summary = grave.letter.summary
            week = _week_of(summary.event_id, grave.timestamp)
            args += [summary.hour, week, _digest(summary.event_id), grave.claim]
            args += [pack(grave.history), *encoded[at * 3 : at * 3 + 3]]
        names = [
            keys.DEAD, keys.DEAD_NUMBER,
            keys.refused_files(self.connection, created_ms // _WEEK_MS),
            keys.look(self.connection),
        ]  # fmt: skip
        answer = await self._bury(names, args)
        if answer is None:
            return None
        first, *numbers = answer
        return int(first) if first else [int(number) for number in numbers]

    async def _flying(self, claims: set[int], ids: set[str]) -> dict[str, State]:
        """Which of the events are in open batches that stem from these claims."""
        if not claims:
            return {}
        with store_faults():
            async with self.redis.pipeline(transaction=True) as moment:
                moment.zrange(keys.OPEN_SET, 0, -1)
                for claim in claims:
                    moment.zrangebyscore(keys.stems(self.connection), claim, claim)
                names, *stemming = await moment.execute()
        members = {name for each in stemming for name in each}
        found: dict[str, State] = {}
        for name in names:
            text = str(name, "ascii")
            batch = BatchId.parse(text)
            if batch.connection == self.connection and (name in members or batch.number in claims):
                found |= await self._in_batch(text, ids)
        return found

    async def _in_batch(self, batch_id: str, ids: set[str]) -> dict[str, State]:
        with store_faults():
            async with self.redis.pipeline(transaction=True) as moment:
                moment.get(keys.BATCH_PREFIX + batch_id)
                moment.hget(keys.HELD, batch_id)
                moment.smembers(keys.DONE_PREFIX + batch_id)
                moment.time()
                frame, held, done, (seconds, _) = await moment.execute()
        lease_until = int(held.split(b" ")[1]) if held else 0
        try:
            bodies = decode(frame or b"").bodies
        except UnreadableFrame:
            return {}
        worked_on = lease_until > seconds * 1000
        return {
            event_id: State.BUSY if worked_on or b"%d" % at in done else State.AGAIN
            for at, body in enumerate(bodies)
            if (event_id := peek_event(body)[0]) in ids
        }

    async def _pasts(
        self, ids: Sequence[tuple[str, int]]
    ) -> list[tuple[int, tuple[AttemptRun, ...]]]:
        prefix = keys.refused_events_prefix(self.connection)
        with store_faults():
            async with self.redis.pipeline(transaction=False) as pipe:
                for each in ids:
                    pipe.hget(f"{prefix}{_week_of(*each)}", _digest(each[0]))
                found = await pipe.execute()
        return [_past(each) for each in found]


def _past(packed: bytes | None) -> tuple[int, tuple[AttemptRun, ...]]:
    if packed is None:
        return 0, ()
    claim, history = packed.split(b" ", 1)
    return int(claim), tuple(AttemptRun(*run) for run in unpack(history))


def _week_of(event_id: str, timestamp: int) -> int:
    return made_ms(event_id, timestamp) // _WEEK_MS


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def take_from(rows: Counter[int], hour: int, delivered: int) -> bool:
    """Books one event of a page on a row that has so many; False when they are used up."""
    if rows[hour] >= delivered:
        return False
    rows[hour] += 1
    return True
