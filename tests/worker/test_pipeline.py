"""One batch's story against a real Redis: every event ends in exactly one column."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgpack
import pytest
from structlog.testing import capture_logs

from app.core.batch import CURRENT_VERSION, decode
from app.core.dataprep import compile_mapping_set
from app.core.dead_letter import DeadLetterSummary
from app.core.event import SEND_TEST_EVENT_ID
from app.core.outcome import Failure, Outcome, Verdict, failed
from app.store import keys
from app.store.batches import Batches
from app.store.dead_letters import Filter
from app.store.settlement import Settlement
from tests.worker.conftest import DELIVERED, MAPPING, Shop, body
from worker.pipeline import RetryPolicy
from worker.route import Route, Version
from worker.telling import CAUSES_MAX

REFUSED = failed(Failure.CONTRACT, status=400, code="DCVS-1104-400", message="no", path="/a")
TRANSIENT = failed(Failure.TRANSIENT, status=503, code="http_503")


async def test_events_are_delivered_once_and_the_batch_is_gone(shop: Shop) -> None:
    batch = await shop.receive(body("e1"), body("e2"))
    await shop.desk.answer([batch])

    assert shop.lane.sent == ["e1", "e2"]
    row = await shop.row()
    assert (row.received, row.delivered, row.in_flight) == (2, 2, 0)
    assert await shop.open() == []
    assert [k async for k in shop.store.scan_iter("sluice:batch:*")] == []


async def test_an_event_seen_before_is_a_counted_duplicate(shop: Shop) -> None:
    first = await shop.receive(body("e1"), body("e1"), body("e2"))
    second = await shop.receive(body("e2"), body("e3"))
    await shop.desk.answer([first])
    await shop.desk.answer([second])

    assert shop.lane.sent == ["e1", "e2", "e3"]
    assert (await shop.row()).duplicates == 2


async def test_the_send_test_is_counted_as_a_test_and_never_sent(shop: Shop) -> None:
    for _ in range(2):
        await shop.desk.answer([await shop.receive(body(SEND_TEST_EVENT_ID))])

    row = await shop.row()
    assert (row.tests, row.duplicates, shop.lane.sent) == (2, 0, [])
    assert (await shop.ledger.read()).last_tests["a"] > 0


async def test_an_event_in_the_format_of_before_2020_is_an_event(shop: Shop) -> None:
    """customerio.md section 12."""
    legacy = {"event_id": "e1", "event_type": "email_sent", "timestamp": 1_500_000_000,
              "data": {"customer_id": "1"}}  # fmt: skip
    await shop.desk.answer([await shop.receive(json.dumps(legacy).encode())])
    assert shop.lane.sent == ["e1"]


@pytest.mark.parametrize(
    ("garbage", "code"),
    [
        (b"not json", "not_json"),
        (b"[1]", "not_object"),
        (b"{}", "event_id_invalid"),
        (b'{"event_id":"x","event_type":"email"}', "event_type_invalid"),
        (body("x", timestamp="soon"), "timestamp_invalid"),
        (body("x", data=None), "data_invalid"),
        (body("x", object_type=None), "object_type_invalid"),
    ],
)
async def test_what_cannot_be_read_dies_alone_with_its_exact_bytes(
    shop: Shop, garbage: bytes, code: str
) -> None:
    await shop.desk.answer([await shop.receive(body("e1"), garbage)])

    assert shop.lane.sent == ["e1"]
    assert await shop.dead() == [f"parse/unreadable/{code}"]
    [summary] = [x async for x in shop.letters.find(Filter(connection="a"))]
    [letter] = await shop.letters.get([summary.number])
    assert letter.body == garbage
    assert (await shop.row()).dead == 1


async def test_a_missing_required_field_is_a_dead_letter_that_names_its_row(shop: Shop) -> None:
    await shop.desk.answer([await shop.receive(body("e1", timestamp=10**17), body("e2"))])

    [summary] = [x async for x in shop.letters.find(Filter())]
    assert (summary.stage, summary.failure, summary.path) == ("transform", "mapping", "timestamp")
    assert "dformat" in summary.row
    assert shop.lane.sent == ["e2"]


async def summaries(shop: Shop) -> list[DeadLetterSummary]:
    return [x async for x in shop.letters.find(Filter())]


def newer(*rows: dict[str, str]) -> Version:
    """A second version of the set, with more rows."""
    mappings = [*MAPPING["mappings"], *rows]
    return Version(compile_mapping_set({**MAPPING, "version": 2, "mappings": mappings}))


async def test_a_dead_letter_says_which_version_of_the_mapping_set_was_at_work(shop: Shop) -> None:
    shop.lane.decide = lambda event_id: REFUSED if event_id == "refused" else DELIVERED
    bodies = body("unmapped", timestamp=10**17), body("refused"), body("sent"), b"junk"
    await shop.desk.answer([await shop.receive(*bodies)])

    found = {(x.stage, x.mapping) for x in await summaries(shop)}
    label = shop.route.version.label
    assert label.startswith("small@1+")
    assert found == {("transform", label), ("send", label), ("parse", "")}
    trace = await shop.traces.event("a", "sent", 1_700_000_000)
    assert [batch.mapping for batch in trace.settled] == [label]


async def test_a_record_that_platform_refuses_names_the_row_of_the_place(shop: Shop) -> None:
    refused = failed(Failure.CONTRACT, status=400, code="DCVS-1106-400", path="/eventType")
    shop.lane.decide = lambda _: refused
    await shop.desk.answer([await shop.receive(body("e1"))])
    [letter] = await summaries(shop)
    assert letter.row == "#3 ATTRIBUTE metric -> eventType"


async def test_traces_of_other_releases_can_be_read(shop: Shop) -> None:
    """Those before had no mapping; those to come may have more."""
    await shop.desk.answer([await shop.receive(body("e1"))])
    [key] = [key async for key in shop.store.scan_iter(f"{keys.TRACE_PREFIX}*")]
    [(number, stored)] = (await shop.store.hgetall(key)).items()
    settled_ms, followed, packed = stored.split(b" ", 2)
    ours = msgpack.unpackb(packed)
    label = shop.route.version.label

    for fields, wanted in ((ours, label), (ours[:7], ""), ([*ours, "more"], label)):
        await shop.store.hset(key, number, b" ".join([settled_ms, followed, msgpack.packb(fields)]))
        [batch] = (await shop.traces.event("a", "e1", 1_700_000_000)).settled
        assert (batch.mapping, batch.delivered) == (wanted, 1)


async def test_a_batch_under_way_keeps_the_version_that_mapped_it(shop: Shop) -> None:
    old = shop.route.version.label
    shop.lane.decide = lambda event_id: TRANSIENT if event_id == "later" else REFUSED
    shop.lane.early = 1
    working = asyncio.create_task(
        shop.desk.answer([await shop.receive(body("later"), body("dead"))])
    )
    async with asyncio.timeout(5):
        while not shop.lane.sent:  # noqa: ASYNC110  # the lane has no event for it
            await asyncio.sleep(0.005)
    shop.route.version = newer()
    shop.lane.early = 0
    shop.lane.rest.set()
    await working
    assert [x.mapping for x in await summaries(shop)] == [old]

    shop.lane.decide = lambda _: REFUSED
    [(later, _)] = await shop.open()
    await shop.desk.answer([str(later)])
    assert {x.event_id: x.mapping for x in await summaries(shop)} == {
        "dead": old, "later": shop.route.version.label,
    }  # fmt: skip


async def test_a_replay_is_mapped_by_the_version_that_runs_then(shop: Shop) -> None:
    await shop.desk.answer([await shop.receive(body("e1", timestamp=10**17))])
    [letter] = await summaries(shop)
    rows = [row for row in MAPPING["mappings"] if row["destination"] != "timestamp"]
    rows.append({"sourceType": "STATIC", "source": "2026-01-01T00:00:00Z",
                 "destination": "timestamp"})  # fmt: skip
    mended = compile_mapping_set({**MAPPING, "version": 2, "mappings": rows})
    shop.route.version = Version(mended)

    [batch] = await shop.letters.replay([letter.number], int(shop.now * 1000))
    await shop.desk.answer([batch])

    assert shop.lane.sent == ["e1"]
    trace = await shop.traces.event("a", "e1", 10**17)
    assert [batch.mapping for batch in trace.settled] == [mended.label] != [letter.mapping]


async def test_rows_that_fail_and_records_too_large_are_told_once_per_batch(shop: Shop) -> None:
    shop.route.version = newer(
        {"sourceType": "EXPRESSION", "source": "to_integer(data.n)", "destination": "n"},
        {"sourceType": "ATTRIBUTE", "source": "data.text", "destination": "text"},
    )
    bad = [body(f"e{n}", data={"n": "ada@example.com", "text": "x" * 11_000}) for n in range(3)]

    with capture_logs() as lines:
        await shop.desk.answer([await shop.receive(*bad, body("e4", data={"n": "4"}))])

    rows, large = lines
    label = shop.route.version.label
    assert (rows["event"], rows["row"], rows["path"], rows["times"]) == ("row.failed", "4", "n", 3)
    assert (large["event"], large["times"]) == ("records.over_profile_limit", 3)
    assert {line["mapping"] for line in lines} == {label}
    assert "ada" not in str(lines)
    samples = {
        "sluice_worker_row_failures_total": {"connection": "a", "row": "4"},
        "sluice_worker_records_over_profile_limit_total": {"connection": "a"},
    }
    for name, labels in samples.items():
        assert shop.metrics.registry.get_sample_value(name, labels) == 3
    assert len(shop.lane.sent) == 4


async def test_a_flood_of_different_deaths_is_few_lines(shop: Shop) -> None:
    shop.lane.decide = lambda event_id: failed(Failure.CONTRACT, status=400, code=event_id)
    with capture_logs() as lines:
        await shop.desk.answer([await shop.receive(*(body(f"e{n}") for n in range(50)))])
    assert len(lines) == CAUSES_MAX + 1
    assert sum(line["times"] for line in lines) == 50


async def test_each_message_has_its_own_outcome(shop: Shop) -> None:
    answers = {"bad": REFUSED, "later": TRANSIENT}
    shop.lane.decide = lambda event_id: answers.get(event_id, DELIVERED)
    await shop.desk.answer([await shop.receive(body("ok"), body("bad"), body("later"))])

    row = await shop.row()
    assert (row.delivered, row.dead, row.in_flight) == (1, 1, 1)
    assert await shop.dead() == ["send/contract/DCVS-1104-400"]
    [(later, _)] = await shop.open()
    assert later.events == 1

    shop.lane.decide = lambda _: DELIVERED
    await shop.desk.answer([str(later)])
    assert shop.lane.sent == ["ok", "bad", "later", "later"]
    assert (await shop.row()).delivered == 2


async def test_an_outage_is_one_run_in_the_history_and_waits_longer_each_time(shop: Shop) -> None:
    shop.lane.decide = lambda _: TRANSIENT
    name = await shop.receive(body("e1"))
    waits = []
    for _ in range(4):
        await shop.desk.answer([name])
        [(batch_id, due)] = await shop.open()
        seconds, _ = await shop.store.time()
        waits.append(round(due / 1000 - seconds))
        name = str(batch_id)

    frame = await shop.store.get(keys.BATCH_PREFIX + name)
    later = decode(frame)
    assert [run.times for run in later.history(0)] == [4]
    assert later.tries == 4
    assert waits == sorted(waits) and waits[-1] >= 4 * waits[0]


async def test_an_event_too_old_to_try_again_is_a_dead_letter_expired(shop: Shop) -> None:
    shop.lane.decide = lambda _: TRANSIENT
    name = await shop.receive(body("e1"))
    shop.now += RetryPolicy().max_age + 1
    await shop.desk.answer([name])

    assert await shop.dead() == ["send/expired/http_503"]


async def test_a_held_lane_kills_nothing_however_old(shop: Shop) -> None:
    held = failed(Failure.CREDENTIALS, status=401, retry_after=30.0, attempted=False)
    shop.lane.decide = lambda _: held
    name = await shop.receive(body("e1"))
    shop.now += RetryPolicy().max_age + 1
    await shop.desk.answer([name])

    [(batch_id, _)] = await shop.open()
    later = decode(await shop.store.get(f"{keys.BATCH_PREFIX}{batch_id}"))
    assert (later.tries, later.histories) == (0, [])
    assert await shop.dead() == []


async def test_an_unknown_outcome_is_sent_again_with_the_same_id(shop: Shop) -> None:
    unknown = failed(Failure.UNKNOWN, code="unreadable_answer")
    shop.lane.decide = lambda _: unknown
    await shop.desk.answer([await shop.receive(body("e1"))])
    shop.lane.decide = lambda _: DELIVERED
    [(batch_id, _)] = await shop.open()
    await shop.desk.answer([str(batch_id)])

    assert shop.lane.sent == ["e1", "e1"]
    assert (await shop.row()).delivered == 1


async def test_a_bug_while_mapping_means_later_not_dead(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr("worker.route.Route.message", broken)
    await shop.desk.answer([await shop.receive(body("e1"))])
    row = await shop.row()
    assert (row.in_flight, row.dead) == (1, 0)


async def test_a_replay_delivers_and_leaves_the_ledger_balanced(shop: Shop) -> None:
    shop.lane.decide = lambda _: REFUSED
    await shop.desk.answer([await shop.receive(body("e1"), body("e2"), b"junk")])
    shop.lane.decide = lambda _: DELIVERED

    sent = [x async for x in shop.letters.find(Filter(failure="contract"))]
    [batch] = await shop.letters.replay([x.number for x in sent], int(shop.now * 1000))
    assert (await shop.row()).in_flight == 2
    await shop.desk.answer([batch])

    row = await shop.row()
    assert (row.delivered, row.dead, row.duplicates) == (2, 1, 0)
    assert await shop.dead() == ["parse/unreadable/not_json"]


async def test_a_replay_of_an_expired_event_is_tried_anew(shop: Shop) -> None:
    shop.lane.decide = lambda _: TRANSIENT
    name = await shop.receive(body("e1"))
    shop.now += RetryPolicy().max_age + 1
    await shop.desk.answer([name])
    [letter] = [x async for x in shop.letters.find(Filter())]
    [batch] = await shop.letters.replay([letter.number], int(shop.now * 1000))
    await shop.desk.answer([batch])

    assert await shop.dead() == []
    [(batch_id, _)] = await shop.open()
    history = decode(await shop.store.get(f"{keys.BATCH_PREFIX}{batch_id}")).history(0)
    assert [run.failure for run in history] == ["transient", "expired", "replayed", "transient"]


async def test_a_discarded_letter_is_booked_as_discarded(shop: Shop) -> None:
    await shop.desk.answer([await shop.receive(b"junk", b"more junk")])
    letters = [x async for x in shop.letters.find(Filter())]
    assert await shop.letters.discard(letters) == 2
    assert await shop.letters.discard(letters) == 0
    row = await shop.row()
    assert (row.dead, row.discarded, row.difference) == (0, 2, 0)


async def test_a_batch_of_a_dead_worker_is_worked_on_again_without_what_was_delivered(
    shop: Shop,
) -> None:
    name = await shop.receive(body("e1"), body("e2"), body("e3"))
    dead_worker = Batches(shop.store, "worker-0", lease_ms=1)
    await dead_worker.take([name])
    await dead_worker.mark_delivered(name, [0, 2])

    while not shop.lane.sent:
        await shop.desk.answer([name])
    assert shop.lane.sent == ["e2"]
    assert (await shop.row()).delivered == 3


async def test_what_platform_took_is_marked_while_the_rest_is_on_its_way(shop: Shop) -> None:
    shop.lane.early = 2
    name = await shop.receive(body("e1"), body("e2"), body("e3"))
    working = asyncio.create_task(shop.desk.answer([name]))
    async with asyncio.timeout(5):
        while await shop.batches.delivered_before(name) != {0, 1}:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    shop.lane.rest.set()
    await working
    assert (await shop.row()).delivered == 3
    assert not await shop.store.exists(keys.DONE_PREFIX + name)


async def test_a_graceful_stop_forgets_nothing_of_what_was_delivered(shop: Shop) -> None:
    shop.lane.early = 1
    name = await shop.receive(body("e1"), body("e2"))
    working = asyncio.create_task(shop.desk.answer([name]))
    async with asyncio.timeout(5):
        while not await shop.batches.delivered_before(name):  # noqa: ASYNC110  # Redis tells
            await asyncio.sleep(0.005)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    shop.lane.early, shop.lane.sent = 0, []

    await shop.desk.answer([name])
    assert shop.lane.sent == ["e2"]
    assert (await shop.row()).delivered == 2


async def test_a_lost_lease_settles_nothing(shop: Shop) -> None:
    name = await shop.receive(body("e1"))
    late = Batches(shop.store, "late", lease_ms=1)
    [taken], _ = await late.take([name])
    await shop.desk.answer([name])
    while not shop.lane.sent:
        await shop.desk.answer([name])

    assert not await late.settle(taken.batch_id, Settlement(delivered=1))
    assert (await shop.row()).delivered == 1


async def test_a_settlement_that_forgets_an_event_is_refused(shop: Shop) -> None:

    name = await shop.receive(body("e1"), body("e2"))
    [taken], _ = await shop.batches.take([name])
    with pytest.raises(ValueError, match="settlement of 1 events"):
        await shop.batches.settle(taken.batch_id, Settlement(delivered=1))


async def test_a_worker_whose_clock_is_behind_takes_no_event_for_one_of_the_future(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The schema check refuses a timestamp ahead of its `now`, for good."""
    seen: list[float] = []
    message = Route.message

    def remember(self: Route, *args: Any) -> bytes:
        seen.append(args[3])
        return message(self, *args)

    monkeypatch.setattr(Route, "message", remember)
    received = shop.now
    name = await shop.receive(body("e1"))
    shop.now -= 6 * 3600

    await shop.desk.answer([name])

    assert seen == [received]
    assert shop.lane.sent == ["e1"]


async def test_a_frame_of_a_newer_release_waits_for_a_newer_worker(shop: Shop) -> None:
    name = await shop.batches.commit("a", bytes([CURRENT_VERSION + 1]) + b"future", 3)
    await shop.desk.answer([name])

    assert (await shop.row()).in_flight == 3
    assert await shop.store.get(keys.BATCH_PREFIX + name) is not None


async def test_events_of_a_connection_without_configuration_wait(shop: Shop) -> None:
    name = await shop.receive(body("e1"), connection="other")
    await shop.desk.answer([name])
    assert (await shop.row()).in_flight == 1


async def test_outcomes_that_are_shared_and_mixed_are_traced_by_request(shop: Shop) -> None:
    other = Outcome(Verdict.DELIVERED, status=200, receipt="r2")
    shop.lane.decide = lambda event_id: other if event_id == "e3" else DELIVERED
    await shop.desk.answer([await shop.receive(body("e1"), body("e2"), body("e3"))])

    trace = await shop.traces.event("a", "e3", 1_700_000_000)
    [settled] = trace.settled
    assert [(r.receipt, r.events) for r in settled.requests] == [("r1", 2), ("r2", 1)]
    assert (settled.delivered, trace.waiting, trace.letters) == (3, None, [])


async def test_a_trace_follows_an_event_from_batch_to_batch(shop: Shop) -> None:

    name = await shop.receive(body("e1"))
    waiting = (await shop.traces.event("a", "e1", 1_700_000_000)).waiting
    assert waiting is not None and str(waiting.batch_id) == name

    shop.lane.decide = lambda _: TRANSIENT
    await shop.desk.answer([name])
    trace = await shop.traces.event("a", "e1", 1_700_000_000)
    assert len(trace.settled) == 1
    assert trace.waiting is not None and trace.waiting.tries == 1

    shop.lane.decide = lambda _: REFUSED
    await shop.desk.answer([str(trace.waiting.batch_id)])
    trace = await shop.traces.event("a", "e1", 1_700_000_000)
    assert [settled.dead for settled in trace.settled] == [0, 1]
    assert [letter.code for letter in trace.letters] == ["DCVS-1104-400"]
    assert not (await shop.traces.event("a", "nobody")).known


async def test_json_of_a_dead_letters_record_is_what_was_sent(shop: Shop) -> None:
    shop.lane.decide = lambda _: REFUSED
    await shop.desk.answer([await shop.receive(body("e1"))])
    [summary] = [x async for x in shop.letters.find(Filter())]
    [letter] = await shop.letters.get([summary.number])
    assert letter.record is not None
    assert json.loads(letter.record)["_id"] == "e1"
    assert [(run.failure, run.status) for run in letter.history] == [("contract", 400)]
