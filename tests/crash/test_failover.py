"""Redis' master dies and a replica takes its place, under load. Real Sentinels, SIGKILL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.sandbox.traffic import Shot, ShotKind, generate
from app.store import keys
from app.store.batches import Batches
from app.store.connect import open_store
from tests.conftest import RedisServer
from tests.crash.conftest import HARMLESS, Load, holders, nothing_is_lost
from tests.crash.sentinels import MASTER, Flock, client
from tests.e2e.system import System, event_id_of

pytestmark = [pytest.mark.crash, pytest.mark.timeout(120)]

IN_HAND = 1_000

# What the doctor may say of a Redis that is as it must be.
WELL = {"ok", "warning", "not asked"}


@asynccontextmanager
async def guided(folder: Path, **environ: str) -> AsyncIterator[tuple[System, Flock]]:
    """A system that finds its Redis by Sentinel."""
    flock = Flock(folder)
    system = System(folder, environ={**flock.environ, **environ})
    system.redis = flock.servers[0]
    try:
        await flock.start()
        await system.start()
        yield system, flock
    finally:
        await system.stop()
        flock.stop()


async def fail_over(system: System, flock: Flock) -> None:
    dead = system.redis
    dead.kill()
    system.redis = await flock.failed_over(dead)


async def test_what_a_replica_had_to_confirm_is_not_lost_when_the_master_dies(
    tmp_path: Path,
) -> None:
    async with guided(tmp_path, SLUICE_REDIS_WAIT_REPLICAS="1") as (system, flock):
        load = Load(system, seed=21, count=4_000)
        await load.reached(1_500)
        refused = load.sent.answers["503"]

        await fail_over(system, flock)

        sent = await load.finished()
        assert sent.answers["503"] > refused
        assert set(sent.answers) <= HARMLESS
        await nothing_is_lost(system, sent, most_repeats=IN_HAND)
        assert system.workers[0].alive
        assert len(system.workers[0].lines("worker.started")) == 1


async def test_a_master_that_is_made_a_replica_is_left_for_the_new_one(tmp_path: Path) -> None:
    """An operator's failover, or a partition: the old master lives on for seconds, with the other
    replica, so only what all replicas confirmed is safe."""
    async with guided(tmp_path, SLUICE_REDIS_WAIT_REPLICAS="2") as (system, flock):
        load = Load(system, seed=25, count=3_000)
        await load.reached(1_000)

        with client(flock.sentinel_ports[0]) as sentinel:
            sentinel.execute_command("SENTINEL", "FAILOVER", MASTER)
        system.redis = await flock.failed_over(system.redis)

        sent = await load.finished()
        assert set(sent.answers) <= HARMLESS
        await nothing_is_lost(system, sent, most_repeats=IN_HAND)
        assert len(system.workers[0].lines("worker.started")) == 1
        doctor = await system.sluice("doctor", "--json")
        assert {each["level"] for each in doctor.json if each["subject"] == "redis"} <= WELL


async def cut_off(flock: Flock, system: System) -> None:
    """From now on the replicas hear nothing of the master: a network that lags, made certain."""
    for server in flock.servers[1:]:
        await tell(server, "CONFIG", "SET", "masteruser", "nobody", "masterauth", "nothing")
    await tell(system.redis, "CLIENT", "KILL", "TYPE", "replica")


async def tell(server: RedisServer, *words: str) -> Any:
    store = open_store(server.url)
    try:
        return await store.execute_command(*words)  # type: ignore[no-untyped-call]
    finally:
        await store.aclose(close_connection_pool=True)


async def test_a_failover_loses_what_no_replica_had_and_nothing_that_came_before_or_after(
    tmp_path: Path,
) -> None:
    """The documented bound. What is lost must not pull down what comes after it: its batches'
    numbers are given out again, while a worker still has the old ones in hand."""
    async with guided(tmp_path) as (system, flock):
        before, lost, after = (list(generate(*each)) for each in ((22, 50), (23, 4), (24, 4)))
        await system.send(Shot(ShotKind.EVENT, n, body) for n, body in enumerate(before))
        await system.settled()
        await replicated(flock)
        await cut_off(flock, system)
        await system.fault(hang=True)
        await post_each(system, lost)
        in_hand = await all_held(system, 4)

        await fail_over(system, flock)
        await post_each(system, after)
        async with system.store() as store:
            assert {str(each) for each, _ in await Batches(store).open_ids()} == in_hand.keys()
        await system.recover()

        row = await system.settled()
        ids = [{event_id_of(body) for body in bodies} for bodies in (before, lost, after)]
        assert (row.received, row.delivered, row.duplicates, row.dead) == (54, 54, 0, 0)
        arrived = (await system.arrived()).keys()
        assert ids[0] | ids[2] <= arrived <= ids[0] | ids[1] | ids[2]

        # Customer.io would send again what was not acknowledged: that must be no duplicate.
        await post_each(system, lost)
        row = await system.settled()
        assert (row.received, row.delivered, row.duplicates) == (58, 58, 0)
        assert (await system.arrived()).keys() == ids[0] | ids[1] | ids[2]


async def post_each(system: System, bodies: Sequence[bytes]) -> None:
    """One batch each, so that batches of the same size get the same names after a failover."""
    for body in bodies:
        while True:
            status, _ = await system.post(body)
            if status == 200:
                break
            await asyncio.sleep(0.1)


async def all_held(system: System, count: int) -> dict[str, str]:
    """So many batches are in a worker's hands."""
    while True:
        found = await holders(system)
        if len(found) == count:
            return found
        await asyncio.sleep(0.02)


async def replicated(flock: Flock) -> None:
    """Both replicas have all that was written."""
    store = open_store(flock.servers[0].url, connections=1)
    # WAIT speaks of what its own connection wrote.
    await store.set(f"{keys.WORKER_PREFIX}test", b"", px=1)
    assert await store.execute_command("WAIT", 2, 5_000) == 2  # type: ignore[no-untyped-call]
    await store.aclose(close_connection_pool=True)
