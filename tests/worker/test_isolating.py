"""A batch that outlived several workers: halved, and what of it is settled on the way."""

from __future__ import annotations

from app.core.batch import TAKE_OVER, AttemptRun, EventBatch, decode, encode
from app.core.replay import REPLAYED
from app.store import keys
from app.store.batches import SUSPECT_TAKES, Batches, takes_most
from tests.worker.conftest import Shop, body


async def outlived(shop: Shop, name: str) -> None:
    """Takes a batch, and dies of it, until the next worker splits it."""
    for life in range(SUSPECT_TAKES):
        doomed = Batches(shop.store, f"doomed-{life}", lease_ms=0)
        await doomed.take([name])
        if life >= SUSPECT_TAKES - 1:
            await doomed.begin(name)


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

    await shop.desk.answer([name])
    while pairs := await shop.open():
        await shop.desk.answer([str(batch_id) for batch_id, _ in pairs])

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

    await shop.desk.answer([name])
    await shop.desk.answer([str(batch_id) for batch_id, _ in await shop.open()])

    assert await shop.store.hgetall(keys.replay_run(7)) == {b"duplicates": b"1", b"delivered": b"2"}
