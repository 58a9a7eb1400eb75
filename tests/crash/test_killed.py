"""SIGKILL to everything of ours, one after the other, under load."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from app.store.connect import server_facts
from tests.crash.conftest import HARMLESS, Load, events, holders, nothing_is_lost
from tests.e2e.system import running

pytestmark = pytest.mark.crash

# At most what one worker has in hand: its jobs' batches that Platform took, unmarked as yet.
IN_HAND = 1_000
# From kill -9 of a worker to its batches being worked on again: 15 s promised, and a noisy machine.
TAKEN_OVER_SECONDS = 20.0
SHORT_LEASE = {"SLUICE_WORKER_LEASE_SECONDS": "2"}
# So long that waiting for one cannot be taken for a slow machine.
LONG_LEASE = {"SLUICE_WORKER_LEASE_SECONDS": "15"}
LESS_THAN_A_LEASE = 14.0


@pytest.mark.timeout(120)
async def test_worker_receiver_and_redis_die_under_load_and_nothing_acknowledged_is_missing(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, workers=2, processes=2, environ=SHORT_LEASE) as system:
        async with system.store() as store:
            assert (await server_facts(store)).fsync == "always"
        load = Load(system, seed=1, count=6_000)
        [worker, _] = system.workers

        await load.reached(1_000)
        worker.kill()
        worker.start()
        await load.reached(2_000)
        child = system.receiver.lines("receiver.ready")[0]["pid"]
        os.kill(child, signal.SIGKILL)
        await load.reached(3_000)
        system.redis.kill()
        system.redis.start()
        await load.reached(4_000)
        worker.kill()
        worker.start()
        sent = await load.finished()

        await nothing_is_lost(system, sent, most_repeats=IN_HAND)
        # "no answer": the requests that the killed child had in hand.
        assert set(sent.answers) <= HARMLESS | {"no answer"}
        assert len(system.receiver.lines("receiver.crashed")) == 1
        assert system.workers[1].alive


@pytest.mark.timeout(90)
async def test_a_killed_workers_batches_are_worked_on_again_within_the_lease(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as system:
        await system.fault(hang=True)
        sent = await system.send(events(2, 300))
        await system.fault_hit()
        dead, heir = system.workers[0], system.process("heir", "-m", "worker")
        system.workers.append(heir)
        heir.start()
        started = await heir.logged("worker.started")
        held = {b for b, owner in (await holders(system)).items() if owner != started["owner"]}
        assert held

        dead.kill()
        killed_at = time.monotonic()
        await system.recover()

        while any(owner != started["owner"] for owner in (await holders(system)).values()):
            assert time.monotonic() < killed_at + TAKEN_OVER_SECONDS
            await asyncio.sleep(0.05)
        print(f"taken over after {time.monotonic() - killed_at:.1f} s")
        await nothing_is_lost(system, sent, most_repeats=0)


async def test_a_worker_that_is_stopped_leaves_nothing_waiting_for_its_lease(
    tmp_path: Path,
) -> None:
    grace = LONG_LEASE | {"SLUICE_WORKER_GRACE_SECONDS": "0.5"}
    async with running(tmp_path, environ=grace) as system:
        await system.fault(hang=True)
        sent = await system.send(events(3, 2_000))
        await system.fault_hit()
        leaving, heir = system.workers[0], system.process("heir", "-m", "worker")
        system.workers.append(heir)
        assert await holders(system)

        leaving.terminate()
        assert await leaving.ended() == 0
        stopped_at = time.monotonic()
        assert not await holders(system)
        await system.recover()
        heir.start()

        await nothing_is_lost(system, sent, most_repeats=0)
        assert time.monotonic() - stopped_at < LESS_THAN_A_LEASE  # the heir's start included


@pytest.mark.timeout(90)
async def test_workers_are_restarted_one_after_the_other_under_load_and_nothing_comes_twice(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, workers=2, environ=LONG_LEASE) as system:
        load = Load(system, seed=4, count=5_000)
        for turn in range(4):
            await load.reached(1_000 * (turn + 1) - 500)
            worker = system.workers[turn % 2]
            worker.terminate()
            assert await worker.ended() == 0
            worker.start()
            await worker.logged("worker.started")
        sent = await load.finished()
        sent_at = time.monotonic()

        await nothing_is_lost(system, sent, most_repeats=0)
        assert time.monotonic() - sent_at < LESS_THAN_A_LEASE


async def test_a_worker_that_slept_through_its_lease_books_nothing_twice(tmp_path: Path) -> None:
    async with running(tmp_path, environ=SHORT_LEASE) as system:
        await system.fault(latency_ms=300)
        sleeper, heir = system.workers[0], system.process("heir", "-m", "worker")
        system.workers.append(heir)
        load = Load(system, seed=6, count=2_000)
        await load.reached(500)
        await system.fault_hit()

        sleeper.send(signal.SIGSTOP)
        try:
            asleep = (await system.row()).in_flight
            heir.start()
            sent = await load.finished()
            await system.settled()
        finally:
            sleeper.send(signal.SIGCONT)
        await sleeper.logged("batch.lease_lost")

        assert asleep
        await nothing_is_lost(system, sent, most_repeats=IN_HAND)
        assert sleeper.alive


async def test_a_rolling_restart_of_the_receiver_refuses_no_webhook(tmp_path: Path) -> None:
    async with running(tmp_path, processes=2) as system:
        load = Load(system, seed=5, count=4_000)
        await load.reached(500)
        parent = system.receiver.lines("receiver.ready")
        assert len(parent) == 2
        system.receiver.send(signal.SIGHUP)
        await system.receiver.logged("receiver.restart_finished")
        sent = await load.finished()

        await nothing_is_lost(system, sent, most_repeats=0)
        assert sent.answers.keys() == {"200"}
