"""Event batches in Redis: committed, rung for, taken, kept, given back, settled.

The open set is the truth about what is left to do; arq's queue only rings (design.md section 3).
Every time is Redis' own, so a worker's clock may be wrong without a lease being so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from arq.utils import ms_to_datetime

from app.core.batch_id import BatchId
from app.core.errors import StoreUnavailable
from app.store import keys
from app.store.bells import BELL_LIFE_SECONDS, BELLS_MAX, JOB, share_out
from app.store.dead_letters.writing import DeadWriter
from app.store.faults import store_faults
from app.store.scripting import Script, Store
from app.store.settlement import Settlement, settle_args, settle_keys

# A bell is expected to have been heard after this long; then the sweep rings (again).
GRACE_MS: Final = 3_000
RING_AGAIN_MS: Final = 10_000

# A batch taken this often without being settled may be what kills the workers.
SUSPECT_TAKES: Final = 3
# An event alone is worked on so often with nothing else in hand before it is taken for poison: two
# of those workers may have died of something else.
ALONE_TAKES: Final = 3

# A script's stack takes some 8,000 values.
_MARKS_AT_ONCE: Final = 4_000

PULSE_MS: Final = 15_000

# How long a commit waits for replicas: well below the time in which a webhook is answered.
COPY_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Pressure:
    """How full the store is. Bytes; `memory_limit` 0 = none set."""

    memory_used: int
    memory_limit: int
    backlog_events: int
    open_batches: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch held by this worker. `takes`: how often it was taken, this time included.

    `marked`: some of its events were delivered by an earlier take.
    """

    batch_id: BatchId
    takes: int
    frame: bytes
    marked: bool


@dataclass(slots=True)
class Batches:
    """Everything that is done to event batches. `owner`: who holds what this instance takes.

    `wait_replicas`: a commit counts only when so many replicas have it, too.
    """

    redis: Store
    owner: str = "-"
    lease_ms: int = 10_000
    trace_ms: int = 3 * 86_400_000
    wait_replicas: int = 0
    _bells: int = field(default=0, init=False)
    _scripts: dict[str, Script] = field(default_factory=dict, init=False)
    _writer: DeadWriter = field(init=False)

    def __post_init__(self) -> None:
        self._writer = DeadWriter(self.redis)

    async def commit(self, connection: str, frame: bytes, events: int) -> str:
        """Puts a frame of newly received events on the queue; its batch id.

        When it returns, the write is confirmed (fsynced, with appendfsync always). Raises
        StoreUnavailable; the batch may have been written all the same, and its events then turn
        up as duplicates of those that Customer.io sends again.
        """
        names = [keys.OPEN_SET, keys.BATCH_NUMBER, keys.CONNECTIONS,
                 keys.ledger_hours(connection), keys.ARQ_QUEUE, keys.BACKLOG,
                 keys.CLOCK]  # fmt: skip
        args = [connection, events, frame, GRACE_MS, keys.BATCH_PREFIX,
                keys.ledger_prefix(connection)]  # fmt: skip
        if self.wait_replicas:
            answer = await self._commit_copied(names, args)
        else:
            answer = await self._run("commit", names, args)
        batch_id, self._bells = answer
        return str(batch_id, "ascii")

    async def ring_all(self, batch_ids: Sequence[str]) -> None:
        """Wakes workers for new batches; small ones share a bell. Raises StoreUnavailable.

        Nothing depends on it: the sweep rings for what is due.
        """
        if self._bells < BELLS_MAX:
            for bell in share_out(batch_ids):
                await self._ring(bell, bell[0])

    async def sweep(self) -> int:
        """Rings for every batch that is due; how many there were. Raises StoreUnavailable."""
        named = await self._run(
            "sweep",
            [keys.OPEN_SET, keys.ARQ_QUEUE, keys.HELD, keys.CLOCK],
            [BELLS_MAX, BELLS_MAX, RING_AGAIN_MS],
        )
        due = [str(name, "ascii") for name in named]
        if due:
            stamp = await self._now_ms()
            # The stamp makes each ringing a new arq job: an id that is queued or was left
            # "in progress" by a dead worker can't be enqueued again.
            await asyncio.gather(
                *(self._ring(bell, f"{bell[0]}@{stamp}") for bell in share_out(due))
            )
        return len(due)

    async def take(self, batch_ids: Sequence[str]) -> tuple[list[Taken], list[str]]:
        """(taken, lost): the batches that were open and held by nobody, now held by `owner`; and
        those that are open but have no frame, which nothing of ours can bring about.

        Raises StoreUnavailable.
        """
        answers = await self._run(
            "take",
            [keys.OPEN_SET, keys.HELD, keys.CLOCK],
            [
                self.owner,
                self.lease_ms,
                keys.BATCH_PREFIX,
                keys.DONE_PREFIX,
                SUSPECT_TAKES,
                *batch_ids,
            ],
        )
        pairs = list(zip(batch_ids, answers, strict=True))
        taken = [
            Taken(BatchId.parse(b), a[0], a[1], bool(a[2])) for b, a in pairs if isinstance(a, list)
        ]
        return taken, [batch_id for batch_id, answer in pairs if answer == b"lost"]

    async def begin(self, batch_id: str) -> bool:
        """Counts the take of a suspect, whose work begins only now. False: no longer held.

        Raises StoreUnavailable.
        """
        return bool(await self._run("begin", [keys.HELD], [self.owner, batch_id]))

    async def keep(self, batch_ids: Sequence[str]) -> list[str]:
        """Heartbeat. The ids whose lease was lost meanwhile. Raises StoreUnavailable."""
        lost = await self._run(
            "keep", [keys.OPEN_SET, keys.HELD, keys.CLOCK], [self.owner, self.lease_ms, *batch_ids]
        )
        return [str(batch_id, "ascii") for batch_id in lost]

    async def release(self, batch_id: str, *, delay_ms: int = 0, counts: bool) -> None:
        """Gives a batch back unsettled, due after `delay_ms`. Raises StoreUnavailable.

        `counts=False` for a graceful stop: the take is forgotten, it says nothing of the batch.
        """
        args = [self.owner, batch_id, delay_ms, 0 if counts else 1]
        await self._run("release", [keys.OPEN_SET, keys.HELD], args)

    async def settle(self, batch_id: BatchId, settlement: Settlement) -> bool:
        """Books every event of a held batch and removes it. False: the lease was lost meanwhile.

        Raises StoreUnavailable, and ValueError when the settlement forgets or doubles an event.
        """
        if settlement.events != batch_id.events:
            raise ValueError(f"settlement of {settlement.events} events for {batch_id}")
        args = settle_args(self.owner, batch_id, settlement, self.trace_ms)
        args += await self._writer.args(settlement.letters)
        answer = await self._run("settle", settle_keys(batch_id, settlement.run), args)
        return answer is not None

    async def mark_delivered(self, batch_id: str, positions: Sequence[int]) -> None:
        """Remembers what Platform took, should the batch have to be worked on again, and counts it
        for the edge; not when the lease was lost. Raises StoreUnavailable."""
        edge = keys.edge(BatchId.parse(batch_id).connection)
        names = [keys.HELD, keys.DONE_PREFIX + batch_id, edge]
        for start in range(0, len(positions), _MARKS_AT_ONCE):
            marks = positions[start : start + _MARKS_AT_ONCE]
            await self._run("mark", names, [self.owner, batch_id, *marks])

    async def delivered_before(self, batch_id: str) -> set[int]:
        """Positions that were marked delivered by an earlier take."""
        with store_faults():
            members = await cast(
                Awaitable[set[bytes]], self.redis.smembers(keys.DONE_PREFIX + batch_id)
            )
        # What a power cut garbled at the end of its file (README, "Redis") is no mark.
        return {int(position) for position in members if position.isdigit()}

    async def open_ids(self) -> list[tuple[BatchId, int]]:
        """Every open batch and the Redis ms at which it is due, the longest due first."""
        with store_faults():
            pairs = await self.redis.zrange(keys.OPEN_SET, 0, -1, withscores=True)
        return [(BatchId.parse(str(name, "ascii")), int(score)) for name, score in pairs]

    async def overdue_ms(self) -> int:
        """How long the longest due batch has waited beyond its time; 0 when none is due."""
        with store_faults():
            first = await self.redis.zrange(keys.OPEN_SET, 0, 0, withscores=True)
        return max(0, await self._now_ms() - int(first[0][1])) if first else 0

    async def pressure(self) -> Pressure:
        """How full the store is. Raises StoreUnavailable, also when replicas that a commit would
        wait for are not there."""
        with store_faults():
            memory = await self.redis.info("memory")
            await self._count_replicas()
            backlog = int(await self.redis.get(keys.BACKLOG) or 0)
            batches = int(await self.redis.zcard(keys.OPEN_SET))
        return Pressure(int(memory["used_memory"]), int(memory["maxmemory"]), backlog, batches)

    async def _count_replicas(self) -> None:
        if not self.wait_replicas:
            return
        replication = await self.redis.info("replication")
        # One that is still being sent its first copy answers no WAIT.
        states = [
            each["state"]
            for name, each in replication.items()
            if name.startswith("slave") and isinstance(each, dict)
        ]
        if states.count("online") < self.wait_replicas:
            raise StoreUnavailable("replicas", f"{len(states)} of {self.wait_replicas} are there")

    async def pulse(self) -> None:
        """Leaves a sign of life, and so finds out whether Redis takes writes at all.

        Raises StoreUnavailable: a read-only or full server answers reads, and nothing else.
        """
        with store_faults():
            await self.redis.set(keys.WORKER_PREFIX + self.owner, b"", px=PULSE_MS)

    async def ping(self) -> None:
        """Raises StoreUnavailable when Redis cannot be used."""
        with store_faults():
            await self.redis.ping()

    async def _ring(self, batch_ids: Sequence[str], job_id: str) -> None:
        # Due at the batch's number, not at a time: arq compares scores with the clock of whoever
        # listens, and a bell from a machine whose clock is ahead would be heard hours later. Any
        # number of ours is far in the past by then, and in order.
        due = ms_to_datetime(BatchId.parse(batch_ids[0]).number)
        with store_faults():
            await self.redis.enqueue_job(
                JOB, list(batch_ids), _job_id=job_id, _defer_until=due, _expires=BELL_LIFE_SECONDS
            )

    async def _now_ms(self) -> int:
        with store_faults():
            seconds, micros = await self.redis.time()
        return int(seconds) * 1000 + int(micros) // 1000

    async def _commit_copied(self, redis_keys: list[str], args: list[Any]) -> Any:
        """A batch that too few replicas have stays on the queue, as one whose answer was lost."""
        wanted = self.wait_replicas
        answer, copies = await self._script("commit").copied(redis_keys, args, wanted, COPY_MS)
        if copies < wanted:
            raise StoreUnavailable("replicas", f"{copies} of {wanted} have it after {COPY_MS} ms")
        return answer

    async def _run(self, name: str, redis_keys: list[str], args: list[Any]) -> Any:
        return await self._script(name)(redis_keys, args)

    def _script(self, name: str) -> Script:
        script = self._scripts.get(name)
        if script is None:
            script = self._scripts[name] = Script(self.redis, name, alone=name == "commit")
        return script


def takes_most(batch_id: BatchId) -> int:
    """How often a batch is worked on; taken once more, it is split, or is poison."""
    return SUSPECT_TAKES + (ALONE_TAKES - 1 if batch_id.events == 1 else 0)
