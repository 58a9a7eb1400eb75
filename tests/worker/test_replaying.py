"""The worker's loop over replay runs: when it goes on, when it waits and why, what it tells."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest
from arq.connections import ArqRedis
from structlog.testing import capture_logs

from app.core.replay_run import Orders, ReplayRun, RunState
from app.store import keys
from app.store.batches import Batches, Pressure
from app.store.dead_letters import DeadLetters, Filter
from app.store.lanes import Gate, Lanes
from app.store.replay_runs import ReplayRuns
from app.store.replay_steps import ReplaySteps
from app.store.waiting import Waiting
from tests.store.burying import bury, open_batches, settle
from worker.mending import Mender
from worker.metrics import Metrics
from worker.replaying import BUSY_SECONDS, IDLE_SECONDS, SETTLING_SECONDS, Bounds, Replaying

ORDERS = Orders(rate=100_000.0, stop_at=0.2, stop_least=10)


@dataclass(slots=True)
class Fullness:
    """What Redis would say of itself; bells go nowhere."""

    batches: Batches
    memory_used: int = 0
    backlog_events: int = 0

    async def pressure(self) -> Pressure:
        return Pressure(self.memory_used, 1_000, self.backlog_events, 0)

    async def ring_all(self, batch_ids: list[str]) -> None:
        await self.batches.ring_all(batch_ids)


class Bench:
    """One worker's loop, and what tests ask about its runs."""

    def __init__(self, store: ArqRedis, owner: str = "worker-1") -> None:
        self.store = store
        self.runs = ReplayRuns(store)
        self.steps = ReplaySteps(store, owner)
        self.lanes = Lanes(store)
        self.fullness = Fullness(Batches(store))
        self.metrics = Metrics()
        self.now = 1_800_000_000.0
        self.naps: list[float] = []
        self.loop = Replaying(
            self.steps, self.runs, self.lanes, self.fullness, Bounds(1_000, 0.5), self.metrics,
            Mender({}),
            clock=lambda: self.now, sleep=self.nap,
        )  # fmt: skip

    async def nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        if len(self.naps) == 2:
            raise asyncio.CancelledError

    async def begin(self, wanted: Filter | None = None, orders: Orders = ORDERS) -> ReplayRun:
        run = await self.runs.begin(wanted or Filter(), orders, "anna@here")
        await self.runs.freeze(run, wanted or Filter())
        await self.runs.start(run.number)
        return await self.seen(run)

    async def seen(self, run: ReplayRun) -> ReplayRun:
        found = await self.runs.get(run.number)
        assert found is not None
        return found

    async def look(self, run: ReplayRun) -> ReplayRun:
        self.now += 2
        await self.loop.look()
        return await self.seen(run)

    async def settle_all(self, dead: int = 0) -> None:
        for batch in await open_batches(self.store):
            await settle(self.store, batch, dead)


@pytest.fixture
def bench(store: ArqRedis) -> Bench:
    return Bench(store)


async def bury_many(bench: Bench, count: int = 60, connection: str = "a") -> None:
    await bury(bench.store, [f"{connection}{at}" for at in range(count)], connection)


async def test_a_run_is_worked_off_and_each_change_is_told_once(bench: Bench) -> None:
    await bury_many(bench)
    run = await bench.begin()

    with capture_logs() as told:
        while (await bench.look(run)).state is RunState.RUNNING:
            await bench.settle_all()
        await bench.loop.look()

    run = await bench.seen(run)
    assert (run.state, run.put, run.delivered) == (RunState.FINISHED, 60, 60)
    assert [entry["event"] for entry in told] == ["replay.started", "replay.finished"]
    assert told[-1]["delivered"] == 60
    put = bench.metrics.registry.get_sample_value(
        "sluice_replayed_events_total", {"connection": "a", "outcome": "put"}
    )
    assert put == 60


async def test_no_more_is_put_than_the_bound_needs_until_so_many_are_settled(bench: Bench) -> None:
    await bury_many(bench)
    run = await bench.begin()

    first = await bench.look(run)
    again = await bench.look(run)
    assert (first.put, again.put) == (10, 10)
    assert "settled" in again.holding

    await bench.settle_all()
    after = await bench.look(run)
    assert (after.put, after.holding) == (60, "")


async def test_a_run_that_fails_again_stops_early(bench: Bench) -> None:
    await bury_many(bench)
    run = await bench.begin()
    await bench.look(run)
    await bench.settle_all(dead=10)

    with capture_logs() as told:
        run = await bench.look(run)
        await bench.look(run)

    assert (run.state, run.put, run.dead) == (RunState.STOPPED, 10, 10)
    assert [entry["event"] for entry in told] == ["replay.stopped"]


async def test_a_held_lane_is_waited_for_and_another_connection_goes_first(bench: Bench) -> None:
    await bury_many(bench, 5, "a")
    await bury_many(bench, 5, "b")
    run = await bench.begin()
    # The parts of b are the older ones in the order of the selection.
    await bench.lanes.pause("b", "operator:holiday", None, by_operator=True)

    held = await bench.look(run)
    assert (held.put, "lane of b" in held.holding) == (5, True)
    assert {batch.batch_id.connection for batch in await open_batches(bench.store)} == {"a"}

    await bench.lanes.resume("b")
    assert (await bench.look(run)).put == 10


async def test_new_events_that_wait_for_their_lane_go_first(bench: Bench) -> None:
    await bury_many(bench, 5)
    run = await bench.begin()
    batches, waiting = Batches(bench.store), Waiting(bench.store)
    name = await batches.commit("a", b"frame", 1)
    await waiting.park("a", [name])

    held = await bench.look(run)
    assert (held.put, "no room" in held.holding) == (0, True)

    await waiting.pull("a", 10, 10)
    assert (await bench.look(run)).put == 5


@pytest.mark.parametrize(
    ("full", "word"), [({"memory_used": 401}, "memory"), ({"backlog_events": 801}, "backlog")]
)
async def test_it_waits_before_webhooks_would_be_refused(
    bench: Bench, full: dict[str, int], word: str
) -> None:
    await bury_many(bench, 5)
    run = await bench.begin()
    empty = bench.fullness
    bench.loop._batches = replace(empty, **full)  # the bound is known to one place only

    held = await bench.look(run)
    assert (held.put, word in held.holding) == (0, True)

    bench.loop._batches = empty
    assert (await bench.look(run)).put == 5


async def test_a_worker_takes_over_from_one_that_died(bench: Bench) -> None:
    await bury_many(bench)
    run = await bench.begin()
    await bench.look(run)
    await bench.settle_all()
    other = Bench(bench.store, "worker-2")
    assert (await other.look(run)).put == 10

    await bench.store.hset(keys.replay_run(run.number), "lease_until", "1")
    with capture_logs() as told:
        run = await other.look(run)
        assert (await bench.look(run)).put == 60

    assert (run.put, run.owner) == (60, "worker-2")
    assert [entry["event"] for entry in told] == ["replay.went_on"]


async def test_what_a_person_did_is_told_by_the_worker_that_had_it(bench: Bench) -> None:
    await bury_many(bench)
    run = await bench.begin()
    await bench.look(run)

    with capture_logs() as told:
        await bench.runs.pause(run.number, "paused by anna@here")
        await bench.look(run)
        await bench.runs.start(run.number)
        await bench.look(run)
        await bench.runs.cancel(run.number, "cancelled by anna@here")
        await bench.look(run)

    assert [entry["event"] for entry in told] == [
        "replay.paused", "replay.went_on", "replay.cancelled",
    ]  # fmt: skip
    assert told[0]["reason"] == "paused by anna@here"


async def test_a_letter_that_cannot_be_read_pauses_the_run_for_a_person(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bury_many(bench, 3)
    run = await bench.begin()

    async def broken(self: DeadLetters, numbers: list[int]) -> list[object]:
        raise ValueError("damaged")

    monkeypatch.setattr(DeadLetters, "get", broken)
    with capture_logs() as told:
        await bench.look(run)
        run = await bench.look(run)

    assert (run.state, run.reason) == (RunState.PAUSED, "a step failed: ValueError")
    assert [entry["event"] for entry in told][1:] == ["replay.stumbled", "replay.paused"]


async def test_a_lane_whose_pause_is_over_is_tried_even_if_nobody_else_comes(bench: Bench) -> None:
    await bury_many(bench, 5)
    run = await bench.begin()
    await bench.lanes.pause("a", "transient:http_500", 0.001)
    while (await bench.lanes.state("a")).gate is Gate.PAUSED:  # noqa: ASYNC110  # Redis' own clock
        await asyncio.sleep(0)

    assert (await bench.look(run)).put == 5


async def test_the_loop_looks_often_only_while_there_is_work(bench: Bench) -> None:
    with pytest.raises(asyncio.CancelledError):
        await bench.loop.run()
    assert bench.naps == [IDLE_SECONDS, IDLE_SECONDS]

    bench.naps.clear()
    await bury_many(bench)
    run = await bench.begin(orders=replace(ORDERS, rate=4.0))
    with pytest.raises(asyncio.CancelledError):
        await bench.loop.run()
    assert bench.naps == [BUSY_SECONDS, BUSY_SECONDS]

    bench.naps.clear()
    await bench.runs.pause(run.number, "")
    other = await bench.begin()
    with pytest.raises(asyncio.CancelledError):
        await bench.loop.run()
    assert bench.naps == [SETTLING_SECONDS, SETTLING_SECONDS]
    await bench.runs.cancel(other.number, "")
