"""What Platform says of the events it took, per connection and hour: two columns of the ledger.

The edge's column is counted by the workers as answers come in (scripts/mark.lua, settle.lua): at
most once per delivery, so what a crash kept from being written down is missing in it. The lake's
is what flow runs say (worker/reconcile), written over with each look. Here is also who looks when.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

import msgpack

from app.core.landing import HOUR_SECONDS, Hour, Judged, Patience, Verdict, judge, worst
from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Script, Store

# Platform keeps diagnostics for so long (platform.md section 6.2); older hours are not judged.
RETENTION_HOURS: Final = 30 * 24

_COUNTS: Final = ("buried", "foreign", "nameless", "copies", "again")


class LakeHour(NamedTuple):
    """What the runs that began in one hour say. `received` by the inlet and `ingested` into the
    dataset are Platform's counters, None where it gives none."""

    landed: int = 0
    failed: int = 0
    runs: int = 0
    finished: bool = True
    received: int | None = None
    ingested: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is known of one connection. `seen_ms`: Redis time of the last complete look, 0 =
    never; `error`: why the last one failed, since `error_since_ms`. Failed records that were found:
    `buried` as dead letters; `foreign`, of other producers; `nameless`; `copies` of one delivery;
    `again`, of events that Sluice sends again anyway."""

    edge: Mapping[int, int] = field(default_factory=dict)
    lake: Mapping[int, LakeHour] = field(default_factory=dict)
    seen_ms: int = 0
    error: str = ""
    error_since_ms: int = 0
    verdict: str = ""
    buried: int = 0
    foreign: int = 0
    nameless: int = 0
    copies: int = 0
    again: int = 0

    @property
    def looked(self) -> bool:
        """Whether anybody ever tried to look at Platform."""
        return bool(self.seen_ms or self.error)

    @property
    def hours(self) -> list[Hour]:
        """Every hour that one of the columns knows, ascending; from the first one on in which
        something was accepted, for before that nobody counted."""
        first = min(self.edge, default=math.inf)
        found = []
        for hour in sorted(self.edge.keys() | self.lake.keys()):
            if hour < first:
                continue
            said = self.lake.get(hour, LakeHour())
            accepted = self.edge.get(hour, 0)
            found.append(Hour(hour, accepted, said.landed, said.failed, said.runs, said.finished))
        return found

    def judged(self, now: float, patience: Patience) -> dict[int, Judged]:
        """A verdict per hour of the last 30 days; none where nobody ever looked. `now`: Unix
        seconds."""
        if not self.looked:
            return {}
        oldest = int(now) // HOUR_SECONDS - RETENTION_HOURS
        hours = [hour for hour in self.hours if hour.hour >= oldest]
        said = judge(hours, now, self.seen_ms / 1000 if self.seen_ms else None, patience)
        return {hour.hour: each for hour, each in zip(hours, said, strict=True)}

    def overall(self, now: float, patience: Patience) -> Judged:
        """The verdict over all hours."""
        found, unfound = worst(list(self.judged(now, patience).values())), self.unfound(patience)
        if unfound and not found.verdict.alarming:
            return Judged(Verdict.UNFOUND, unfound)
        return found

    def unfound(self, patience: Patience) -> int:
        """Records that failed by the count of runs whose time was over at the last look, and that
        were in no failed file until then."""
        due = (self.seen_ms / 1000 - patience.late_after) / HOUR_SECONDS - 1
        failed = sum(hour.failed for hour in self.hours if hour.hour <= due)
        found = self.buried + self.foreign + self.nameless + self.copies + self.again
        return max(0, failed - found)


class Begun(NamedTuple):
    """A look that is ours. Redis times in ms; `seen_ms`: of the last complete look, 0 = never."""

    now_ms: int
    seen_ms: int


class Ended(NamedTuple):
    """`changed`: whether looks go well now and did not before, or the other way round."""

    changed: bool
    error_before: str
    since_ms: int


@dataclass(slots=True)
class Lake:
    """Raises StoreUnavailable from every method."""

    redis: Store
    owner: str = "-"
    _look: Script = field(init=False)

    def __post_init__(self) -> None:
        self._look = Script(self.redis, "look")

    async def begin(self, connection: str, interval_ms: int, lease_ms: int) -> Begun | None:
        """Begins a look if one is due and nobody is at it."""
        found = await self._tell(connection, "begin", lease_ms, interval_ms)
        return None if found is None else Begun(int(found[0]), int(found[1]))

    async def keep(self, connection: str, lease_ms: int) -> bool:
        """Heartbeat. False: somebody else looks now."""
        return await self._tell(connection, "keep", lease_ms) is not None

    async def leave(self, connection: str) -> None:
        """Gives a look up in the middle: it is due at once, for anybody."""
        await self._tell(connection, "leave", 0)

    async def done(self, connection: str, seen_ms: int) -> Ended | None:
        """Ends a complete look, begun at `seen_ms`. None: it was no longer ours."""
        return _ended(await self._tell(connection, "done", 0, "", seen_ms))

    async def failed(self, connection: str, error: str) -> Ended | None:
        """Ends a look that did not get through."""
        return _ended(await self._tell(connection, "failed", 0, error))

    async def now(self) -> float:
        """Redis' time, Unix seconds."""
        with store_faults():
            seconds, micros = await self.redis.time()
        return int(seconds) + int(micros) / 1e6

    async def put(self, connection: str, hours: Mapping[int, LakeHour]) -> None:
        """Writes hours over with what Platform says now."""
        if hours:
            packed = {str(hour): msgpack.packb(list(said)) for hour, said in hours.items()}
            with store_faults():
                key = keys.lake(connection)
                await cast(Awaitable[int], self.redis.hset(key, mapping=packed))

    async def remember(self, connection: str, verdict: str) -> str:
        """Remembers the verdict over all; gives the one before."""
        with store_faults():
            async with self.redis.pipeline(transaction=True) as pipe:
                pipe.hget(keys.look(connection), "verdict")
                pipe.hset(keys.look(connection), "verdict", verdict)
                before, _ = await pipe.execute()
        return "" if before is None else str(before, "ascii")

    async def read(self, connection: str) -> Standing:
        """How a connection stands, at one moment."""
        with store_faults():
            async with self.redis.pipeline(transaction=True) as moment:
                for key in (keys.edge(connection), keys.lake(connection), keys.look(connection)):
                    moment.hgetall(key)
                edge, lake, look = await moment.execute()
        said = {str(name, "ascii"): value for name, value in look.items()}
        return Standing(
            {int(hour): int(count) for hour, count in edge.items()},
            {int(hour): _unpacked(packed) for hour, packed in lake.items()},
            int(said.get("seen", 0)),
            str(said.get("error", b""), "utf-8"),
            int(said.get("error_since", 0)),
            str(said.get("verdict", b""), "ascii"),
            **{name: int(said.get(name, 0)) for name in _COUNTS},
        )

    async def _tell(self, connection: str, word: str, lease_ms: int, *more: Any) -> Any:
        return await self._look([keys.look(connection)], [self.owner, word, lease_ms, *more])


def _ended(found: Any) -> Ended | None:
    if found is None:
        return None
    return Ended(bool(found[0]), str(found[1], "utf-8"), int(found[2]))


def _unpacked(packed: bytes) -> LakeHour:
    # A reader takes the fields it knows.
    return LakeHour(*msgpack.unpackb(packed)[: len(LakeHour._fields)])
