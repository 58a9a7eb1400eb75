"""The pipeline at one moment."""

from __future__ import annotations

from typing import Any

import pytest
from arq.connections import ArqRedis

from app.core.batch import encode_received
from app.core.batch_id import BatchId
from app.core.dead_letter import DeadLetter, DeadLetterSummary
from app.store import keys
from app.store.batches import Batches
from app.store.dead_letters import DeadLetters, Filter
from app.store.ledger import Ledger
from app.store.pipeline import Flow, Pipeline, Stage
from app.store.settlement import Settlement, Successor


def frame(*received_ms: int) -> bytes:
    return encode_received([b"{}"] * len(received_ms), list(received_ms))


def letter(name: str) -> DeadLetter:
    hour = BatchId.parse(name).hour
    summary = DeadLetterSummary(0, "a", hour, "check", "contract", "type", "/x", "", "", "k", "e",
                                1, 1)  # fmt: skip
    return DeadLetter(summary, b"{}", None, ())


@pytest.fixture
def batches(store: ArqRedis) -> Batches:
    return Batches(store, "one", lease_ms=60_000)


async def look(pipeline: Pipeline, connection: str = "a") -> Flow:
    return (await pipeline.look()).flows[connection]


async def test_each_batch_is_in_one_stage_with_its_oldest_event(
    store: ArqRedis, batches: Batches
) -> None:
    pipeline = Pipeline(store)
    first = await batches.commit("a", frame(5_000, 4_000), 2)
    await batches.commit("a", frame(9_000), 1)
    flow = await look(pipeline)
    assert flow.queued == Stage(2, 3, 4_000)
    assert flow.delivering == flow.retrying == Stage()

    await batches.take([first])
    flow = await look(pipeline)
    assert flow.queued == Stage(1, 1, 9_000)
    assert flow.delivering == Stage(1, 2, 4_000)

    later = Successor(60_000, 1, frame(4_000), stems_from=BatchId.parse(first).number)
    await batches.settle(BatchId.parse(first), Settlement(delivered=1, successors=[later]))
    flow = await look(pipeline)
    assert (flow.delivering, flow.retrying) == (Stage(), Stage(1, 1, 4_000))
    assert (flow.backlog, flow.done) == (2, 1)


async def test_its_counts_are_the_ledger_s_however_it_goes_on(
    store: ArqRedis, batches: Batches
) -> None:
    """Also of an hour that is long over: its rows are read again while they can change."""
    pipeline = Pipeline(store)

    async def agree() -> None:
        totals = {row.connection: row for row in (await Ledger(store).read()).totals()}
        reading = await pipeline.look()
        for name, row in totals.items():
            flow = reading.flows[name]
            for column, count in flow.counts.items():
                assert getattr(row, column) == count, (name, column)
            assert row.in_flight == flow.backlog
        assert reading.whole().counts["received"] == sum(r.received for r in totals.values())

    names = [await batches.commit(each, frame(1, 2, 3), 3) for each in ("a", "b", "a")]
    await agree()
    old = await _made_old(store, names[0])
    await agree()
    await batches.take([old])
    await agree()
    done = Settlement(delivered=1, duplicates=1, letters=[letter(old)])
    await batches.settle(BatchId.parse(old), done)
    await agree()
    dead = DeadLetters(store)
    (one,) = [each async for each in dead.find(Filter(connection="a"))]
    await dead.replay([one.number], 5)
    await agree()
    assert (await look(pipeline)).dead == 0


async def _made_old(store: ArqRedis, name: str) -> str:
    """The batch, as if it had been received a day ago."""
    found = BatchId.parse(name)
    old = str(found._replace(hour=found.hour - 24))
    rows = keys.ledger_prefix(found.connection)
    await store.rename(keys.BATCH_PREFIX + name, keys.BATCH_PREFIX + old)
    await store.zrem(keys.OPEN_SET, name)
    await store.zadd(keys.OPEN_SET, {old: 1})
    await store.hincrby(f"{rows}{found.hour}", "received", -found.events)
    await store.hincrby(f"{rows}{found.hour - 24}", "received", found.events)
    await store.sadd(keys.ledger_hours(found.connection), found.hour - 24)
    return old


async def test_a_frame_is_opened_once(
    store: ArqRedis, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline(store)
    for _ in range(3):
        await batches.commit("a", frame(1, 2), 2)
    opened: list[str] = []
    real = pipeline._received_ms

    async def received_ms(_self: Any, name: str) -> int | None:
        opened.append(name)
        return await real(name)

    monkeypatch.setattr(Pipeline, "_received_ms", received_ms)
    for _ in range(4):
        await pipeline.look()
    assert len(opened) == 1


async def test_a_frame_that_cannot_be_read_has_no_age(store: ArqRedis, batches: Batches) -> None:
    await batches.commit("a", b"nothing that anybody can read", 1)
    assert (await look(Pipeline(store))).queued == Stage(1, 1, None)
