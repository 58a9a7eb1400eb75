"""The rows of an export, a page at a time: looked up, counted, told, and put when that is asked."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, Final

import orjson
import typer

from app.cli.backfill.rows import Row
from app.core.batch import encode_received
from app.core.errors import SluiceError, StoreUnavailable
from app.core.event import SEND_TEST_EVENT_ID
from app.settings import Settings
from app.store.arrivals import Arrival, Arrivals
from app.store.batches import Batches
from app.store.connect import Store

_PAGE: Final = 500
_FAULTS_TOLD: Final = 10


class Stopped(SluiceError):
    """The store takes no more for now."""


@dataclass(slots=True)
class Count:
    """What came of the rows. `tests`: the fixed event of Send Test, which is never delivered.

    `broken_bodies` are counted among the other columns, too: by their ids.
    """

    read: int = 0
    arrived: int = 0
    missing_with_body: int = 0
    missing_without_body: int = 0
    put: int = 0
    unknown: int = 0
    tests: int = 0
    broken_bodies: int = 0
    unreadable: int = 0
    faults: list[dict[str, Any]] = field(default_factory=list)

    @property
    def all_there(self) -> bool:
        """Nothing is missing any more, as far as could be read."""
        left = self.missing_with_body + self.missing_without_body - self.put
        return not left and not self.unreadable

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def fault(self, row: Row) -> None:
        if row.event_id:
            self.broken_bodies += 1
        else:
            self.unreadable += 1
        if len(self.faults) < _FAULTS_TOLD:
            self.faults.append({"row": row.number, "fault": row.fault})


@dataclass(slots=True)
class Backfill:
    """One run over one export."""

    redis: Store
    connection: str
    settings: Settings
    put: bool
    batch_events: int
    count: Count
    as_json: bool
    _ready: list[Row] = field(default_factory=list, init=False)
    _ready_bytes: int = field(default=0, init=False)
    _batches: Batches = field(init=False)

    def __post_init__(self) -> None:
        self._batches = Batches(self.redis, wait_replicas=self.settings.redis_wait_replicas)

    async def all(self, rows: Iterator[Row]) -> None:
        """Raises Stopped when no more can be put, StoreUnavailable, ConfigError."""
        window_ms = int(self.settings.claim_window_days * 86_400_000)
        arrivals = Arrivals(self.redis, self.connection, window_ms)
        await arrivals.load()
        while page := list(islice(rows, _PAGE)):
            self.count.read += len(page)
            asked = list(self._to_ask(page))
            found = await arrivals.of([(row.event_id, row.timestamp) for row in asked])
            for row, arrival in zip(asked, found, strict=True):
                await self._book(row, arrival)
        await self._commit()

    def _to_ask(self, page: Iterable[Row]) -> Iterator[Row]:
        for row in page:
            if row.fault:
                self.count.fault(row)
            if row.event_id == SEND_TEST_EVENT_ID:
                self.count.tests += 1
            elif row.event_id:
                yield row

    async def _book(self, row: Row, arrival: Arrival) -> None:
        if arrival is Arrival.ARRIVED:
            self.count.arrived += 1
        elif arrival is Arrival.UNKNOWN:
            self.count.unknown += 1
        elif row.body is None:
            self.count.missing_without_body += 1
            self._tell(row)
        else:
            self.count.missing_with_body += 1
            if self.put:
                await self._add(row, len(row.body))
            else:
                self._tell(row)

    async def _add(self, row: Row, size: int) -> None:
        if self._ready and self._ready_bytes + size > self.settings.batch_max_bytes:
            await self._commit()
        self._ready.append(row)
        self._ready_bytes += size
        if len(self._ready) >= self.batch_events:
            await self._commit()

    async def _commit(self) -> None:
        """Puts what is ready, as the receiver would: received now."""
        ready, self._ready, self._ready_bytes = self._ready, [], 0
        if not ready:
            return
        bodies = [row.body for row in ready if row.body is not None]
        now_ms = int(time.time() * 1000)
        try:
            await self._require_room()
            frame = encode_received(bodies, [now_ms] * len(bodies))
            batch_id = await self._batches.commit(self.connection, frame, len(bodies))
        except (Stopped, StoreUnavailable) as why:
            for row in ready:
                self._tell(row)
            if isinstance(why, Stopped):
                raise
            raise Stopped(f"stopped: Redis took no more ({why}); {self.count.put} put") from None
        self.count.put += len(bodies)
        for row in ready:
            self._tell(row, put=True)
        with suppress(StoreUnavailable):  # nothing depends on the bell
            await self._batches.ring_all([batch_id])

    async def _require_room(self) -> None:
        pressure = await self._batches.pressure()
        bound = pressure.memory_limit * self.settings.memory_share
        if bound and pressure.memory_used > bound:
            what = "Redis' memory is too full (SLUICE_MEMORY_SHARE)"
        elif pressure.backlog_events > self.settings.backlog_max_events:
            what = "too many events wait (SLUICE_BACKLOG_MAX_EVENTS)"
        else:
            return
        raise Stopped(f"stopped: {what}; {self.count.put} put")

    def _tell(self, row: Row, put: bool = False) -> None:
        if self.as_json:
            line = {"missing": row.event_id, "row": row.number, "body": row.body is not None}
            typer.echo(orjson.dumps(line | {"put": put}))
        else:
            typer.echo(row.event_id)
