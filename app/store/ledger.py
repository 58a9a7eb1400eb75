"""The ledger: per connection and hour of receipt, every event in exactly one column.

`received = duplicates + tests + delivered + dead + discarded + in flight` (design.md section 4.2).
*In flight* is counted from the open set, not from the other columns: so a check can fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from app.core.batch_id import BatchId
from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Store

COLUMNS: Final = ("received", "duplicates", "tests", "delivered", "dead", "discarded")


@dataclass(frozen=True, slots=True)
class Row:
    """Counts of the events that one connection received in one hour (Unix hours)."""

    connection: str
    hour: int
    received: int = 0
    duplicates: int = 0
    tests: int = 0
    delivered: int = 0
    dead: int = 0
    discarded: int = 0
    in_flight: int = 0

    @property
    def difference(self) -> int:
        """Events too few (positive) or too many in the columns; 0 when the row adds up."""
        gone = self.duplicates + self.tests + self.delivered + self.dead + self.discarded
        return self.received - gone - self.in_flight

    def __add__(self, other: Row) -> Row:
        columns = (*COLUMNS, "in_flight")
        sums: dict[str, Any] = {
            name: getattr(self, name) + getattr(other, name) for name in columns
        }
        return replace(self, hour=0, **sums)


@dataclass(frozen=True, slots=True)
class Balance:
    """One consistent reading. `faults`: what does not add up, in words; empty = it does."""

    rows: tuple[Row, ...]
    last_tests: dict[str, int]
    faults: tuple[str, ...]

    def totals(self) -> list[Row]:
        """One row per connection, hour 0."""
        totals: dict[str, Row] = {}
        for row in self.rows:
            totals[row.connection] = totals.get(row.connection, Row(row.connection, 0)) + row
        return list(totals.values())


@dataclass(slots=True)
class Ledger:
    redis: Store

    async def read(self) -> Balance:
        """All rows at one moment. Raises StoreUnavailable."""
        while True:
            hours = await self._hours()
            rows, open_ids, dead, backlog, tests = await self._snapshot(hours)
            flying: Counter[tuple[str, int]] = Counter()
            for batch_id in open_ids:
                flying[batch_id.connection, batch_id.hour] += batch_id.events
            # An hour that began between the two readings: read again.
            if flying.keys() <= rows.keys():
                break
        table = tuple(_row(key, counts, flying[key]) for key, counts in sorted(rows.items()))
        missing = await self._without_frame(open_ids)
        return Balance(table, tests, tuple(_faults(table, dead, backlog, missing)))

    async def _hours(self) -> list[tuple[str, int]]:
        with store_faults():
            names = await cast(Awaitable[set[bytes]], self.redis.smembers(keys.CONNECTIONS))
            found = []
            for name in sorted(str(n, "utf-8") for n in names):
                key = keys.ledger_hours(name)
                hours = await cast(Awaitable[set[bytes]], self.redis.smembers(key))
                found += [(name, int(hour)) for hour in hours]
        return found

    async def _snapshot(
        self, hours: list[tuple[str, int]]
    ) -> tuple[
        dict[tuple[str, int], dict[str, int]], list[BatchId], dict[str, int], int, dict[str, int]
    ]:
        connections = sorted({connection for connection, _ in hours})
        with store_faults():
            async with self.redis.pipeline(transaction=True) as moment:
                moment.zrange(keys.OPEN_SET, 0, -1)
                moment.get(keys.BACKLOG)
                for connection in connections:
                    moment.hget(keys.DEAD_COUNTS, connection)
                for connection in connections:
                    moment.zcard(keys.old_dead_index(connection))
                for connection in connections:
                    moment.get(keys.last_test(connection))
                for connection, hour in hours:
                    moment.hgetall(f"{keys.ledger_prefix(connection)}{hour}")
                found: list[Any] = await moment.execute()
        names, backlog = found[0], found[1]
        each = len(connections)
        counts, old, tests = (found[2 + at * each : 2 + (at + 1) * each] for at in range(3))
        cards = [int(count or 0) + card for count, card in zip(counts, old, strict=True)]
        rows = found[2 + 3 * each :]
        return (
            {
                key: {str(name, "ascii"): int(count) for name, count in row.items()}
                for key, row in zip(hours, rows, strict=True)
            },
            [BatchId.parse(str(name, "ascii")) for name in names],
            dict(zip(connections, cards, strict=True)),
            int(backlog or 0),
            {c: int(ms) for c, ms in zip(connections, tests, strict=True) if ms is not None},
        )

    async def _without_frame(self, open_ids: list[BatchId]) -> list[BatchId]:
        """Open batches whose frame is gone: looked at twice, as they may settle meanwhile."""
        missing = open_ids
        for _ in range(2):
            with store_faults():
                async with self.redis.pipeline(transaction=False) as pipe:
                    for batch_id in missing:
                        pipe.exists(f"{keys.BATCH_PREFIX}{batch_id}")
                        pipe.zscore(keys.OPEN_SET, str(batch_id))
                    found = await pipe.execute()
            pairs = zip(missing, found[::2], found[1::2], strict=True)
            missing = [b for b, exists, score in pairs if not exists and score is not None]
        return missing


def _row(key: tuple[str, int], counts: dict[str, int], in_flight: int) -> Row:
    columns: dict[str, Any] = {name: counts.get(name, 0) for name in COLUMNS}
    return Row(*key, in_flight=in_flight, **columns)


def _faults(
    rows: tuple[Row, ...], dead: dict[str, int], backlog: int, missing: list[BatchId]
) -> list[str]:
    faults = [
        f"{row.connection}, hour {row.hour}: received {row.received}, but the columns hold "
        f"{row.received - row.difference} ({row.difference:+d} unaccounted for)"
        for row in rows
        if row.difference
    ]
    for connection, letters in dead.items():
        booked = sum(row.dead for row in rows if row.connection == connection)
        if booked != letters:
            faults.append(f"{connection}: {booked} dead letters booked, {letters} in the store")
    in_flight = sum(row.in_flight for row in rows)
    if backlog != in_flight:
        faults.append(f"backlog counter says {backlog}, the open set {in_flight}")
    faults += [f"open batch {batch_id} has no frame: its events are lost" for batch_id in missing]
    return faults
