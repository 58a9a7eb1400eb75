"""Batches laid aside for their lane, and taken up again in order."""

from __future__ import annotations

import pytest
from arq.connections import ArqRedis

from app.store import keys
from app.store.batches import Batches
from app.store.lanes import Lanes
from app.store.settlement import Settlement, Successor
from app.store.waiting import PARKED_MS, End, Waiting
from tests.store.test_batches import redis_ms


@pytest.fixture
def batches(store: ArqRedis) -> Batches:
    return Batches(store, "w1")


@pytest.fixture
def waiting(store: ArqRedis) -> Waiting:
    return Waiting(store)


async def commit(batches: Batches, count: int, events: int = 2) -> list[str]:
    return [await batches.commit("a", b"frame", events) for _ in range(count)]


async def pull(
    waiting: Waiting, batches: int = 64, events: int = 2_000, end: End = End.BACKLOG
) -> list[str]:
    return await waiting.pull("a", batches, events, end)


async def test_parked_batches_stay_open_and_are_due_after_minutes(
    batches: Batches, waiting: Waiting, store: ArqRedis
) -> None:
    names = await commit(batches, 3)

    assert await waiting.park("a", names) == 3

    now = await redis_ms(store)
    assert {str(name) for name, _ in await batches.open_ids()} == set(names)
    for _, due in await batches.open_ids():
        assert PARKED_MS - 5_000 < due - now <= 2 * PARKED_MS
    assert await waiting.connections() == {"a"}


async def test_they_come_back_oldest_first_and_each_to_one_worker(
    batches: Batches, waiting: Waiting, store: ArqRedis
) -> None:
    names = await commit(batches, 5)
    await waiting.park("a", list(reversed(names)))

    assert await pull(waiting, 2) == names[:2]
    assert await pull(waiting) == names[2:]
    assert await pull(waiting) == []
    assert await waiting.connections() == set()
    # Should that worker die, the sweep rings soon.
    now = await redis_ms(store)
    assert all(due < now + 11_000 for _, due in await batches.open_ids())


async def test_a_pull_is_bounded_by_events_but_never_empty_for_it(
    batches: Batches, waiting: Waiting
) -> None:
    names = await commit(batches, 4, events=300)
    await waiting.park("a", names)

    assert await pull(waiting, events=700) == names[:2]
    assert await pull(waiting, events=1) == names[2:3]


async def test_after_a_pause_the_backlog_and_what_came_since_take_turns(
    batches: Batches, waiting: Waiting, store: ArqRedis
) -> None:
    lanes = Lanes(store)
    await lanes.pause("a", "transient:http_500", 1)
    old = await commit(batches, 3)
    await waiting.park("a", old)
    await lanes.resume("a")
    new = await commit(batches, 3)
    await waiting.park("a", new)

    assert await pull(waiting, 2, end=End.NEWER) == new[:2]
    assert await pull(waiting, 2) == old[:2]
    assert await pull(waiting, 2, end=End.NEWER) == [new[2], old[2]]


async def test_a_probe_may_begin_with_the_newest_of_all(batches: Batches, waiting: Waiting) -> None:
    names = await commit(batches, 3)
    await waiting.park("a", names)

    assert await pull(waiting, 1, end=End.NEWEST) == names[2:]
    assert await pull(waiting, 1) == names[:1]


async def test_what_somebody_works_on_is_left_to_them(batches: Batches, waiting: Waiting) -> None:
    names = await commit(batches, 2)
    await batches.take(names[:1])

    assert await waiting.park("a", names) == 1
    assert await pull(waiting) == names[1:]


async def test_what_was_settled_meanwhile_is_not_named(batches: Batches, waiting: Waiting) -> None:
    names = await commit(batches, 2)
    await waiting.park("a", names)
    [taken], _ = await batches.take(names[:1])
    await batches.settle(taken.batch_id, Settlement(delivered=2))

    assert await pull(waiting) == names[1:]


async def test_a_successor_that_waits_for_its_lane_has_the_place_of_its_first_batch(
    batches: Batches, waiting: Waiting
) -> None:
    names = await commit(batches, 3)
    await waiting.park("a", names[1:])
    [taken], _ = await batches.take(names[:1])
    successor = Successor(PARKED_MS, 1, b"frame", 0, taken.batch_id.number, waits=True)
    await batches.settle(taken.batch_id, Settlement(delivered=1, successors=[successor]))

    first, *rest = await pull(waiting)

    assert rest == names[1:]
    assert first.startswith("a:")
    assert first not in names


async def test_a_successor_that_waits_out_its_own_delay_is_not_pulled(
    batches: Batches, waiting: Waiting
) -> None:
    [name] = await commit(batches, 1)
    [taken], _ = await batches.take([name])
    await batches.settle(taken.batch_id, Settlement(1, successors=[Successor(9_000, 1, b"f")]))

    assert await pull(waiting) == []


async def test_one_that_waited_out_its_delay_is_parked_in_the_place_of_its_first_batch(
    batches: Batches, waiting: Waiting, store: ArqRedis
) -> None:
    names = await commit(batches, 3)
    [taken], _ = await batches.take(names[:1])
    successor = Successor(0, 2, b"f", 0, taken.batch_id.number)
    await batches.settle(taken.batch_id, Settlement(successors=[successor]))
    [follower] = {str(name) for name, _ in await batches.open_ids()} - set(names)
    await waiting.park("a", [*names[1:], follower])

    assert await pull(waiting) == [follower, *names[1:]]
    [taken], _ = await batches.take([follower])
    await batches.settle(taken.batch_id, Settlement(delivered=2))
    assert await store.zcard(keys.stems("a")) == 0
