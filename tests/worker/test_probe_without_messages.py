"""A batch that was let in to probe and has nothing to send: the next one probes, at once."""

from __future__ import annotations

import asyncio

import pytest
from arq.connections import ArqRedis

from app.core.event import SEND_TEST_EVENT_ID
from app.store import keys
from app.store.batches import SUSPECT_TAKES, Batches
from app.store.lanes import Gate, Lanes
from app.store.waiting import Waiting
from tests.worker.conftest import Shop, body
from tests.worker.scripted_platform import Make, Platform
from worker.lane import Lane
from worker.lines import Lines
from worker.route import Version


def join(shop: Shop, lane: Lane) -> Lines:
    """A worker's way from the bell to Platform; raw mode, so that Platform sees numbers."""
    shop.route.lane, shop.route.version = lane, Version()
    return Lines(shop.desk, Waiting(shop.store), {"a": lane}, 8)


async def make_probe_due(store: ArqRedis) -> None:
    await Lanes(store).pause("a", "transient:http_503", 60)
    await store.hset(keys.lane_state("a"), "until", "1")


@pytest.fixture
async def lines(shop: Shop, make: Make, store: ArqRedis) -> Lines:
    """e0 was delivered before; since then the lane was paused."""
    await join(shop, make(name="a")).answer([await shop.receive(body("e0", n=0))])
    await make_probe_due(store)
    return join(shop, make(name="a"))


NOTHING_TO_SEND = {
    "duplicates": [body("e0", n=0), body("e0", n=0)],
    "tests": [body(SEND_TEST_EVENT_ID)],
    "dead": [b"{", body("e7", timestamp="soon")],
}


@pytest.mark.parametrize("bodies", NOTHING_TO_SEND.values(), ids=NOTHING_TO_SEND)
async def test_with_nothing_to_send_the_next_batch_probes(
    shop: Shop, lines: Lines, platform: Platform, bodies: list[bytes]
) -> None:
    nothing, good = await shop.receive(*bodies), await shop.receive(body("e1", n=1))

    await lines.answer([nothing])
    await lines.answer([good])

    assert platform.numbers == [0, 1]
    assert (await Lanes(shop.store).state("a")).gate is Gate.OPEN
    assert (await shop.row()).in_flight == 0


async def test_settled_meanwhile_or_split_it_has_nothing_to_send_either(
    shop: Shop, lines: Lines, platform: Platform
) -> None:
    gone = await shop.receive(b"{")
    await shop.desk.answer([gone])
    split, good = (
        await shop.receive(body("e2", n=2), body("e3", n=3)),
        await shop.receive(body("e1", n=1)),
    )
    for life in range(SUSPECT_TAKES):
        doomed = Batches(shop.store, f"doomed-{life}", lease_ms=0)
        await doomed.take([split])
        await doomed.begin(split)

    for name in (gone, split, good):
        await lines.answer([name])

    assert platform.numbers == [0, 1]


async def test_what_waits_goes_on_with_it(
    shop: Shop, lines: Lines, platform: Platform, store: ArqRedis
) -> None:
    """One bell: the first is all duplicates, the others were laid aside behind it."""
    names = [await shop.receive(body("e0", n=0))]
    names += [await shop.receive(body(f"e{at}", n=at)) for at in range(1, 4)]

    await lines.answer(names)
    async with asyncio.timeout(8):
        while await shop.open():
            await lines.look()
            await asyncio.sleep(0.01)
    await lines.stop(1)

    assert platform.numbers == [0, 1, 2, 3]


async def test_another_worker_may_have_it(shop: Shop, make: Make, platform: Platform) -> None:
    """Its lane asks once a second; it need not stand behind a probe for its whole time."""
    await make_probe_due(shop.store)
    mine, other = make(name="a"), make(name="a")
    await join(shop, mine).answer([await shop.receive(body(SEND_TEST_EVENT_ID))])

    assert (await other.room()).probe
    # And that one is not ours to give back, whatever else we settle.
    await join(shop, mine).answer([await shop.receive(body(SEND_TEST_EVENT_ID))])
    assert (await make(name="a").room()).batches == 0


async def test_a_worker_killed_before_it_gives_a_probe_back_holds_it_for_its_time(
    shop: Shop, make: Make, platform: Platform, store: ArqRedis
) -> None:
    await make_probe_due(store)
    await make(name="a").room()  # and dies
    lines = join(shop, make(name="a"))
    good = await shop.receive(body("e1", n=1))
    await lines.answer([good])
    assert platform.numbers == []

    await store.hset(keys.lane_state("a"), "probe", "1")
    lines = join(shop, make(name="a"))
    await lines.answer([good])

    assert platform.numbers == [1]
