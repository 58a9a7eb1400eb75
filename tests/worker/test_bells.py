"""The arq shell and the watch: a worker stays alive and useful whatever arq or Redis do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from arq.connections import ArqRedis
from arq.utils import timestamp_ms

from app.store import keys
from tests.conftest import RedisServer
from tests.worker.conftest import Shop, body
from worker.bells import Bells
from worker.watch import OVERDUE_MS, LoopWatch, Watch


@asynccontextmanager
async def running(bells: Bells) -> AsyncIterator[None]:
    task = asyncio.create_task(bells.run())
    try:
        yield
    finally:
        await bells.stop(5)
        await asyncio.wait_for(task, 5)


async def until(true: object) -> None:
    async with asyncio.timeout(15):
        while not await true():  # type: ignore[operator]  # noqa: ASYNC110  # polls Redis
            await asyncio.sleep(0.01)


async def test_a_bell_is_answered(shop: Shop) -> None:
    bells = Bells(shop.store, shop.desk.answer, max_jobs=4)
    async with running(bells):
        await shop.batches.ring_all([await shop.receive(body("e1"), body("e2"))])
        await until(lambda: delivered(shop, 2))
    assert sorted(shop.lane.sent) == ["e1", "e2"]


async def test_a_bell_rung_by_a_clock_that_is_ahead_is_heard_at_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver's clock six hours ahead: arq holds a bell's score against the listener's."""
    now = timestamp_ms()
    name = await shop.receive(body("e1"))
    with monkeypatch.context() as ahead:
        ahead.setattr("arq.connections.timestamp_ms", lambda: now + 6 * 3_600_000)
        await shop.batches.ring_all([name])
    bells = Bells(shop.store, shop.desk.answer, max_jobs=4)
    async with running(bells):
        await until(lambda: delivered(shop, 1))


async def delivered(shop: Shop, count: int) -> bool:
    balance = await shop.ledger.read()
    return sum(row.delivered for row in balance.rows) == count


async def test_without_any_bell_the_sweep_gets_everything_delivered(shop: Shop) -> None:
    bells = Bells(shop.store, shop.desk.answer, max_jobs=4)
    watch = Watch(shop.batches, bells, shop.desk, shop.metrics)
    async with running(bells):
        for i in range(5):
            name = await shop.receive(body(f"e{i}"))
            await shop.store.zadd(keys.OPEN_SET, {name: 1})
        await watch.once(0.0)
        await until(lambda: delivered(shop, 5))


async def test_a_redis_that_was_away_is_worked_with_again(
    own_redis: RedisServer, own_store: ArqRedis
) -> None:
    shop = Shop(own_store)
    bells = Bells(own_store, shop.desk.answer, max_jobs=4)
    watch = Watch(shop.batches, bells, shop.desk, shop.metrics)
    async with running(bells):
        await shop.batches.ring_all([await shop.receive(body("e1"))])
        await until(lambda: delivered(shop, 1))
        own_redis.kill()
        await watch.once(0.0)
        own_redis.start()
        await until(lambda: answers(own_store))
        name = await shop.receive(body("e2"))
        await own_store.zadd(keys.OPEN_SET, {name: 1})
        await watch.once(1.0)
        await until(lambda: delivered(shop, 2))


async def answers(store: ArqRedis) -> bool:
    try:
        return bool(await store.ping())
    except Exception:
        return False


async def test_a_full_redis_pauses_the_bells_and_is_noticed_when_it_recovers(
    own_redis: RedisServer, own_store: ArqRedis
) -> None:
    shop = Shop(own_store)
    bells = Bells(own_store, shop.desk.answer, max_jobs=4)
    watch = Watch(shop.batches, bells, shop.desk, shop.metrics)
    name = await shop.receive(body("e1"))
    await own_store.zadd(keys.OPEN_SET, {name: 1})
    async with running(bells):
        await own_store.config_set("maxmemory", 1)
        await watch.once(0.0)
        assert shop.lane.sent == []
        await own_store.config_set("maxmemory", 0)
        await watch.once(1.0)
        await until(lambda: delivered(shop, 1))


async def test_a_worker_that_hears_nothing_is_rebuilt_and_in_the_end_gives_up(shop: Shop) -> None:
    class DeafBells(Bells):
        replaced = 0

        def replace(self) -> None:
            self.replaced += 1

    async def nothing(_: Sequence[str]) -> None: ...

    bells = DeafBells(shop.store, nothing, max_jobs=1)
    watch = Watch(shop.batches, bells, shop.desk, shop.metrics)
    name = await shop.receive(body("e1"))
    now = 0.0
    for _ in range(20):
        await shop.store.zadd(keys.OPEN_SET, {name: 1})
        # Nobody sweeps it away: the queue is full of bells that nobody hears.
        await shop.store.zadd(keys.ARQ_QUEUE, {f"job{i}": 1 for i in range(1000)})
        await watch.once(now)
        now += OVERDUE_MS / 1000
    assert bells.replaced >= 3
    assert watch.gave_up.is_set()


def test_a_loop_that_does_not_turn_ends_the_process() -> None:
    given_up = threading.Event()
    codes: list[int] = []

    def give_up(code: int) -> None:
        codes.append(code)
        given_up.set()

    watch = LoopWatch(limit_seconds=0.05, give_up=give_up)
    watch.start()
    assert given_up.wait(5)
    watch.stop()
    assert codes == [70]


async def test_a_loop_that_turns_is_left_alone() -> None:
    codes: list[int] = []
    watch = LoopWatch(limit_seconds=1.0, give_up=codes.append)
    watch.start()
    turning = asyncio.create_task(watch.turn())
    await asyncio.sleep(0.3)
    watch.stop()
    turning.cancel()
    assert codes == []
    assert watch.seconds_since_turn() < 1.0
