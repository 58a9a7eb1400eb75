"""The edge's column, the lake's, and who looks at Platform when."""

from __future__ import annotations

import msgpack
from arq.connections import ArqRedis

from app.core.batch import encode_received
from app.core.batch_id import BatchId
from app.core.landing import Hour, Judged, Patience, Verdict
from app.store import keys
from app.store.batches import Batches
from app.store.lake import Lake, LakeHour
from app.store.settlement import Settlement, Successor


async def accepted(store: ArqRedis) -> int:
    return sum((await Lake(store).read("a")).edge.values())


async def held(batches: Batches, events: int) -> BatchId:
    name = await batches.commit("a", encode_received([b"{}"] * events, [1] * events), events)
    [taken], _ = await batches.take([name])
    return taken.batch_id


async def test_what_is_settled_as_delivered_was_accepted(store: ArqRedis) -> None:
    batches = Batches(store, "w")
    batch = await held(batches, 5)
    later = Successor(0, 1, encode_received([b"{}"], [1]))
    assert await batches.settle(batch, Settlement(1, 0, 3, (later,)))
    assert await accepted(store) == 3


async def test_a_mark_counts_once_however_often_it_is_written(store: ArqRedis) -> None:
    batches = Batches(store, "w")
    batch = await held(batches, 5)
    await batches.mark_delivered(str(batch), [0, 1])
    await batches.mark_delivered(str(batch), [1, 2])
    assert await accepted(store) == 3

    assert await batches.settle(batch, Settlement(delivered=5))
    assert await accepted(store) == 5


async def test_a_settlement_that_comes_too_late_counts_nothing(store: ArqRedis) -> None:
    one, two = Batches(store, "one", lease_ms=0), Batches(store, "two")
    batch = await held(one, 2)
    await two.take([str(batch)])
    assert not await one.settle(batch, Settlement(delivered=2))
    assert await accepted(store) == 0
    assert await two.settle(batch, Settlement(delivered=2))
    assert await accepted(store) == 2


async def test_marks_beyond_what_a_script_takes_at_once(store: ArqRedis) -> None:
    batches = Batches(store, "w")
    batch = await held(batches, 9_000)
    await batches.mark_delivered(str(batch), range(9_000))
    assert await accepted(store) == 9_000


async def test_one_looks_at_a_time_and_the_next_one_when_it_is_due(store: ArqRedis) -> None:
    one, two = Lake(store, "one"), Lake(store, "two")
    begun = await one.begin("a", 60_000, 60_000)
    assert begun is not None and begun.seen_ms == 0
    assert await two.begin("a", 0, 60_000) is None
    assert await one.keep("a", 60_000)
    assert not await two.keep("a", 60_000)
    assert await two.done("a", 1) is None

    assert await one.done("a", begun.now_ms) is not None
    assert await two.begin("a", 60_000, 60_000) is None
    again = await two.begin("a", 0, 60_000)
    assert again is not None and again.seen_ms == begun.now_ms
    # Another connection is another matter.
    assert await one.begin("b", 60_000, 60_000) is not None


async def test_a_look_that_a_crash_ended_is_due_at_once(store: ArqRedis) -> None:
    assert await Lake(store, "dead").begin("a", 60_000, 60_000) is not None
    # As if the lease had run out: no waiting for it.
    await store.hset(keys.look("a"), "until", 1)
    assert await Lake(store, "next").begin("a", 60_000, 60_000) is not None
    assert not await Lake(store, "dead").keep("a", 60_000)


async def test_a_look_that_was_left_is_due_at_once(store: ArqRedis) -> None:
    stopping = Lake(store, "stopping")
    assert await stopping.begin("a", 60_000, 60_000) is not None
    await stopping.leave("a")
    assert await Lake(store, "next").begin("a", 60_000, 60_000) is not None


async def test_trouble_and_its_end_are_told_once(store: ArqRedis) -> None:
    lake = Lake(store, "w")
    changes = []
    for error in ("", "away", "away", "refused", ""):
        begun = await lake.begin("a", 0, 60_000)
        assert begun is not None
        if error:
            ended = await lake.failed("a", error)
        else:
            ended = await lake.done("a", begun.now_ms)
        assert ended is not None
        changes.append((ended.changed, ended.error_before))
        standing = await lake.read("a")
        assert (standing.error, standing.looked) == (error, True)
    assert changes == [
        (False, ""), (True, ""), (False, "away"), (False, "away"), (True, "refused"),
    ]  # fmt: skip


async def test_hours_are_written_over_and_read_together(store: ArqRedis) -> None:
    lake = Lake(store)
    await store.hset(keys.edge("a"), mapping={"7": 5, "8": 1})
    await lake.put("a", {7: LakeHour(1, 0, 1, False), 9: LakeHour(2)})
    await lake.put("a", {7: LakeHour(4, 1, 1, True, 6, 4)})

    standing = await lake.read("a")
    assert standing.hours == [Hour(7, 5, 4, 1, 1), Hour(8, 1), Hour(9, 0, 2)]
    assert standing.lake[7].received == 6
    # Before the first accepted event nobody counted.
    await lake.put("a", {6: LakeHour(9)})
    assert [hour.hour for hour in (await lake.read("a")).hours] == [7, 8, 9]
    assert not standing.looked


async def test_an_hour_with_fields_of_a_later_release_is_readable(store: ArqRedis) -> None:
    await store.hset(keys.lake("a"), "7", msgpack.packb([1, 2, 3, True, None, None, "new"]))
    assert (await Lake(store).read("a")).lake[7] == LakeHour(1, 2, 3)


async def test_failures_that_no_file_explains_are_the_verdict_once_their_hour_is_due(
    store: ArqRedis,
) -> None:
    lake, patience = Lake(store, "w"), Patience(3_600, 86_400)
    begun = await lake.begin("a", 0, 60_000)
    assert begun is not None
    await lake.done("a", begun.now_ms)
    now = begun.now_ms / 1000
    hour = int(now) // 3_600
    for hours_ago, buried, unfound in ((1, 0, 0), (3, 0, 3), (3, 2, 1), (3, 3, 0)):
        await store.delete(keys.edge("a"), keys.lake("a"))
        await store.hset(keys.edge("a"), str(hour - hours_ago), 5)
        await lake.put("a", {hour - hours_ago: LakeHour(2, 3, 1)})
        await store.hset(keys.look("a"), "buried", buried)
        standing = await lake.read("a")
        assert standing.unfound(patience) == unfound
        wanted = Judged(Verdict.UNFOUND, unfound) if unfound else Judged(Verdict.MEETS)
        assert standing.overall(now, patience) == wanted
