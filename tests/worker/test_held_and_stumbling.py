"""A batch whose lane is held back, and one with an event that Platform stumbles over."""

from __future__ import annotations

from dataclasses import replace

from app.core import retry
from app.core.batch import decode
from app.core.outcome import Failure, Outcome, failed
from app.store import keys
from app.store.waiting import PARKED_MS, Waiting
from tests.worker.conftest import DELIVERED, Shop, body

STUMBLED = failed(Failure.TRANSIENT, status=500, code="refused", message="an error")
HELD = replace(STUMBLED, held=True)


async def work_all(shop: Shop) -> None:
    """One turn for everything that is open, due or not."""
    await shop.desk.answer([str(name) for name, _ in await shop.open()])


async def tries(shop: Shop) -> list[int]:
    names = [str(name) for name, _ in await shop.open()]
    return [decode(await shop.store.get(keys.BATCH_PREFIX + name)).tries for name in names]


async def test_what_waits_for_its_lane_waits_in_line_and_has_not_been_tried(shop: Shop) -> None:
    shop.lane.decide = lambda _: HELD
    first = await shop.receive(body("e1"), body("e2"))
    second = await shop.receive(body("e3"))
    for _ in range(5):
        await work_all(shop)

    assert await tries(shop) == [0, 0]
    waiting = Waiting(shop.store)
    names = await waiting.pull("a", 9, 9)
    assert [name.split(":")[2] for name in names] == ["2", "1"]
    assert not {first, second} & set(names)
    shop.lane.decide = lambda _: DELIVERED
    await shop.desk.answer(names)
    assert (await shop.row()).delivered == 3


async def test_a_batch_of_which_only_a_part_waits_for_the_lane_has_its_own_delay(
    shop: Shop,
) -> None:
    shop.lane.decide = lambda name: HELD if name == "e1" else STUMBLED
    await shop.receive(body("e1"), body("e2"))
    await work_all(shop)

    assert await tries(shop) == [1]
    assert await Waiting(shop.store).connections() == set()
    seconds, _ = await shop.store.time()
    [(_, due)] = await shop.open()
    assert due < seconds * 1000 + PARKED_MS / 2


async def test_after_two_500s_the_neighbours_are_separated_from_the_guilty(shop: Shop) -> None:
    def decide(name: str) -> Outcome:
        return DELIVERED if shop.lane.suspects[-1] and name != "e1" else STUMBLED

    shop.lane.decide = decide
    await shop.receive(body("e1"), body("e2"), body("e3"))
    for _ in range(4):
        await work_all(shop)

    assert shop.lane.suspects == [False, False, True, True]
    row = await shop.row()
    assert (row.delivered, row.in_flight, row.dead) == (2, 1, 0)


async def test_what_platform_stumbles_over_each_time_dies_in_the_end(shop: Shop) -> None:
    shop.lane.decide = lambda _: STUMBLED
    await shop.receive(body("e1"))
    for _ in range(retry.MOST_FAULTS - 1):
        await work_all(shop)
    assert (await shop.row()).dead == 0

    await work_all(shop)

    assert await shop.dead() == ["send/contract/refused"]


async def test_the_500s_of_an_outage_kill_nothing(shop: Shop) -> None:
    shop.lane.decide = lambda _: HELD
    await shop.receive(body("e1"))
    for _ in range(3 * retry.MOST_FAULTS):
        await work_all(shop)
    shop.lane.decide = lambda _: STUMBLED
    await work_all(shop)

    assert (await shop.row()).dead == 0
    assert await tries(shop) == [1]
