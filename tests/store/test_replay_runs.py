"""Replay runs over a real server: frozen, put step by step, stopped, ended, each letter once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from arq.connections import ArqRedis

from app.core.batch import decode
from app.core.replay import run_of
from app.core.replay_run import Orders, ReplayRun, RunState
from app.core.selection import Census
from app.store import keys
from app.store.connect import open_store
from app.store.dead_letters import DeadLetters, Filter
from app.store.ledger import Ledger
from app.store.replay_runs import ReplayRuns
from app.store.replay_steps import Look, ReplaySteps, Sight, Step
from tests.conftest import RedisServer
from tests.store.burying import NOW_MS, bury, open_batches, settle

FAST = Orders(rate=100_000.0, stop_at=0.2, stop_least=10)


@pytest.fixture
def runs(store: ArqRedis) -> ReplayRuns:
    return ReplayRuns(store)


@pytest.fixture
def steps(store: ArqRedis) -> ReplaySteps:
    return ReplaySteps(store, "worker-1")


async def begun(
    runs: ReplayRuns, wanted: Filter | None = None, orders: Orders = FAST
) -> tuple[ReplayRun, Census]:
    wanted = wanted or Filter()
    run = await runs.begin(wanted, orders, "anna@here")
    census = await runs.freeze(run, wanted)
    assert census is not None
    assert await runs.start(run.number) is RunState.FROZEN
    return await now(runs, run), census


async def now(runs: ReplayRuns, run: ReplayRun) -> ReplayRun:
    found = await runs.get(run.number)
    assert found is not None
    return found


async def go(steps: ReplaySteps, run: ReplayRun, most: int = 500) -> tuple[Look, Step | None]:
    """One look and, if there is anything to do, one step."""
    look = await steps.look(run.number)
    if look.sight not in (Sight.TAKEN, Sight.MINE) or not look.parts:
        return look, None
    assert look.run is not None
    return look, await steps.step(look.run, look.parts[0], most, NOW_MS)


async def finish(steps: ReplaySteps, run: ReplayRun, most: int = 500) -> None:
    while (await go(steps, run, most))[1]:
        pass


async def dead(store: ArqRedis) -> list[str]:
    return sorted([x.event_id async for x in DeadLetters(store).find(Filter())])


async def adds_up(store: ArqRedis) -> None:
    assert (await Ledger(store).read()).faults == ()


async def test_what_dies_after_the_cut_off_is_not_in_the_selection(
    store: ArqRedis, runs: ReplayRuns
) -> None:
    await bury(store, ["e1", "e2"])
    run = await runs.begin(Filter(), FAST, "anna@here")
    await bury(store, ["late"])

    census = await runs.freeze(run, Filter())

    assert census is not None
    assert (census.letters, (await now(runs, run)).frozen, run.cutoff) == (2, 2, 2)


async def test_a_census_tells_what_was_selected(store: ArqRedis, runs: ReplayRuns) -> None:
    await bury(store, ["e1", "e2"])
    await bury(store, ["e3"], "b", "schema")

    run, _ = await begun(runs)
    only_b, _ = await begun(runs, Filter(connection="b"))

    found = run.census
    assert (found["connections"], found["classes"]) == (
        {"a": 2, "b": 1},
        {"contract": 2, "schema": 1},
    )
    assert (found["kinds"], found["oldest_ms"]) == ({"email.sent": 3}, NOW_MS)
    assert (only_b.frozen, only_b.wanted) == (1, {"connection": "b"})


async def test_a_run_does_not_keep_whom_it_was_about(runs: ReplayRuns) -> None:
    run = await runs.begin(Filter(person="anna@example.org", kind="x"), FAST, "anna@here")

    assert run.wanted == {"kind": "x", "person": "(one)"}


async def test_every_letter_is_put_once_and_the_ledger_adds_up_at_every_step(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    names = [f"e{at}" for at in range(23)]
    await bury(store, names[:11])
    await bury(store, names[11:], "b")
    run, _ = await begun(runs)

    while (await go(steps, run, 5))[1]:
        await adds_up(store)

    taken = await open_batches(store)
    put = [body.decode() for batch in taken for body in decode(batch.frame).bodies]
    assert sorted(put) == sorted(names)
    assert {run_of(decode(batch.frame).history(0)) for batch in taken} == {run.number}
    assert {(batch.batch_id.connection, batch.batch_id.hour) for batch in taken} == {
        ("a", taken[0].batch_id.hour), ("b", taken[0].batch_id.hour),
    }  # fmt: skip
    run = await now(runs, run)
    assert (run.put, run.gone, run.in_flight, run.to_come, run.state) == (23, 0, 23, 0, "running")
    assert await dead(store) == []


async def test_it_is_finished_when_the_last_one_is_settled(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    await bury(store, ["e1", "e2", "e3"])
    run, _ = await begun(runs, orders=replace(FAST, stop_at=1.0))
    await finish(steps, run)
    [batch] = await open_batches(store)

    assert (await steps.look(run.number)).sight is Sight.MINE
    await settle(store, batch, dead=1)
    assert (await steps.look(run.number)).sight is Sight.FINISHED

    run = await now(runs, run)
    assert (run.state, run.delivered, run.dead, run.in_flight) == ("finished", 2, 1, 0)
    assert await steps.active() == []
    assert not await store.exists(keys.replay_selection(run.number), keys.replay_places(run.number))
    await adds_up(store)


async def test_a_letter_that_died_again_knows_its_history(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    await bury(store, ["e1"])
    for _ in range(2):
        run, _ = await begun(runs)
        await finish(steps, run)
        [batch] = await open_batches(store)
        await settle(store, batch, dead=1)
        await steps.look(run.number)

    [summary] = [x async for x in DeadLetters(store).find(Filter())]
    [whole] = await DeadLetters(store).get([summary.number])
    assert (summary.replays, summary.run) == (2, run.number)
    assert [(x.failure, x.code) for x in whole.history] == [
        ("contract", "DCVS-1106-400"), ("replayed", "run:1"),
        ("contract", "DCVS-1106-400"), ("replayed", "run:2"),
    ]  # fmt: skip


async def test_a_step_done_twice_does_nothing_the_second_time(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    """A reply that got lost, a worker that comes back from a long pause."""
    await bury(store, [f"e{at}" for at in range(6)])
    run, _ = await begun(runs)
    look = await steps.look(run.number)
    assert look.run is not None

    first = await steps.step(look.run, look.parts[0], 3, NOW_MS)
    again = await steps.step(look.run, look.parts[0], 3, NOW_MS)

    assert (first.put, again.moved, again.put) == (3, True, 0)
    assert len(await dead(store)) == 3
    assert (await now(runs, run)).put == 3
    await adds_up(store)


async def test_another_worker_goes_on_where_a_dead_one_left_off(
    store: ArqRedis, runs: ReplayRuns
) -> None:
    await bury(store, [f"e{at}" for at in range(6)])
    run, _ = await begun(runs)
    dying, heir = ReplaySteps(store, "dying", lease_ms=60_000), ReplaySteps(store, "heir")
    look, step = await go(dying, run, 4)
    assert (look.sight, step and step.put) == (Sight.TAKEN, 4)

    assert (await heir.look(run.number)).sight is Sight.OTHER
    await store.hset(keys.replay_run(run.number), "lease_until", "1")
    late = await steps_of(dying, look)
    look, step = await go(heir, run)

    assert (look.sight, look.parts[0].place, step and step.put) == (Sight.TAKEN, 4, 2)
    assert late.moved
    assert await dead(store) == []
    assert (await now(runs, run)).put == 6
    await adds_up(store)


async def steps_of(steps: ReplaySteps, look: Look) -> Step:
    """A step from what a look saw a while ago."""
    assert look.run is not None
    return await steps.step(look.run, look.parts[0], 500, NOW_MS)


async def test_letters_that_others_took_meanwhile_are_counted_as_gone(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    await bury(store, ["e1", "e2", "e3", "e4"])
    run, _ = await begun(runs)
    letters = DeadLetters(store)
    by_name = {x.event_id: x async for x in letters.find(Filter())}
    await letters.discard([by_name["e2"]])
    await letters.replay([by_name["e3"].number], NOW_MS)

    await finish(steps, run)

    run = await now(runs, run)
    assert (run.put, run.gone, run.to_come) == (2, 2, 0)
    await adds_up(store)


async def test_letters_that_go_between_reading_and_putting_are_gone_too(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bury(store, ["e1", "e2", "e3"])
    run, _ = await begun(runs)
    letters, read = DeadLetters(store), DeadLetters.get

    async def read_and_lose(self: DeadLetters, numbers: list[int]) -> list[object]:
        found = await read(self, numbers)
        await letters.discard([x.summary for x in found[:2]])
        return list(found)

    monkeypatch.setattr(DeadLetters, "get", read_and_lose)
    _, step = await go(steps, run)

    assert step is not None
    assert (step.put, step.gone) == (1, 2)
    await adds_up(store)


async def test_a_letter_whose_body_cannot_be_read_stays_dead(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    await bury(store, ["e1", "e2", "e3"])
    run, _ = await begun(runs)
    await store.hdel(keys.DEAD_PAYLOADS, "2")

    await finish(steps, run)

    run = await now(runs, run)
    assert (run.put, run.gone, await dead(store)) == (2, 1, ["e2"])
    await adds_up(store)


async def test_what_died_again_in_a_run_can_be_asked_for(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    await bury(store, ["e1", "e2"])
    run, _ = await begun(runs, orders=replace(FAST, stop_at=1.0))
    await finish(steps, run)
    [batch] = await open_batches(store)
    await settle(store, batch, dead=1)
    await bury(store, ["other"])

    found = [x.event_id async for x in DeadLetters(store).find(Filter(run=run.number))]

    assert len(found) == 1
    assert found[0] in ("e1", "e2")


async def test_two_runs_over_the_same_letters_replay_each_once(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    await bury(store, [f"e{at}" for at in range(9)])
    one, _ = await begun(runs)
    two, _ = await begun(runs)

    for _ in range(9):
        await go(steps, one, 2)
        await go(steps, two, 2)

    one, two = await now(runs, one), await now(runs, two)
    assert one.put + two.put == 9
    assert (one.put + one.gone, two.put + two.gone) == (9, 9)
    assert sum(batch.batch_id.events for batch in await open_batches(store)) == 9
    await adds_up(store)


async def test_the_rate_holds_whoever_asks(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    await bury(store, [f"e{at}" for at in range(9)])
    run, _ = await begun(runs, orders=replace(FAST, rate=1.0))

    _, first = await go(steps, run, 3)
    _, second = await go(steps, run, 3)

    assert first is not None and second is not None
    # Three are due at one a second, less what may be made up for.
    assert (first.put, second.put) == (3, 0)
    assert 1_000 < second.wait_ms <= 3_000


async def test_it_stops_by_itself_when_too_many_die_again_and_can_be_resumed(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    await bury(store, [f"e{at}" for at in range(30)])
    run, _ = await begun(runs)
    await go(steps, run, 10)
    [batch] = await open_batches(store)
    await settle(store, batch, dead=3)

    assert (await steps.look(run.number)).sight is Sight.STOPPED

    stopped = await now(runs, run)
    assert (stopped.state, stopped.reason) == (
        "stopped", "of the last 10 that were settled, 3 died again",
    )  # fmt: skip
    assert (await go(steps, run))[0].sight is Sight.GONE
    assert len(await dead(store)) == 23
    assert await runs.start(run.number, rate=7.0) is RunState.STOPPED
    look, step = await go(steps, run)
    assert (look.sight, look.run and look.run.orders.rate) == (Sight.TAKEN, 7.0)
    assert step is not None and step.put == 20
    await adds_up(store)


async def test_a_run_of_which_nothing_is_left_is_not_stopped(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    await bury(store, [f"e{at}" for at in range(10)])
    run, _ = await begun(runs)
    await go(steps, run)
    [batch] = await open_batches(store)
    await settle(store, batch, dead=10)

    assert (await steps.look(run.number)).sight is Sight.FINISHED


async def test_at_the_bound_it_goes_on(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    await bury(store, [f"e{at}" for at in range(30)])
    run, _ = await begun(runs)
    await go(steps, run, 10)
    [batch] = await open_batches(store)
    await settle(store, batch, dead=2)

    assert (await steps.look(run.number)).sight is Sight.MINE


async def test_what_went_well_before_does_not_hide_what_goes_wrong_now(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    await bury(store, [f"e{at}" for at in range(130)])
    run, _ = await begun(runs)
    await go(steps, run, 100)
    [batch] = await open_batches(store)
    await settle(store, batch)
    assert (await steps.look(run.number)).sight is Sight.MINE
    await go(steps, run, 10)
    [batch] = await open_batches(store)
    await settle(store, batch, dead=3)

    # Three of a hundred and ten, but three of the last ten.
    assert (await steps.look(run.number)).sight is Sight.STOPPED


async def test_a_paused_run_does_nothing_until_it_is_resumed(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    await bury(store, [f"e{at}" for at in range(6)])
    run, _ = await begun(runs)
    look, _ = await go(steps, run, 2)

    assert await runs.pause(run.number, "paused by anna") is RunState.RUNNING
    late = await steps_of(steps, look)
    assert late.moved
    assert await steps.active() == []
    assert (await steps.look(run.number)).sight is Sight.GONE
    assert (await now(runs, run)).reason == "paused by anna"

    assert await runs.start(run.number) is RunState.PAUSED
    await finish(steps, run)
    assert (await now(runs, run)).put == 6


async def test_a_cancelled_run_leaves_the_rest_where_it_is(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    await bury(store, [f"e{at}" for at in range(6)])
    run, _ = await begun(runs)
    await go(steps, run, 2)

    assert await runs.cancel(run.number, "") is RunState.RUNNING

    assert await runs.start(run.number) is RunState.CANCELLED
    assert (await now(runs, run)).state is RunState.CANCELLED
    assert len(await dead(store)) == 4
    assert not await store.exists(keys.replay_selection(run.number), keys.replay_places(run.number))
    # What is on its way is still counted.
    [batch] = await open_batches(store)
    await settle(store, batch, dead=1)
    run = await now(runs, run)
    assert (run.delivered, run.dead, run.in_flight) == (1, 1, 0)
    await adds_up(store)


async def test_a_selection_that_nobody_completed_is_thrown_away_visibly(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    await bury(store, ["e1"])
    run = await runs.begin(Filter(), FAST, "anna@here")

    assert (await steps.look(run.number)).sight is Sight.OTHER
    await store.hset(keys.replay_run(run.number), "lease_until", "1")
    assert (await steps.look(run.number)).sight is Sight.ABANDONED

    assert await runs.freeze(run, Filter()) is None
    found = await now(runs, run)
    assert (found.state, "went away" in found.reason) == (RunState.CANCELLED, True)
    assert await dead(store) == ["e1"]


async def test_a_frozen_run_waits_for_a_yes_and_no_worker_touches_it(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps
) -> None:
    await bury(store, ["e1"])
    run = await runs.begin(Filter(), FAST, "anna@here")
    await runs.freeze(run, Filter())

    assert await steps.active() == []
    assert (await steps.look(run.number)).sight is Sight.GONE
    assert [x.state for x in await runs.newest(5)] == [RunState.FROZEN]


async def test_what_cannot_be_is_refused(runs: ReplayRuns, store: ArqRedis) -> None:
    await bury(store, ["e1"])
    run, _ = await begun(runs)

    assert await runs.pause(99, "") is None
    assert not runs.may(await runs.start(run.number), RunState.RUNNING)
    assert await runs.get(99) is None
    assert (await now(runs, run)).state is RunState.RUNNING


async def test_the_oldest_letters_go_first_over_many_parts(
    store: ArqRedis, runs: ReplayRuns, steps: ReplaySteps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.replay_runs._PART", 4)
    for at in range(5):
        await bury(store, [f"e{at}{x}" for x in range(2)])
    run, census = await begun(runs)
    look = await steps.look(run.number)

    assert (census.letters, len(look.parts)) == (10, 3)
    order = []
    while True:
        _, step = await go(steps, run)
        if step is None:
            break
        for batch in await open_batches(store):
            order += [body.decode() for body in decode(batch.frame).bodies]
            await settle(store, batch)
    assert order == [f"e{at}{x}" for at in range(5) for x in range(2)]


async def test_a_run_goes_its_way_on_the_oldest_redis_that_is_supported(
    debian_redis: RedisServer,
) -> None:
    debian_redis.flush()
    redis = open_store(debian_redis.url)
    try:
        runs, steps = ReplayRuns(redis), ReplaySteps(redis, "worker-1")
        await bury(redis, [f"e{at}" for at in range(30)])
        run, _ = await begun(runs)
        await go(steps, run, 10)
        [batch] = await open_batches(redis)
        await settle(redis, batch, dead=3)
        assert (await steps.look(run.number)).sight is Sight.STOPPED
        await runs.start(run.number)
        await finish(steps, run)
        for batch in await open_batches(redis):
            await settle(redis, batch)
        assert (await steps.look(run.number)).sight is Sight.FINISHED
        run = await now(runs, run)
        assert (run.put, run.delivered, run.dead) == (30, 27, 3)
        await adds_up(redis)
    finally:
        await redis.aclose(close_connection_pool=True)
