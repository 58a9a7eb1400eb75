"""Bulk replays with real processes: killed, restarted, steered, stopped; every letter once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from app.core.errors import StoreUnavailable
from app.core.replay_run import ReplayRun, RunState
from app.sandbox.traffic import Shot, ShotKind, generate
from app.store.dead_letters import DeadLetters, Filter
from app.store.lanes import Lanes
from app.store.replay_runs import ReplayRuns
from tests.e2e.system import Sent, System

# Each kill costs the lease of a batch, and each command its start.
pytestmark = pytest.mark.timeout(180)

BROKEN = b'{"event_id": "01K0000000000000000000DEAD", "metric"'


async def all_die(system: System, count: int, seed: int) -> Sent:
    """Events that Platform refuses, every one."""
    await system.fault(partial=1.0, partial_status=400)
    shots = [Shot(ShotKind.EVENT, at, body) for at, body in enumerate(generate(seed, count))]
    sent = await system.send(shots)
    row = await system.settled()
    assert (row.dead, row.delivered) == (count, 0)
    return sent


async def run_of(system: System, number: int = 1) -> ReplayRun:
    async with system.store() as store:
        found = await ReplayRuns(store).get(number)
    assert found is not None
    return found


async def until_run(
    system: System, wanted: Callable[[ReplayRun], bool], number: int = 1, seconds: float = 90
) -> ReplayRun:
    """The run, once it is as wanted; the ledger adds up all the while."""
    async with asyncio.timeout(seconds):
        while True:
            with suppress(StoreUnavailable):
                async with system.store() as store:
                    run = await ReplayRuns(store).get(number)
                if run is not None and wanted(run):
                    return run
                assert (await system.balance()).faults == ()
            await asyncio.sleep(0.02)


def over(run: ReplayRun) -> bool:
    return run.state is RunState.FINISHED


async def replay(system: System, *words: str) -> Any:
    """A run that goes on by itself; its document."""
    answered = await system.sluice("dead-letters", "replay", *words, "--detach", "--json")
    assert answered.code == 0, answered.err
    return answered.json


@pytest.mark.crash
async def test_each_letter_is_replayed_once_whoever_is_killed(system: System) -> None:
    sent = await all_die(system, 2_400, 21)
    await system.recover()
    [worker] = system.workers
    command = system.process(
        "replay", "-m", "app", "dead-letters", "replay", "--all", "--yes", "--rate", "800"
    )
    command.start()

    flying = 0
    for put in (300, 900, 1_500):
        await until_run(system, lambda run, put=put: run.put >= put)  # type: ignore[misc]  # bound now
        command.kill()
        # Nothing moves while we look at what is in flight, and will be sent again at worst.
        worker.send(signal.SIGSTOP)
        flying += (await run_of(system)).in_flight
        worker.kill()
        worker.start()
    run = await until_run(system, over)

    assert (run.frozen, run.put, run.gone, run.delivered, run.dead) == (2_400, 2_400, 0, 2_400, 0)
    row = await system.settled()
    assert (row.delivered, row.dead) == (2_400, 0)
    arrived = await system.arrived()
    assert arrived.keys() == sent.ids
    assert sum(arrived.values()) - 2_400 <= flying


@pytest.mark.crash
async def test_a_run_outlives_redis(system: System) -> None:
    sent = await all_die(system, 600, 22)
    await system.recover()
    await replay(system, "--all", "--rate", "300")

    await until_run(system, lambda run: run.put >= 150)
    system.redis.kill()
    system.redis.start()
    run = await until_run(system, over)

    assert (run.put, run.delivered, run.in_flight) == (600, 600, 0)
    assert (await system.settled()).delivered == 600
    assert (await system.arrived()).keys() == sent.ids


async def test_overlapping_runs_and_a_discard_take_each_letter_once(system: System) -> None:
    sent = await all_die(system, 900, 23)
    await system.recover()
    async with system.store() as store:
        lanes, letters = Lanes(store), DeadLetters(store)
        # Both wait for their lane until all is as it is to be.
        await lanes.pause("example", "operator:test", None, by_operator=True)
        first = await replay(system, "--all", "--rate", "300")
        second = await replay(system, "--class", "contract", "--rate", "300")
        await until_run(system, lambda run: "held back" in run.holding, 2)
        newest = [letter async for letter in letters.find(Filter())][:50]
        gone = await letters.discard(newest)
        await lanes.resume("example")
    assert (first["frozen"], second["frozen"], gone) == (900, 900, 50)

    one = await until_run(system, over, 1)
    two = await until_run(system, over, 2)

    assert one.put + two.put == 850
    assert one.put > 0 and two.put > 0
    assert (one.put + one.gone, two.put + two.gone) == (900, 900)
    row = await system.settled()
    assert (row.delivered, row.discarded, row.dead) == (900 - gone, gone, 0)
    arrived = await system.arrived()
    assert (len(arrived), set(arrived.values())) == (900 - gone, {1})
    assert arrived.keys() <= sent.ids


async def test_a_run_that_fails_again_stops_and_the_letters_know_their_history(
    system: System,
) -> None:
    await all_die(system, 400, 24)

    answered = await system.sluice(
        "dead-letters", "replay", "--all", "--yes", "--rate", "2000", "--stop-least", "50"
    )

    run = await until_run(system, lambda run: run.in_flight == 0)
    assert (answered.code, "stopped" in answered.out) == (1, True)
    assert (run.state, run.dead, run.put) == (RunState.STOPPED, run.put, run.put)
    # No more than the bound needs to judge, and what one batch brings beyond it.
    assert 50 <= run.put <= 100
    assert len(system.workers[0].lines("replay.stopped")) == 1
    listed = await system.sluice("dead-letters", "list", "--run", "1", "--json")
    assert len(listed.json) == min(50, run.dead)
    letter = listed.json[0]
    assert (letter["replays"], letter["run"]) == (1, 1)
    shown = await system.sluice("dead-letters", "show", str(letter["number"]), "--json")
    assert [attempt["failure"] for attempt in shown.json["attempts"]] == [
        "contract", "contract", "replayed", "contract",
    ]  # fmt: skip

    # Mended and resumed, the rest goes through; what died again is for another run.
    await system.recover()
    assert (await system.sluice("replays", "resume", "1")).code == 0
    watched = await system.sluice("replays", "watch", "1", "--json")
    assert (watched.code, watched.json["state"], watched.json["put"]) == (0, "finished", 400)
    again = await system.sluice("dead-letters", "replay", "--run", "1", "--json")
    assert (again.code, again.json["delivered"]) == (0, run.dead)
    row = await system.settled()
    assert (row.delivered, row.dead) == (400, 0)


async def test_a_run_is_paused_resumed_and_cancelled(system: System) -> None:
    await all_die(system, 400, 25)
    await system.recover()
    await replay(system, "--all", "--rate", "5")
    await until_run(system, lambda run: run.put > 0)

    paused = await system.sluice("replays", "pause", "1", "--reason", "lunch", "--json")
    assert (paused.code, paused.json["state"]) == (0, "paused")
    still = await until_run(system, lambda run: run.in_flight == 0)
    assert (await system.sluice("replays", "pause", "1")).code == 1
    shown = await system.sluice("replays", "show", "1")
    assert (shown.code, "lunch" in shown.out) == (0, True)
    watched = await system.sluice("replays", "watch", "1")
    assert (watched.code, "paused" in watched.out) == (1, True)
    assert (await run_of(system)).put == still.put

    resumed = await system.sluice("replays", "resume", "1", "--rate", "10", "--json")
    assert (resumed.code, resumed.json["rate"]) == (0, 10.0)
    await until_run(system, lambda run: run.put > still.put)
    cancelled = await system.sluice("replays", "cancel", "1", "--json")
    assert (cancelled.code, cancelled.json["state"]) == (0, "cancelled")

    run = await until_run(system, lambda run: run.in_flight == 0)
    listed = await system.sluice("replays", "list", "--json")
    assert [(x["number"], x["state"]) for x in listed.json] == [(1, "cancelled")]
    trail = await system.sluice("audit", "--json")
    assert [entry["what"] for entry in reversed(trail.json)] == [
        "dead-letters.replay", "replays.paused", "replays.running", "replays.cancelled",
    ]  # fmt: skip
    row = await system.settled()
    assert (row.delivered, row.dead) == (run.put, 400 - run.put)
    assert 0 < run.put < 400
    assert (await system.sluice("replays", "resume", "1")).code == 1
    assert (await system.sluice("replays", "show", "7")).code == 1


async def test_a_dry_run_tells_what_would_pass_and_touches_nothing(system: System) -> None:
    await all_die(system, 20, 26)
    await system.send([Shot(ShotKind.GARBAGE, 0, BROKEN)])
    await system.send([Shot(ShotKind.GARBAGE, 1, BROKEN)], "raw")
    await system.settled()
    await system.settled("raw")

    tried = await system.sluice("dead-letters", "replay", "--all", "--dry-run", "--json")
    unsure = await system.sluice("dead-letters", "replay", "--all")
    which = await system.sluice("dead-letters", "replay")

    assert tried.code == 0
    assert tried.json["selection"]["classes"] == {"contract": 20, "unreadable": 2}
    assert tried.json["trial"] == {
        "tried": 22, "would_pass": 20, "why": {"parse not_json": 2},
    }  # fmt: skip
    # Nobody is there to say yes: the run is thrown away, and nothing was replayed.
    assert (unsure.code, "22" in unsure.out, which.code) == (1, True, 2)
    run = await run_of(system)
    assert (run.state, run.reason) == (RunState.CANCELLED, "the answer was no")
    assert (await system.row()).dead == 21
