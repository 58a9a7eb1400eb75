"""Looks at a scripted Platform over real HTTP: what was refused later, and what landed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from arq.connections import ArqRedis
from structlog.testing import capture_logs

from app.core.dead_letter import DeadLetter
from app.core.errors import StoreUnavailable
from app.core.landing import Verdict
from app.core.outcome import Failure, failed
from app.settings import Connection
from app.store import keys
from app.store.dead_letters import Filter
from app.store.lake import Lake
from app.store.refusals import Refusals
from tests.adobe.scripted_api import Batch, ScriptedApi, failed_line, problem, run_of, scripted
from tests.worker.conftest import Shop, body
from tests.worker.scripted_platform import Tokens
from worker.archive import ArchiveBounds, ArchiveFinder, ArchiveWriter
from worker.metrics import Metrics
from worker.reconcile import Reconciler, burying
from worker.reconcile.platform import platform_of

HOUR_MS = 3_600_000
ULID = "01E4C4CT6YDC7Y5M7FE1GWWPQ"


def connection(url: str, **reconcile: Any) -> Connection:
    return Connection(
        name="a",
        signing_keys=(b"k",),
        mapping_set="small",
        tenant="acme",
        platform={
            "url": "https://dcs.adobedc.net/collection/" + "a" * 64,
            "api_url": url,
            "flow_id": "flow",
            "dataset_id": "dataset",
            "schema": {"id": "https://ns.adobe.com/acme/schemas/x"},
            "org_id": "X@AdobeOrg",
            "credentials": {"client_id": "client", "client_secrets": (b"secret",)},
        },
        reconcile={"interval_seconds": 1e-3, **reconcile},
    )


@dataclass
class Lookout:
    """A shop with a Platform that says more later, and a worker's look at it."""

    shop: Shop
    api: ScriptedApi
    session: aiohttp.ClientSession
    archive: ArchiveFinder | None = None
    given: dict[str, Any] = field(default_factory=dict)

    def reconciler(self, owner: str = "w1", **reconcile: Any) -> Reconciler:
        made = connection(self.api.url, **reconcile)
        platform = platform_of(made, self.session, Tokens())
        platform.catalog._client._pause = 0.0
        store = self.shop.store
        return Reconciler(made, platform, store, owner, self.shop.metrics, self.archive)

    async def deliver(self, *ids: str) -> None:
        """Events that come, and are delivered."""
        await self.shop.desk.answer([await self.shop.receive(*(body(each) for each in ids))])

    async def look(self, owner: str = "w1", **reconcile: Any) -> None:
        """One look, due at once."""
        await self.shop.store.hset(keys.look("a"), "begun", 0)
        assert await self.reconciler(owner, **reconcile).turn()

    def fails(self, *ids: str, name: str = "b1", file: str = "part-0", text: str = "no") -> None:
        """Platform refuses these later."""
        batch = self.api.batches.setdefault(name, Batch(now_ms()))
        batch.put([failed_line({"_id": each, "a": 1}, text=text) for each in ids], file)

    async def letters(self) -> list[DeadLetter]:
        numbers = [x.number async for x in self.shop.letters.find(Filter(failure="refused_later"))]
        return await self.shop.letters.get(sorted(numbers))


def now_ms() -> int:
    return int(time.time() * 1000)


@pytest.fixture
async def lookout(shop: Shop) -> AsyncIterator[Lookout]:
    async with scripted() as api, aiohttp.ClientSession() as session:
        yield Lookout(shop, api, session)


async def test_a_record_refused_later_is_a_dead_letter_that_says_why(lookout: Lookout) -> None:
    await lookout.deliver(f"{ULID}0", f"{ULID}1")
    at = "#/a: expected type: String, found: Integer"
    lookout.fails(f"{ULID}1", text=at)
    with capture_logs() as logs:
        await lookout.look()

    [letter] = await lookout.letters()
    said = letter.summary
    assert (said.stage, said.code, said.path) == ("lake", "DCVS-1106-400", "/a")
    assert (said.event_id, said.detail) == (f"{ULID}1", at)
    assert said.mapping.startswith("small@1")
    assert (letter.body, json.loads(letter.record or b"")) == (b"", {"_id": f"{ULID}1", "a": 1})
    assert [(run.failure, run.receipt) for run in letter.history] == [("", "r1")]
    row = await lookout.shop.row()
    assert (row.received, row.delivered, row.dead) == (2, 1, 1)
    [line] = [line for line in logs if line["event"] == "events.refused_later"]
    assert (line["times"], ULID in str(logs)) == (1, False)


async def test_looking_again_finds_nothing_new(lookout: Lookout) -> None:
    await lookout.deliver(f"{ULID}0", f"{ULID}1")
    lookout.fails(f"{ULID}1")
    for _ in range(3):
        await lookout.look()

    assert len(await lookout.letters()) == 1
    # A file that has not grown is not even read.
    assert lookout.api.times["part-0"] == 1

    lookout.fails(f"{ULID}0")
    await lookout.look()
    assert len(await lookout.letters()) == 2
    assert (await lookout.shop.row()).dead == 2


async def test_a_letter_that_was_dealt_with_does_not_come_back(lookout: Lookout) -> None:
    await lookout.deliver(f"{ULID}0", f"{ULID}1")
    lookout.fails(f"{ULID}0", f"{ULID}1")
    await lookout.look()
    one, two = await lookout.letters()
    await lookout.shop.letters.discard([one.summary])
    await lookout.shop.letters.replay([two.summary.number], now_ms())
    await lookout.look()
    # As if the marks had expired.
    week = now_ms() // (7 * 86_400_000)
    await lookout.shop.store.delete(keys.refused_files("a", week))
    await lookout.look()
    # The replayed one waits on the queue: it will be sent again, and then we shall see.
    assert await lookout.letters() == []
    assert (await lookout.shop.row()).discarded == 1


async def test_a_replay_sends_the_record_as_it_is_and_fails_anew_with_its_history(
    lookout: Lookout,
) -> None:
    shop = lookout.shop
    await lookout.deliver(f"{ULID}0")
    lookout.fails(f"{ULID}0")
    await lookout.look()
    [first] = await lookout.letters()
    [name] = await shop.letters.replay([first.summary.number], now_ms())
    await shop.desk.answer([name])

    assert shop.lane.sent == [f"{ULID}0", f"{ULID}0"]
    row = await shop.row()
    assert (row.received, row.delivered, row.dead) == (1, 1, 0)
    assert sum((await Lake(shop.store).read("a")).edge.values()) == 2

    # In the same batch and file, as happens within one hour.
    lookout.fails(f"{ULID}0", text="still no")
    await lookout.look()
    [second] = await lookout.letters()
    assert [(run.failure, run.message) for run in second.history] == [
        ("", ""), ("refused_later", "no"), ("replayed", ""), ("", ""),
    ]  # fmt: skip
    assert second.summary.detail == "still no"
    assert (await shop.row()).dead == 1


async def test_a_ready_record_that_platform_refuses_at_once_keeps_what_it_has(
    lookout: Lookout,
) -> None:
    shop = lookout.shop
    await lookout.deliver(f"{ULID}0")
    lookout.fails(f"{ULID}0")
    await lookout.look()
    [first] = await lookout.letters()
    shop.lane.decide = lambda _: failed(Failure.CONTRACT, status=400, code="x", message="no")
    [name] = await shop.letters.replay([first.summary.number], now_ms())
    await shop.desk.answer([name])

    found = [x.number async for x in shop.letters.find(Filter(failure="contract"))]
    [letter] = await shop.letters.get(found)
    assert (letter.body, letter.record) == (b"", first.record)
    assert letter.summary.event_id == f"{ULID}0"
    # And it can be replayed once more.
    shop.lane.decide = lambda _: failed(Failure.TRANSIENT, status=503)
    [name] = await shop.letters.replay(found, now_ms())
    await shop.desk.answer([name])
    [(waiting, _)] = await shop.open()
    shop.lane.decide = type(shop.lane)().decide
    await shop.desk.answer([str(waiting)])
    assert (await shop.row()).delivered == 1


async def test_another_producers_records_are_counted_and_left_alone(lookout: Lookout) -> None:
    await lookout.deliver(f"{ULID}0")
    lookout.fails("01E4C4CT6YDC7Y5M7FE1GWWPZZ")
    lookout.api.batches["b1"].put([b"garbage", b'{"a":1}'])
    with capture_logs() as logs:
        await lookout.look()
        await lookout.look()

    assert await lookout.letters() == []
    standing = await Lake(lookout.shop.store).read("a")
    assert (standing.foreign, standing.nameless) == (1, 2)
    [line] = [line for line in logs if line["event"] == "reconcile.foreign"]
    assert (line["foreign"], line["nameless"]) == (1, 2)


async def test_an_event_in_work_is_waited_for(lookout: Lookout) -> None:
    shop = lookout.shop
    await lookout.deliver(f"{ULID}0")
    shop.lane.decide = lambda _: failed(Failure.UNKNOWN, code="no_answer")
    await lookout.deliver(f"{ULID}1")
    [(waiting, _)] = await shop.open()
    [taken], _ = await shop.batches.take([str(waiting)])
    lookout.fails(f"{ULID}1", f"{ULID}0")
    await lookout.look()
    assert await lookout.letters() == []

    await shop.batches.release(str(taken.batch_id), counts=True)
    await lookout.look()
    # The one is sent again by us; the other was behind it in the file.
    assert [x.summary.event_id for x in await lookout.letters()] == [f"{ULID}0"]
    assert (await Lake(shop.store).read("a")).again == 1


async def test_many_pages_and_files_are_worked_through(lookout: Lookout) -> None:
    ids = [f"{ULID[:-3]}{at:04d}" for at in range(350)]
    await lookout.deliver(*ids)
    lookout.fails(*ids[:250])
    lookout.fails(*ids[250:300], file="part-1")
    lookout.fails(*ids[300:], name="b2")
    await lookout.look()
    row = await lookout.shop.row()
    assert (row.delivered, row.dead) == (0, 350)


@pytest.mark.parametrize("point", ["before", "after"])
async def test_a_look_that_is_killed_is_done_again_and_nothing_twice(
    lookout: Lookout, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the pages of a file: before one is buried, and just after."""
    ids = [f"{ULID[:-3]}{at:04d}" for at in range(25)]
    await lookout.deliver(*ids)
    lookout.fails(*ids)
    monkeypatch.setattr(burying, "PAGE_LINES", 10)
    bury, calls = Refusals.bury, 0

    class Killed(BaseException):
        pass

    async def killed(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2 and point == "before":
            raise Killed
        answer = await bury(*args)
        if calls == 2:
            raise Killed
        return answer

    monkeypatch.setattr(Refusals, "bury", killed)
    with pytest.raises(Killed):
        await lookout.look()
    assert (await lookout.shop.row()).dead == (10 if point == "before" else 20)

    # Its lease runs out, and another worker looks.
    await lookout.shop.store.hset(keys.look("a"), "until", 1)
    assert await lookout.reconciler("w2").turn()
    row = await lookout.shop.row()
    assert (row.delivered, row.dead) == (0, 25)
    assert {x.summary.event_id for x in await lookout.letters()} == set(ids)


async def test_a_look_that_lost_its_lease_stops(lookout: Lookout) -> None:
    await lookout.deliver(f"{ULID}0")

    async def stolen(_: web.Request) -> web.Response:
        await lookout.shop.store.hset(keys.look("a"), "owner", "another")
        return web.json_response({"items": []})

    lookout.api.answers.append(stolen)
    with capture_logs() as logs:
        await lookout.look()
    assert "reconcile.lease_lost" in [line["event"] for line in logs]
    assert len(lookout.api.got) == 1


async def test_a_file_that_breaks_off_is_gone_on_with_where_it_did(lookout: Lookout) -> None:
    await lookout.deliver(*(f"{ULID}{at}" for at in range(3)))
    lookout.fails(*(f"{ULID}{at}" for at in range(3)))
    lines = lookout.api.batches["b1"].files["part-0"]

    async def half(request: web.Request) -> web.Response:
        """The listing, and then half of the file."""
        lookout.api.answers.append(web.Response(body=lines[0] + b"\n" + lines[1][:20]))
        return lookout.api._files(request)

    async def batches(request: web.Request) -> web.Response:
        lookout.api.answers.append(half)
        return lookout.api._batches(request)

    empty = web.json_response({})
    lookout.api.answers += [empty, empty, batches]
    await lookout.look()
    assert [x.summary.event_id for x in await lookout.letters()] == [f"{ULID}0"]
    assert "broke off" in (await Lake(lookout.shop.store).read("a")).error

    await lookout.look()
    assert len(await lookout.letters()) == 3
    assert (await Lake(lookout.shop.store).read("a")).nameless == 0


async def test_rows_that_failed_in_a_batch_that_landed_are_found(lookout: Lookout) -> None:
    await lookout.deliver(f"{ULID}0", f"{ULID}1")
    lookout.api.batches = {"b1": Batch(now_ms(), status="success")}
    record = {"_id": f"{ULID}1", "_errors": {"_streamingValidation": [{"code": "INGEST-1555-400"}]}}
    lookout.api.batches["b1"].rows["parsing_errors_0.json"] = [json.dumps(record).encode()]
    lookout.api.runs = [run_of(now_ms(), 1, 1, batches=["b1", "gone"])]
    await lookout.look()
    assert [x.summary.code for x in await lookout.letters()] == ["INGEST-1555-400"]


async def test_of_a_raw_event_the_file_itself_gives_the_body(lookout: Lookout) -> None:
    shop = lookout.shop
    await lookout.deliver(f"{ULID}0")
    event = json.loads(body(f"{ULID}0"))
    errors = [{"column": "_id", "code": "MAPPER-3700-400", "message": "no source"}]
    batch = lookout.api.batches["b1"] = Batch(now_ms(), status="success")
    batch.rows["conversion_errors_0.json"] = [json.dumps({**event, "_errors": errors}).encode()]
    lookout.api.runs = [run_of(now_ms(), 0, 1, batches=["b1"])]
    await lookout.look()

    [letter] = await lookout.letters()
    assert (json.loads(letter.body), letter.record) == (event, None)
    assert (letter.summary.code, letter.summary.kind) == ("MAPPER-3700-400", "email.sent")
    [name] = await shop.letters.replay([letter.summary.number], now_ms())
    await shop.desk.answer([name])
    assert (await shop.row()).delivered == 1


async def test_what_runs_and_counters_say_is_written_down(lookout: Lookout) -> None:
    await lookout.deliver(f"{ULID}0", f"{ULID}1")
    hour = now_ms() // HOUR_MS
    iso = time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(hour * 3600))
    lookout.api.counters = {
        "timeseries.data.collection.inlet.total.messages.received": {iso: 2},
        "timeseries.ingestion.dataset.recordsuccess.count": {iso: 1},
    }
    lookout.api.runs = [run_of(hour * HOUR_MS, 1), run_of(hour * HOUR_MS + 5, 0, 1)]
    await lookout.look()

    said = (await Lake(lookout.shop.store).read("a")).lake[hour]
    assert (said.landed, said.failed, said.runs, said.finished) == (1, 1, 2, True)
    assert (said.received, said.ingested) == (2, 1)


async def test_counters_may_be_refused(lookout: Lookout) -> None:
    hour = now_ms() // HOUR_MS
    lookout.api.runs = [run_of(hour * HOUR_MS, 1)]
    runs = web.json_response({"items": lookout.api.runs})
    lookout.api.answers += [runs, problem(403, "INSGHT-1003-401")]
    await lookout.look()
    standing = await Lake(lookout.shop.store).read("a")
    assert (standing.lake[hour].landed, standing.lake[hour].received) == (1, None)
    assert standing.error == ""


async def shift(store: ArqRedis, hours: int) -> None:
    """As if what was accepted had been so many hours ago."""
    edge = await store.hgetall(keys.edge("a"))
    await store.delete(keys.edge("a"))
    await store.hset(keys.edge("a"), mapping={str(int(h) - hours): n for h, n in edge.items()})


async def test_a_change_of_the_verdict_is_said_once(lookout: Lookout) -> None:
    """Nothing there: late, then missing; short when the run comes; and in the end it meets."""
    store = lookout.shop.store
    await lookout.deliver(*(f"{ULID}{at}" for at in range(3)))
    hour = now_ms() // HOUR_MS
    with capture_logs() as logs:
        for hours in (0, 4, 26):
            await shift(store, hours)
            await lookout.look()
            await lookout.look()
        run = run_of((hour - 30) * HOUR_MS, 1)
        for landed in (1, 3):
            run["metrics"]["recordSummary"]["outputRecordCount"] = landed
            lookout.api.runs = [run]
            await lookout.look()
    told = [(x["log_level"], x["event"], x["verdict"]) for x in logs if "verdict" in x]
    assert told == [
        ("warning", "reconcile.late", "3 late"),
        ("error", "reconcile.short", "run missing, 3 open"),
        ("error", "reconcile.short", "short by 2"),
        ("info", "reconcile.meets", "meets"),
    ]
    registry = lookout.shop.metrics.registry
    for column, count in (("accepted", 3), ("landed", 3), ("failed", 0)):
        labels = {"connection": "a", "column": column}
        assert registry.get_sample_value("sluice_reconcile_events", labels) == count
    for verdict in Verdict:
        labels = {"connection": "a", "verdict": verdict.value}
        assert registry.get_sample_value("sluice_reconcile_open_events", labels) == 0


async def test_trouble_is_said_once_and_touches_nothing_else(lookout: Lookout) -> None:
    await lookout.deliver(f"{ULID}0")
    refused = problem(403, "2118-403")
    with capture_logs() as logs:
        for answer in (refused, refused, None):
            if answer is not None:
                lookout.api.answers.append(answer)
            await lookout.look()
            standing = await Lake(lookout.shop.store).read("a")
            assert bool(standing.error) == (answer is not None)
    told = [line["event"] for line in logs if line["event"].startswith("reconcile.")]
    assert told == ["reconcile.failed", "reconcile.well"]
    [line] = [line for line in logs if line["event"] == "reconcile.failed"]
    assert "role" in line["reason"]
    assert (await lookout.shop.row()).delivered == 1


async def test_two_workers_do_not_look_at_the_same_time(lookout: Lookout) -> None:
    one, two = lookout.reconciler("w1"), lookout.reconciler("w2")
    second: list[bool] = []

    async def meanwhile(_: web.Request) -> web.Response:
        second.append(await two.turn())
        return web.json_response({"items": []})

    lookout.api.answers.append(meanwhile)
    assert await one.turn()
    assert second == [False]


async def test_an_archived_body_is_what_a_replay_sends(lookout: Lookout, tmp_path: Path) -> None:
    shop = lookout.shop
    writer = ArchiveWriter(tmp_path, "w1", ArchiveBounds(1, 10**9), shop.metrics)
    shop.desk._pipeline._archive = writer  # type: ignore[attr-defined]
    lookout.archive = ArchiveFinder(tmp_path)
    await lookout.deliver(f"{ULID}0")
    await writer.write()
    lookout.fails(f"{ULID}0")
    await lookout.look()

    [letter] = await lookout.letters()
    assert (letter.body, letter.summary.kind) == (body(f"{ULID}0"), "email.sent")
    assert letter.summary.received_ms == int(shop.now * 1000)
    assert letter.record is not None
    [name] = await shop.letters.replay([letter.summary.number], now_ms())
    await shop.desk.answer([name])
    assert (await shop.row()).delivered == 1


async def test_an_event_of_which_no_trace_is_left_finds_a_row_all_the_same(
    lookout: Lookout,
) -> None:
    await lookout.deliver(f"{ULID}0", f"{ULID}1")
    async for key in lookout.shop.store.scan_iter(f"{keys.TRACE_PREFIX}*"):
        await lookout.shop.store.delete(key)
    lookout.fails(f"{ULID}0")
    await lookout.look()
    row = await lookout.shop.row()
    assert (row.delivered, row.dead) == (1, 1)
    [letter] = await lookout.letters()
    assert (letter.summary.mapping, letter.history) == ("", ())


async def test_a_claim_without_any_delivered_event_is_not_buried(lookout: Lookout) -> None:
    """As after a restore of half a database: nothing goes below zero."""
    await lookout.deliver(f"{ULID}0")
    [hour] = await lookout.shop.store.smembers(keys.ledger_hours("a"))
    await lookout.shop.store.hset(
        f"{keys.ledger_prefix('a')}{int(hour)}", mapping={"delivered": 0, "tests": 1}
    )
    lookout.fails(f"{ULID}0")
    await lookout.look()
    assert await lookout.letters() == []
    assert (await Lake(lookout.shop.store).read("a")).foreign == 1
    assert replace(await lookout.shop.row(), hour=0).dead == 0


class Stopped(BaseException):
    """Ends a loop that has no end."""


async def test_the_loop_outlives_bugs_and_redis_and_shows_what_others_found(
    lookout: Lookout,
) -> None:
    await lookout.deliver(f"{ULID}0")
    # Another worker has looked a moment ago, and the next look is due in an hour.
    hour = now_ms() // HOUR_MS
    lookout.api.runs = [run_of(hour * HOUR_MS, 1)]
    await lookout.look("w2")
    turns: list[str] = []
    reconciler = lookout.reconciler(interval_seconds=30)
    turn, sleeps = reconciler.turn, 0
    faults = iter([RuntimeError("bug"), StoreUnavailable("away"), None, None])

    async def scripted_turn(_: Reconciler) -> bool:
        fault = next(faults)
        turns.append(type(fault).__name__)
        if fault is not None:
            raise fault
        return await turn()

    async def sleep(seconds: float) -> None:
        nonlocal sleeps
        assert seconds == 15
        sleeps += 1
        if sleeps == 4:
            raise Stopped

    reconciler.sleep = sleep
    lookout.shop.metrics = reconciler.metrics = Metrics()
    with (
        pytest.MonkeyPatch.context() as patched,
        capture_logs() as logs,
        pytest.raises(Stopped),
    ):
        patched.setattr(Reconciler, "turn", scripted_turn)
        await reconciler.run()
    assert turns == ["RuntimeError", "StoreUnavailable", "NoneType", "NoneType"]
    assert [line["event"] for line in logs] == ["reconcile.bug"]
    labels = {"connection": "a", "column": "landed"}
    value = reconciler.metrics.registry.get_sample_value("sluice_reconcile_events", labels)
    assert value == 1


async def test_a_stop_in_the_middle_of_a_look_leaves_it_to_the_next_worker(
    lookout: Lookout,
) -> None:
    asked = asyncio.Event()

    async def hangs(_: web.Request) -> web.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    lookout.api.answers.append(hangs)
    task = asyncio.create_task(lookout.reconciler("w1").turn())
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await lookout.reconciler("w2").turn()
