"""Records that Platform refused later: tied to their events, and buried in one step."""

from __future__ import annotations

import json

import pytest
from arq.connections import ArqRedis

from app.core.batch import AttemptRun, EventBatch, decode, encode, encode_received
from app.core.batch_id import BatchId
from app.core.dead_letter import DeadLetter, DeadLetterSummary
from app.store import keys
from app.store.arrivals import made_ms
from app.store.batches import Batches
from app.store.claims import Claims
from app.store.dead_letters import DeadLetters, Filter
from app.store.lake import Lake
from app.store.ledger import Ledger, Row
from app.store.refusals import Counts, Grave, Mark, Refusals, State
from app.store.settlement import Settlement, Successor
from app.store.traces import RequestTrace, encode_trace

ID = "01E4C4CT6YDC7Y5M7FE1GWWPQ"
DEATH = AttemptRun(9, 9, 1, "refused_later", 0, "DCVS-1106-400", "no", "")


def event(at: int) -> bytes:
    return json.dumps(
        {"event_id": f"{ID}{at}", "object_type": "email", "metric": "sent", "timestamp": 5,
         "data": {}}
    ).encode()  # fmt: skip


class Shop:
    """Events that were delivered, and what is found of them later."""

    def __init__(self, store: ArqRedis) -> None:
        self.store = store
        self.batches = Batches(store, "w")
        self.claims = Claims(store)
        self.refusals = Refusals(store, "a")
        self.letters = DeadLetters(store)

    async def taken(self, count: int, start: int = 0) -> BatchId:
        bodies = [event(start + at) for at in range(count)]
        name = await self.batches.commit("a", encode_received(bodies, [1] * count), count)
        [taken], _ = await self.batches.take([name])
        ids = [(f"{ID}{start + at}", 5) for at in range(count)]
        await self.claims.claim("a", taken.batch_id.number, ids)
        return taken.batch_id

    async def delivered(self, count: int, start: int = 0) -> BatchId:
        batch = await self.taken(count, start)
        request = RequestTrace(7, "delivered", 207, "r", count)
        trace = encode_trace(1, count, 0, 0, count, 0, [request], "m@1", batch.hour)
        assert await self.batches.settle(batch, Settlement(delivered=count, trace=trace))
        return batch

    def grave(self, at: int, claim: int, hour: int, *, body: bytes = b"") -> Grave:
        summary = DeadLetterSummary(
            0, "a", hour, "lake", "refused_later", "DCVS-1106-400", "", "no", "", "",
            f"{ID}{at}", 1, 9, "m@1",
        )  # fmt: skip
        record = json.dumps({"_id": f"{ID}{at}"}).encode()
        return Grave(DeadLetter(summary, body, record, ()), claim, 5, (DEATH,))

    async def bury(
        self, *graves: Grave, before: Mark | None = None, lines: int = 1,
        counts: Counts | None = None,
    ) -> list[int] | int | None:  # fmt: skip
        mark = before if before is not None else await self.refusals.mark(0, "b/f")
        after = Mark("", lines, -1)
        return await self.refusals.bury(0, "b/f", mark, after, graves, counts or Counts())

    async def row(self) -> Row:
        balance = await Ledger(self.store).read()
        assert balance.faults == ()
        [row] = balance.totals()
        return row

    async def state(self, at: int) -> State:
        [known] = await self.refusals.known([(f"{ID}{at}", 5)])
        return known.state


@pytest.fixture
def shop(store: ArqRedis) -> Shop:
    return Shop(store)


async def test_a_buried_event_moves_from_delivered_to_dead(shop: Shop) -> None:
    batch = await shop.delivered(3)
    answer = await shop.bury(
        shop.grave(0, batch.number, batch.hour), shop.grave(2, batch.number, batch.hour),
        lines=5, counts=Counts(1, 2, 0, 0),
    )  # fmt: skip

    assert isinstance(answer, list)
    row = await shop.row()
    assert (row.received, row.delivered, row.dead) == (3, 1, 2)
    found = {x.number: x async for x in shop.letters.find(Filter(failure="refused_later"))}
    assert sorted(found) == sorted(answer)
    assert {x.event_id for x in found.values()} == {f"{ID}0", f"{ID}2"}
    assert await shop.refusals.mark(0, "b/f") == Mark("5 -1", 5, -1)
    standing = await Lake(shop.store).read("a")
    assert (standing.buried, standing.foreign, standing.nameless) == (2, 1, 2)
    # What Customer.io sends again is still a duplicate.
    assert await shop.claims.find("a", f"{ID}0") == batch.number


async def test_a_page_is_buried_once_whoever_tries(shop: Shop) -> None:
    """A worker that was killed, or lost its lease, between reading the mark and burying."""
    batch = await shop.delivered(2)
    before = await shop.refusals.mark(0, "b/f")
    grave = shop.grave(0, batch.number, batch.hour)
    assert isinstance(await shop.bury(grave, before=before), list)
    assert await shop.bury(grave, before=before) is None
    assert (await shop.row()).dead == 1


async def test_a_second_copy_of_one_delivery_is_no_second_letter(shop: Shop) -> None:
    batch = await shop.delivered(2)
    grave = shop.grave(0, batch.number, batch.hour)
    first = await shop.bury(grave, grave)
    assert isinstance(first, list) and first[1:] == [0]
    assert await shop.bury(grave, lines=2) == [0]

    assert (await shop.row()).dead == 1
    assert (await Lake(shop.store).read("a")).copies == 2
    [known] = await shop.refusals.known([(f"{ID}0", 5)])
    assert (known.refused, known.claim, known.past) == (batch.number, batch.number, (DEATH,))


@pytest.mark.parametrize("gone", ["replayed", "discarded"])
async def test_the_same_delivery_is_not_buried_again_once_its_letter_is_gone(
    shop: Shop, gone: str
) -> None:
    batch = await shop.delivered(2)
    grave = shop.grave(0, batch.number, batch.hour)
    [number] = await shop.bury(grave) or []
    if gone == "discarded":
        found = [x async for x in shop.letters.find(Filter())]
        await shop.letters.discard(found)
    else:
        await shop.letters.replay([number], 1)
    assert await shop.bury(grave, lines=2) == [0]
    assert (await shop.row()).dead == 0


async def test_no_row_goes_below_zero(shop: Shop) -> None:
    batch = await shop.delivered(1)
    graves = [shop.grave(at, batch.number + at, batch.hour) for at in range(2)]
    assert await shop.bury(*graves) == batch.hour
    assert await shop.bury(shop.grave(0, batch.number, batch.hour - 1)) == batch.hour - 1

    row = await shop.row()
    assert (row.delivered, row.dead) == (1, 0)
    assert await shop.refusals.mark(0, "b/f") == Mark()
    assert [x async for x in shop.letters.find(Filter())] == []


async def test_a_letter_without_a_body_is_replayed_as_a_ready_record(shop: Shop) -> None:
    batch = await shop.delivered(2)
    graves = [
        shop.grave(0, batch.number, batch.hour, body=event(0)),
        shop.grave(1, batch.number, batch.hour),
    ]
    numbers = await shop.bury(*graves)
    assert isinstance(numbers, list)
    [name] = await shop.letters.replay(numbers, 1)

    [taken], _ = await shop.batches.take([name])
    replayed = decode(taken.frame)
    assert replayed.bodies == [event(0), b'{"_id": "01E4C4CT6YDC7Y5M7FE1GWWPQ1"}']
    assert replayed.ready == frozenset({1})
    assert (await shop.row()).in_flight == 2


async def test_what_nobody_claimed_is_foreign(shop: Shop) -> None:
    await shop.delivered(1)
    assert await shop.state(0) is State.DELIVERED
    assert await shop.state(1) is State.FOREIGN
    [known] = await shop.refusals.known([(f"{ID}0", 5)])
    assert known.trace is not None and known.trace.mapping == "m@1"
    assert known.trace.hour > 0


async def test_an_event_on_its_way_is_no_dead_one(shop: Shop) -> None:
    """Platform took it, we could not read the answer, and it is to be sent again."""
    batch = await shop.taken(3)
    assert [await shop.state(at) for at in range(3)] == [State.BUSY] * 3
    await shop.batches.mark_delivered(str(batch), [1])
    await shop.batches.release(str(batch), counts=True)
    assert [await shop.state(at) for at in range(3)] == [State.AGAIN, State.BUSY, State.AGAIN]

    [taken], _ = await shop.batches.take([str(batch)])
    rest = encode(EventBatch([event(2)], [1], claim=batch.number))
    later = Successor(60_000, 1, rest, 0, batch.number)
    trace = encode_trace(1, 3, 0, 0, 2, 0, [], "", batch.hour)
    settled = Settlement(delivered=2, successors=(later,), trace=trace)
    assert await shop.batches.settle(batch, settled)
    assert [await shop.state(at) for at in range(3)] == [
        State.DELIVERED, State.DELIVERED, State.AGAIN,
    ]  # fmt: skip
    assert taken.marked


async def test_rows_of_which_nothing_is_said_are_tried_from_the_likeliest_on(
    shop: Shop, store: ArqRedis
) -> None:
    made = made_ms(f"{ID}0", 0) // 3_600_000
    for row, delivered in ((made, 0), (made + 1, 4), (made + 500, 9), (made - 1, 2)):
        await store.sadd(keys.ledger_hours("a"), row)
        await store.hset(f"{keys.ledger_prefix('a')}{row}", "delivered", delivered)
    found = [(h - made, d) async for h, d in shop.refusals.hours_near(f"{ID}0", 0)]
    assert found[:4] == [(0, 0), (1, 4), (-1, 2), (500, 9)]
