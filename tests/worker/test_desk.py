"""The desk: whatever happens to the work, no batch is lost and none is stuck."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from arq.connections import ArqRedis

from app.store import keys
from app.store.batches import SUSPECT_TAKES, Batches, Taken
from tests.worker.conftest import Shop, body
from worker.desk import Alone, Desk
from worker.metrics import Metrics


class ScriptedWork:
    def __init__(self, do: Callable[[Taken], Awaitable[None]]) -> None:
        self.work = do


async def takes_of(store: ArqRedis, name: str) -> int:
    held = await store.hget(keys.HELD, name)
    return int(held.split()[2]) if held else 0


async def test_a_cancelled_batch_is_due_at_once_for_the_next_worker(shop: Shop) -> None:
    started = asyncio.Event()

    async def hang(taken: Taken) -> None:
        started.set()
        await asyncio.Event().wait()

    name = await shop.receive(body("e1"))
    desk = Desk(shop.batches, ScriptedWork(hang), Metrics())
    answering = asyncio.create_task(desk.answer([name]))
    await started.wait()
    assert desk.in_hand == 1
    answering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answering

    assert desk.in_hand == 0
    assert await takes_of(shop.store, name) == 0
    await shop.desk.answer([name])
    assert shop.lane.sent == ["e1"]


async def test_a_bug_gives_the_batch_back_for_later_and_counts(shop: Shop) -> None:
    async def stumble(taken: Taken) -> None:
        raise ZeroDivisionError

    name = await shop.receive(body("e1"))
    desk = Desk(shop.batches, ScriptedWork(stumble), Metrics())
    await desk.answer([name])
    assert await takes_of(shop.store, name) == 1
    assert (await shop.row()).in_flight == 1


async def test_leases_are_kept_while_the_work_goes_on(store: ArqRedis) -> None:
    shop = Shop(store, lease_ms=600)
    finish = asyncio.Event()

    async def slow(taken: Taken) -> None:
        await finish.wait()

    name = await shop.receive(body("e1"))
    desk = Desk(shop.batches, ScriptedWork(slow), Metrics())
    answering = asyncio.create_task(desk.answer([name]))
    keeping = asyncio.create_task(desk.keep_leases())
    other = Batches(store, "other")
    stolen = []
    for _ in range(15):  # two and a half leases long
        await asyncio.sleep(0.1)
        stolen += (await other.take([name]))[0]
    keeping.cancel()
    finish.set()
    await asyncio.gather(answering, keeping, return_exceptions=True)
    assert stolen == []


async def test_a_suspect_works_alone(shop: Shop) -> None:
    inside: list[str] = []
    together: list[set[str]] = []
    turns = asyncio.Semaphore(0)

    async def watch(taken: Taken) -> None:
        inside.append(str(taken.batch_id))
        together.append(set(inside))
        await turns.acquire()
        inside.remove(str(taken.batch_id))

    names = [await shop.receive(body(f"e{i}")) for i in range(3)]
    suspect = names[1]
    doomed = Batches(shop.store, "doomed", lease_ms=0)
    for _ in range(SUSPECT_TAKES - 1):
        await doomed.take([suspect])
    desk = Desk(shop.batches, ScriptedWork(watch), Metrics())
    answering = asyncio.create_task(desk.answer(names))
    for _ in names:
        await asyncio.sleep(0.01)
        turns.release()
    await answering
    assert all(len(group) == 1 for group in together if suspect in group)
    assert any(suspect in group for group in together)


async def test_a_suspect_that_only_waited_is_not_blamed(shop: Shop) -> None:
    name = await shop.receive(body("e1"))
    doomed = Batches(shop.store, "doomed", lease_ms=0)
    for _ in range(SUSPECT_TAKES + 5):
        [taken], _ = await doomed.take([name])
    assert taken.takes == SUSPECT_TAKES

    await shop.desk.answer([name])
    assert shop.lane.sent == ["e1"]


async def test_an_event_is_no_poison_because_two_workers_that_had_it_alone_were_killed(
    shop: Shop,
) -> None:
    """An operator with kill -9, a machine without memory: it need not be the event."""
    name = await shop.receive(body("e1"))
    doomed = Batches(shop.store, "doomed", lease_ms=0)
    for take in range(SUSPECT_TAKES + 1):
        await doomed.take([name])
        if take >= SUSPECT_TAKES - 1:
            assert await doomed.begin(name)

    await shop.desk.answer([name])

    assert shop.lane.sent == ["e1"]
    assert await shop.dead() == []


async def test_a_suspect_stopped_gracefully_is_not_blamed_either(shop: Shop) -> None:
    started = asyncio.Event()

    async def hang(taken: Taken) -> None:
        started.set()
        await asyncio.Event().wait()

    name = await shop.receive(body("e1"))
    doomed = Batches(shop.store, "doomed", lease_ms=0)
    for _ in range(SUSPECT_TAKES - 1):
        await doomed.take([name])
    desk = Desk(shop.batches, ScriptedWork(hang), Metrics())
    answering = asyncio.create_task(desk.answer([name]))
    await started.wait()
    answering.cancel()
    await asyncio.gather(answering, return_exceptions=True)
    assert await takes_of(shop.store, name) == SUSPECT_TAKES - 1


async def test_alone_lets_others_in_again_even_when_cancelled() -> None:
    alone = Alone()
    inside = asyncio.Event()

    async def stay() -> None:
        async with alone.enter(alone=False):
            inside.set()
            await asyncio.Event().wait()

    async def want_alone() -> None:
        async with alone.enter(alone=True):
            pass

    staying = asyncio.create_task(stay())
    await inside.wait()
    waiting = asyncio.create_task(want_alone())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1), alone.enter(alone=False):
        pass
    staying.cancel()
    await asyncio.gather(staying, return_exceptions=True)
    async with asyncio.timeout(1), alone.enter(alone=True):
        pass
