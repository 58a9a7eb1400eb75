"""Redis forgets its last seconds (a failover to a replica that lagged, a power cut without fsync),
and a worker still has in hand what is not there any more. Numbers are given out again."""

from __future__ import annotations

import asyncio

import pytest
from arq.connections import ArqRedis

from app.core.errors import LeaseLost
from app.store import keys
from app.store.batches import Batches
from app.store.claims import Claim, Claims
from tests.worker.conftest import Shop, body
from worker.patience import patiently


async def taken_and_forgotten(shop: Shop, *bodies: bytes) -> tuple[asyncio.Task[None], str]:
    """A batch on its way to Platform when Redis forgets it; its task, and its id."""
    shop.lane.early = 1
    name = await shop.receive(*bodies)
    working = asyncio.create_task(shop.desk.answer([name]))
    async with asyncio.timeout(5):
        while await shop.batches.delivered_before(name) != {0}:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    await shop.store.flushall()
    return working, name


async def test_a_batch_that_was_forgotten_claims_nothing(store: ArqRedis) -> None:
    """Else what Customer.io sends again would be taken for a duplicate, and be lost."""
    shop = Shop(store)
    name = await shop.receive(body("e1"))
    await shop.batches.take([name])
    await store.flushall()

    with pytest.raises(LeaseLost):
        await Claims(store).claim("a", 1, [("e1", 0)], held=(name, "worker-1"))

    assert await Claims(store).claim("a", 2, [("e1", 0)]) == [Claim.NEW]


async def test_another_workers_batch_is_not_claimed_for(store: ArqRedis) -> None:
    shop = Shop(store)
    name = await shop.receive(body("e1"))
    await Batches(store, "worker-2").take([name])
    with pytest.raises(LeaseLost):
        await Claims(store).claim("a", 1, [("e1", 0)], held=(name, "worker-1"))


async def test_marks_for_a_forgotten_batch_do_not_make_its_namesake_look_delivered(
    shop: Shop,
) -> None:
    working, name = await taken_and_forgotten(shop, body("old1"), body("old2"))
    namesake = await shop.receive(body("new1"), body("new2"))
    assert namesake == name

    await patiently(lambda: shop.batches.mark_delivered(name, [0, 1]))
    shop.lane.rest.set()
    await working
    await shop.desk.answer([namesake])

    assert shop.lane.sent == ["old1", "old2", "new1", "new2"]
    row = await shop.row()
    assert (row.received, row.delivered) == (2, 2)


async def test_a_namesake_is_not_taken_while_the_forgotten_batch_is_in_hand(shop: Shop) -> None:
    """Else the old work would settle the new batch."""
    working, name = await taken_and_forgotten(shop, body("old1"), body("old2"))
    namesake = await shop.receive(body("new1"), body("new2"))
    assert namesake == name

    await shop.desk.answer([namesake])
    shop.lane.rest.set()
    await working
    row = await shop.row()
    assert (row.in_flight, row.delivered) == (2, 0)

    await shop.desk.answer([namesake])
    assert shop.lane.sent == ["old1", "old2", "new1", "new2"]
    assert (await shop.row()).delivered == 2


async def test_a_mark_that_comes_too_late_leaves_nothing_behind(shop: Shop) -> None:
    name = await shop.receive(body("e1"))
    await shop.desk.answer([name])
    await shop.batches.mark_delivered(name, [0])
    assert not await shop.store.exists(keys.DONE_PREFIX + name)
