"""What became of an event: pieced together from its claim, its batches' traces and dead letters.

The memory it costs is per batch (and per request batch), not per event.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import msgpack

from app.core.batch import decode
from app.core.batch_id import BatchId
from app.core.dead_letter import DeadLetterSummary
from app.core.errors import UnreadableFrame
from app.core.event import peek_event
from app.store import keys
from app.store.claims import Claims
from app.store.dead_letters import DeadLetters, Filter
from app.store.faults import store_faults
from app.store.scripting import Store
from app.store.settlement import TRACES_PER_HASH


class RequestTrace(NamedTuple):
    """One POST to Platform that carried events of the batch. `receipt`: Platform's id of it."""

    at_ms: int
    verdict: str
    status: int
    receipt: str
    events: int


@dataclass(frozen=True, slots=True)
class BatchTrace:
    """How one batch was settled. `successors`: numbers of the batches that try
    the rest later (or the halves, when it was split); `mapping`: label of the mapping set's
    version that made its records, "" when none did or a release before versions settled it;
    `hour`: Unix hour of its ledger row, 0 when an earlier release settled it."""

    number: int
    settled_ms: int
    successors: tuple[int, ...]
    received_ms: int
    events: int
    duplicates: int
    tests: int
    delivered: int
    dead: int
    requests: tuple[RequestTrace, ...]
    mapping: str = ""
    hour: int = 0


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch that is not settled: due at `due_ms`; `owner` holds it, "" when nobody does."""

    batch_id: BatchId
    due_ms: int
    owner: str
    takes: int
    tries: int


@dataclass(slots=True)
class EventTrace:
    """All that is known of one event id on one connection."""

    connection: str
    claimed_by: int | None = None
    settled: list[BatchTrace] = field(default_factory=list)
    waiting: OpenBatch | None = None
    letters: list[DeadLetterSummary] = field(default_factory=list)
    # Whether the trail has no gap: it may, once traces have expired.
    complete: bool = True

    @property
    def known(self) -> bool:
        return self.claimed_by is not None or self.waiting is not None or bool(self.letters)


def encode_trace(
    received_ms: int,
    events: int,
    duplicates: int,
    tests: int,
    delivered: int,
    dead: int,
    requests: list[RequestTrace],
    mapping: str,
    hour: int,
) -> bytes:
    """What settle stores beside the time and the successor."""
    packed: bytes = msgpack.packb(
        [received_ms, events, duplicates, tests, delivered, dead, requests, mapping, hour]
    )
    return packed


@dataclass(slots=True)
class Traces:
    redis: Store
    claims: Claims
    dead_letters: DeadLetters

    async def event(self, connection: str, event_id: str, timestamp: int = 0) -> EventTrace:
        """What is known of an event. `timestamp` only helps for ids that are no ULIDs."""
        trace = await self._look(connection, event_id, timestamp)
        if trace.claimed_by is not None and not trace.complete:
            # Its batch was settled between two of our questions.
            trace = await self._look(connection, event_id, timestamp)
        return trace

    async def _look(self, connection: str, event_id: str, timestamp: int) -> EventTrace:
        trace = EventTrace(connection)
        trace.claimed_by = await self.claims.find(connection, event_id, timestamp)
        wanted = Filter(connection=connection, event_id=event_id)
        trace.letters = [letter async for letter in self.dead_letters.find(wanted)]
        open_numbers: set[int] = set()
        numbers = [trace.claimed_by] if trace.claimed_by else []
        while numbers:
            number = numbers.pop(0)
            if settled := await self.batch(number):
                trace.settled.append(settled)
                numbers += settled.successors
            else:
                open_numbers.add(number)
        trace.complete = not open_numbers
        if open_numbers or trace.claimed_by is None:
            trace.waiting = await self._open(connection, event_id, open_numbers)
        trace.complete |= trace.waiting is not None
        return trace

    async def batch(self, number: int) -> BatchTrace | None:
        """How one batch was settled; None when it was not, or its trace has expired."""
        key = f"{keys.TRACE_PREFIX}{number // TRACES_PER_HASH}"
        with store_faults():
            found = await cast(Awaitable[bytes | None], self.redis.hget(key, str(number)))
        if found is None:
            return None
        settled_ms, followed, packed = found.split(b" ", 2)
        # A reader takes the fields it knows, and does without those of a later release.
        received_ms, events, duplicates, tests, delivered, dead, requests, *later = msgpack.unpackb(
            packed
        )
        return BatchTrace(
            number,
            int(settled_ms),
            tuple(int(n) for n in followed.split(b",") if n != b"0"),
            received_ms,
            events,
            duplicates,
            tests,
            delivered,
            dead,
            tuple(RequestTrace(*request) for request in requests),
            *later[:2],
        )

    async def _open(self, connection: str, event_id: str, numbers: set[int]) -> OpenBatch | None:
        """The open batch that holds the event; `numbers`: where to look, empty = everywhere."""
        with store_faults():
            pairs = await self.redis.zrange(keys.OPEN_SET, 0, -1, withscores=True)
        for name, score in pairs:
            batch_id = BatchId.parse(str(name, "ascii"))
            if batch_id.connection != connection or (numbers and batch_id.number not in numbers):
                continue
            if found := await self._look_into(batch_id, int(score), event_id):
                return found
        return None

    async def _look_into(self, batch_id: BatchId, due_ms: int, event_id: str) -> OpenBatch | None:
        with store_faults():
            frame = await self.redis.get(f"{keys.BATCH_PREFIX}{batch_id}")
            held = await cast(Awaitable[bytes | None], self.redis.hget(keys.HELD, str(batch_id)))
        try:
            batch = decode(frame or b"")
        except UnreadableFrame:
            return None
        if not any(peek_event(body)[0] == event_id for body in batch.bodies):
            return None
        owner, until, takes = (held or b"- 0 0").decode().split(" ")
        return OpenBatch(batch_id, due_ms, owner if int(until) else "", int(takes), batch.tries)


async def find_event(
    redis: Store, event_id: str, connection: str | None = None, timestamp: int = 0
) -> list[EventTrace]:
    """What is known of an event id, per connection that knows it. Raises StoreUnavailable."""
    letters = DeadLetters(redis)
    traces = Traces(redis, Claims(redis), letters)
    names = [connection] if connection else await letters.connections()
    found = [await traces.event(name, event_id, timestamp) for name in names]
    return [each for each in found if each.known]
