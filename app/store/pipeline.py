"""The pipeline at one moment: what is in each stage, since when, and what went through.

Cheap enough to be looked at every few seconds: of the ledger it reads again only rows that can
have changed, and all of it once a minute. Nothing is written, and no event's path costs more.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, cast

from app.core.batch import decode
from app.core.batch_id import HOUR_MS, BatchId
from app.core.errors import UnreadableFrame
from app.store import keys
from app.store.faults import store_faults
from app.store.ledger import COLUMNS
from app.store.scripting import Store

_WHOLE_SECONDS: Final = 60.0

Key = tuple[str, int]


@dataclass(slots=True)
class Stage:
    """Events in one stage; `oldest_ms`: when the oldest was received, None when there is none."""

    batches: int = 0
    events: int = 0
    oldest_ms: int | None = None


@dataclass(slots=True)
class Flow:
    """One connection, or all. `counts`: the ledger's columns; `dead`: letters there are now."""

    queued: Stage = field(default_factory=Stage)
    delivering: Stage = field(default_factory=Stage)
    retrying: Stage = field(default_factory=Stage)
    dead: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0))

    @property
    def backlog(self) -> int:
        """Events not settled yet."""
        return self.queued.events + self.delivering.events + self.retrying.events

    @property
    def done(self) -> int:
        """Events that reached an end, whichever."""
        return sum(self.counts[name] for name in COLUMNS if name != "received")


@dataclass(frozen=True, slots=True)
class Reading:
    """One look. `at_ms`: Redis' time; `flows`: per connection; bytes, `memory_limit` 0 = none."""

    at_ms: int
    flows: dict[str, Flow]
    memory_used: int
    memory_limit: int

    def whole(self) -> Flow:
        """All connections together."""
        total = Flow()
        for flow in self.flows.values():
            for name in ("queued", "delivering", "retrying"):
                _add(getattr(total, name), getattr(flow, name))
            total.dead += flow.dead
            for name in COLUMNS:
                total.counts[name] += flow.counts[name]
        return total


class Pipeline:
    """Looks again and again; remembers rows and ages between two looks."""

    def __init__(self, redis: Store) -> None:
        self._redis = redis
        self._rows: dict[Key, dict[str, int]] = {}
        self._hot: set[Key] = set()
        self._whole_at = float("-inf")
        self._ages: dict[str, int | None] = {}

    async def look(self) -> Reading:
        """Raises StoreUnavailable."""
        names = await self._connections()
        open_ids, held, stems, cards, now_ms = await self._moment(names)
        flows = {name: Flow(dead=card) for name, card in zip(names, cards, strict=True)}
        oldest = self._sort(flows, open_ids, held, stems, now_ms)
        await self._count(flows, open_ids, now_ms)
        await self._age(flows, oldest)
        with store_faults():
            memory = await self._redis.info("memory")
        return Reading(now_ms, flows, int(memory["used_memory"]), int(memory["maxmemory"]))

    async def _connections(self) -> list[str]:
        with store_faults():
            found = await cast(Awaitable[set[bytes]], self._redis.smembers(keys.CONNECTIONS))
        return sorted(str(name, "utf-8") for name in found)

    async def _moment(
        self, names: list[str]
    ) -> tuple[list[BatchId], dict[bytes, bytes], set[bytes], list[int], int]:
        """Open batches, who holds which, which follow another, dead letters, and when that was."""
        with store_faults():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zrange(keys.OPEN_SET, 0, -1)
                pipe.hgetall(keys.HELD)
                pipe.time()
                for name in names:
                    pipe.hget(keys.DEAD_COUNTS, name)
                for name in names:
                    pipe.zcard(keys.old_dead_index(name))
                for name in names:
                    pipe.zrange(keys.stems(name), 0, -1)
                found: list[Any] = await pipe.execute()
        ids = [BatchId.parse(str(name, "ascii")) for name in found[0]]
        seconds, micros = found[2]
        each = len(names)
        counts, old, stemming = (found[3 + at * each : 3 + (at + 1) * each] for at in range(3))
        cards = [int(count or 0) + card for count, card in zip(counts, old, strict=True)]
        stems = {member for members in stemming for member in members}
        return ids, found[1], stems, cards, int(seconds) * 1000 + int(micros) // 1000

    def _sort(
        self,
        flows: dict[str, Flow],
        open_ids: Iterable[BatchId],
        held: dict[bytes, bytes],
        stems: set[bytes],
        now_ms: int,
    ) -> dict[tuple[str, str], BatchId]:
        """Counts batches into their stages; the oldest of each, by connection and stage."""
        working = {name for name, lease in held.items() if int(lease.split()[1]) > now_ms}
        oldest: dict[tuple[str, str], BatchId] = {}
        for batch_id in open_ids:
            name = str(batch_id).encode()
            where = "delivering" if name in working else "retrying" if name in stems else "queued"
            flow = flows.setdefault(batch_id.connection, Flow())
            stage: Stage = getattr(flow, where)
            stage.batches += 1
            stage.events += batch_id.events
            first = oldest.setdefault((batch_id.connection, where), batch_id)
            if (batch_id.hour, batch_id.number) < (first.hour, first.number):
                oldest[batch_id.connection, where] = batch_id
        return oldest

    async def _count(
        self, flows: dict[str, Flow], open_ids: Iterable[BatchId], now_ms: int
    ) -> None:
        """The ledger's columns. A row changes while its hour lasts or has events in flight, and
        once more when they are settled; a discard shows within a minute."""
        if time.monotonic() - self._whole_at > _WHOLE_SECONDS:
            wanted = await self._all_rows(list(flows))
            self._whole_at = time.monotonic()
        else:
            hour = now_ms // HOUR_MS
            flying = {(batch_id.connection, batch_id.hour) for batch_id in open_ids}
            hot = flying | {(name, each) for name in flows for each in (hour - 1, hour)}
            wanted, self._hot = hot | self._hot, hot
        await self._read_rows(sorted(wanted))
        for (name, _), row in self._rows.items():
            counts = flows.setdefault(name, Flow()).counts
            for column in COLUMNS:
                counts[column] += row.get(column, 0)

    async def _all_rows(self, names: list[str]) -> set[Key]:
        with store_faults():
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.smembers(keys.ledger_hours(name))
                found = await pipe.execute()
        return {
            (name, int(hour)) for name, hours in zip(names, found, strict=True) for hour in hours
        }

    async def _read_rows(self, wanted: list[Key]) -> None:
        with store_faults():
            async with self._redis.pipeline(transaction=True) as pipe:
                for name, hour in wanted:
                    pipe.hgetall(f"{keys.ledger_prefix(name)}{hour}")
                found = await pipe.execute()
        for key, row in zip(wanted, found, strict=True):
            if row:
                self._rows[key] = {str(name, "ascii"): int(n) for name, n in row.items()}

    async def _age(self, flows: dict[str, Flow], oldest: dict[tuple[str, str], BatchId]) -> None:
        """When the oldest event of each stage was received; a frame is opened once."""
        known = {str(batch_id): self._ages.get(str(batch_id)) for batch_id in oldest.values()}
        for name, age in known.items():
            if age is None:
                known[name] = await self._received_ms(name)
        self._ages = known
        for (connection, where), batch_id in oldest.items():
            stage: Stage = getattr(flows[connection], where)
            stage.oldest_ms = known[str(batch_id)]

    async def _received_ms(self, batch_id: str) -> int | None:
        with store_faults():
            frame = await self._redis.get(keys.BATCH_PREFIX + batch_id)
        try:
            return min(decode(frame).received_ms) if frame else None
        except UnreadableFrame:
            return None


def _add(total: Stage, part: Stage) -> None:
    total.batches += part.batches
    total.events += part.events
    ages = [age for age in (total.oldest_ms, part.oldest_ms) if age is not None]
    total.oldest_ms = min(ages, default=None)
