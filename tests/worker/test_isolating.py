"""A batch that outlived several workers: halved, and what of it is settled on the way."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from app.core.batch import TAKE_OVER, AttemptRun, EventBatch, decode, encode
from app.core.batch_id import BatchId
from app.core.replay import REPLAYED
from app.store import keys
from app.store.batches import SUSPECT_TAKES, Batches, takes_most
from app.store.settlement import Settlement
from tests.worker.conftest import Shop, body


class Killed(BaseException):
    """Nothing of ours catches it."""


async def outlived(shop: Shop, name: str, *marked: int) -> None:
    """Takes a batch, and dies of it, until the next worker isolates what is in it. The first one to
    die had marked that Platform took the events at `marked`."""
    for life in range(takes_most(BatchId.parse(name))):
        doomed = Batches(shop.store, f"doomed-{life}", lease_ms=0)
        await doomed.take([name])
        if life == 0 and marked:
            await doomed.mark_delivered(name, marked)
        if life >= SUSPECT_TAKES - 1:
            await doomed.begin(name)


async def work_all(shop: Shop) -> None:
    """Until nothing is open."""
    while pairs := await shop.open():
        await shop.desk.answer([str(batch_id) for batch_id, _ in pairs])


async def test_a_batch_that_kills_workers_is_split_until_the_poison_is_alone(shop: Shop) -> None:
    """Every take that meets the poison is a crash: nothing settles, the lease runs out."""
    bodies = [body(f"e{i}") for i in range(9)]
    bodies[5] = body("poison")
    await shop.receive(*bodies)

    crashes = 0
    while pairs := await shop.open():
        for batch_id, _ in pairs:
            name = str(batch_id)
            frame = await shop.store.get(keys.BATCH_PREFIX + name)
            held = (await shop.store.hget(keys.HELD, name) or b"- 0 0").split()
            if b"poison" in b"".join(decode(frame).bodies) and int(held[2]) < takes_most(batch_id):
                doomed = Batches(shop.store, f"doomed-{crashes}", lease_ms=0)
                await doomed.take([name])
                if int(held[2]) >= SUSPECT_TAKES - 1:
                    await doomed.begin(name)
                crashes += 1
            else:
                await shop.desk.answer([name])

    assert await shop.dead() == ["work/internal/poison"]
    row = await shop.row()
    assert (row.delivered, row.dead) == (8, 1)
    assert "poison" not in shop.lane.sent


async def test_copies_of_an_event_are_not_parted_when_a_batch_is_split(shop: Shop) -> None:
    """Both halves hold the claim, so each would deliver, and book, a copy of its own."""
    name = await shop.receive(body("e1"), b"{", body("e2"), body("e1"), b"{", body("e1"))
    await outlived(shop, name)

    await work_all(shop)

    assert sorted(shop.lane.sent) == ["e1", "e2"]
    row = await shop.row()
    assert (row.delivered, row.duplicates, row.dead) == (2, 2, 2)


async def test_a_suspect_that_is_nothing_but_copies_goes_on_alone(shop: Shop) -> None:
    name = await shop.receive(*[body("e1")] * 4)
    await outlived(shop, name)

    await shop.desk.answer([name])
    [(alone, _)] = await shop.open()
    await shop.desk.answer([str(alone)])

    assert alone.events == 1
    assert shop.lane.sent == ["e1"]
    row = await shop.row()
    assert (row.delivered, row.duplicates) == (1, 3)


async def test_what_is_counted_at_a_split_is_counted_for_its_replay_run(shop: Shop) -> None:
    """A run ends when as many are settled as it put: one that is missing, and it never would."""
    mark = AttemptRun(1, 1, 1, REPLAYED, 0, "run:7", "", "")
    bodies = [body("e1"), body("e1"), body("e2")]
    frame = encode(EventBatch(bodies, [1] * 3, TAKE_OVER, histories=[(mark,)] * 3))
    name = await shop.batches.commit("a", frame, 3)
    await outlived(shop, name)

    await work_all(shop)

    assert await shop.store.hgetall(keys.replay_run(7)) == {b"duplicates": b"1", b"delivered": b"2"}


async def test_what_platform_took_is_left_out_of_the_halves_and_booked(shop: Shop) -> None:
    name = await shop.receive(*(body(f"e{at}") for at in range(6)))
    await outlived(shop, name, 0, 3)

    await shop.desk.answer([name])

    row = await shop.row()
    assert (row.received, row.delivered, row.in_flight) == (6, 2, 4)
    halves = [batch_id.events for batch_id, _ in await shop.open()]
    assert halves == [2, 2]
    assert shop.metrics.registry.get_sample_value(
        "sluice_events_total", {"connection": "a", "outcome": "delivered"}
    ) == 2  # fmt: skip
    await work_all(shop)
    assert sorted(shop.lane.sent) == ["e1", "e2", "e4", "e5"]
    assert (await shop.row()).delivered == 6
    # Each counts once for the edge, whether it was marked or only settled.
    assert sum(map(int, await shop.store.hvals(keys.edge("a")))) == 6
    assert [key async for key in shop.store.scan_iter(keys.DONE_PREFIX + "*")] == []


async def test_a_copy_of_what_platform_took_is_a_duplicate(shop: Shop) -> None:
    """Before it or after it: by the batch's claim, a half that has it would send it."""
    name = await shop.receive(body("e1"), b"{", body("e2"), body("e1"), body("e2"), body("e1"))
    await outlived(shop, name, 3)

    await work_all(shop)

    assert shop.lane.sent == ["e2"]
    row = await shop.row()
    assert (row.delivered, row.duplicates, row.dead) == (2, 3, 1)


async def test_a_single_event_that_platform_took_is_delivered_and_no_poison(shop: Shop) -> None:
    name = await shop.receive(body("e1"))
    await outlived(shop, name, 0)

    await shop.desk.answer([name])

    assert await shop.open() == []
    assert (await shop.dead(), shop.lane.sent) == ([], [])
    assert (await shop.row()).delivered == 1


async def test_of_which_platform_took_everything_nothing_follows(shop: Shop) -> None:
    name = await shop.receive(body("e1"), body("e2"), body("e1"))
    await outlived(shop, name, 0, 1)

    with capture_logs() as lines:
        await shop.desk.answer([name])

    assert (await shop.open(), shop.lane.sent, lines) == ([], [], [])
    row = await shop.row()
    assert (row.delivered, row.duplicates) == (2, 1)
    settled = await shop.traces.batch(BatchId.parse(name).number)
    assert settled is not None
    assert (settled.delivered, settled.duplicates, settled.successors) == (2, 1, ())
    assert [key async for key in shop.store.scan_iter("sluice:done:*")] == []


async def test_a_mark_beyond_the_batch_is_none(shop: Shop) -> None:
    """A power cut may have garbled it (tests/store/test_garbled.py)."""
    name = await shop.receive(body("e1"), body("e2"))
    await outlived(shop, name, 0)
    await shop.store.sadd(keys.DONE_PREFIX + name, b"77")

    await work_all(shop)

    assert shop.lane.sent == ["e2"]
    assert (await shop.row()).delivered == 2


@pytest.mark.parametrize("booked", [False, True])
async def test_a_worker_killed_at_the_settlement_of_a_split_costs_and_doubles_nothing(
    shop: Shop, booked: bool
) -> None:
    class Doomed(Batches):
        """Dies at the settlement: before it reaches Redis, or before its answer is read."""

        async def settle(self, batch_id: BatchId, settlement: Settlement) -> bool:
            if booked:
                await super().settle(batch_id, settlement)
            raise Killed

    name = await shop.receive(*(body(f"e{at}") for at in range(4)))
    await outlived(shop, name, 1)
    doomed = Doomed(shop.store, "doomed-at-last", lease_ms=0)
    taken, _ = await doomed.take([name])
    with pytest.raises(Killed):
        await shop.new_pipeline(doomed).work(*taken)

    await work_all(shop)

    assert sorted(shop.lane.sent) == ["e0", "e2", "e3"]
    row = await shop.row()
    assert (row.received, row.delivered, row.duplicates, row.dead) == (4, 4, 0, 0)
