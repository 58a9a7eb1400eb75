"""A run's recipe in the worker: what it puts, what stays dead and why, and what it waits for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from arq.connections import ArqRedis

from app.core.batch import decode
from app.core.check import check_mapping_set
from app.core.dead_letter import DeadLetter, DeadLetterSummary, Edit
from app.core.errors import RecipeInvalid
from app.core.event import Event
from app.core.replay_run import Orders, ReplayRun, RunState
from app.store.batches import Batches
from app.store.dead_letters import DeadLetters, Filter
from app.store.lanes import Lanes
from app.store.replay_runs import ReplayRuns
from app.store.replay_steps import ReplaySteps
from tests.store.burying import bury, open_batches
from tests.worker.conftest import ScriptedLane
from tests.worker.connections import EVENT, SCHEMA, mapping_set
from worker.mending import Mender, VersionMoved
from worker.metrics import Metrics
from worker.replaying import Bounds, Replaying
from worker.route import Remarks, Route, Version

NOW = 1_800_000_000.0
CAST = """\
selection: {all: true}
mapping: small@1
steps: [{cast: /data/count, to: integer}]
"""


def version(number: int) -> Version:
    document = {**mapping_set(number), "name": "small"}
    report = check_mapping_set(document, {"TENANT": "acme"}, SCHEMA)
    assert report.problems == ()
    return Version(report.mapping_set, report.schema)


def route(number: int = 1) -> Route:
    return Route("a", ScriptedLane(), version(number), (b"", b""))


def body(count: Any, event_id: str = "e1") -> bytes:
    return json.dumps({**EVENT, "event_id": event_id, "data": {"count": count}}).encode()


def letter(content: bytes, record: bytes | None = None) -> DeadLetter:
    summary = DeadLetterSummary(
        0, "a", 1, "check", "schema", "type", "", "", "", "email.sent", "e1", 1, 1
    )
    return DeadLetter(summary, content, record, ())


def run_with(text: str) -> ReplayRun:
    return ReplayRun(1, RunState.RUNNING, recipe="r@1", recipe_text=text)


async def sorted_(mender: Mender, text: str, *letters: DeadLetter) -> tuple[list[bytes], Any]:
    sorter = mender.sorter(run_with(text))
    assert sorter is not None
    found = await sorter(letters)
    return [each.outgoing for each in found.letters], found.kept


async def test_what_passes_now_is_put_and_every_other_says_why() -> None:
    mender = Mender({"a": route()}, clock=lambda: NOW)

    put, kept = await sorted_(
        mender, CAST, letter(body("7")), letter(body("many")), letter(body("11")),
        letter(b"{"), letter(b'{"data":{"count":1}}'),
    )  # fmt: skip

    assert [json.loads(each)["data"]["count"] for each in put] == [7]
    assert kept == {
        "step 1 (cast /data/count): not_castable": 1,
        "check maximum": 1,
        "the body is not JSON": 1,
        "parse event_id_invalid": 1,
    }


async def test_an_edit_by_hand_goes_first_and_is_spent() -> None:
    edit = Edit("anna", 1, b'[{"op":"add","path":"/data/count","value":"9"}]')
    sorter = Mender({"a": route()}).sorter(run_with(CAST))
    assert sorter is not None

    [put] = (await sorter([replace(letter(body("many")), edit=edit)])).letters

    assert (json.loads(put.outgoing)["data"], put.edit) == ({"count": 9}, None)


async def test_more_letters_than_one_turn_takes_are_all_seen() -> None:
    put, kept = await sorted_(Mender({"a": route()}), CAST, *[letter(body("7"))] * 65)
    assert (len(put), dict(kept)) == (65, {})


async def test_a_record_that_is_all_that_is_left_is_mended_as_one() -> None:
    record = {"_id": "e1", "timestamp": "2023-11-14T22:13:20Z", "_acme": {"count": "3"}}
    text = "selection: {all: true}\nsteps: [{cast: /_acme/count, to: integer}]"
    mender = Mender({"a": route()})

    put, kept = await sorted_(
        mender,
        text,
        letter(b"", json.dumps(record).encode()),
        letter(b"", b'{"_acme":{"count":1}}'),
    )

    assert [json.loads(each)["_acme"] for each in put] == [{"count": 3}]
    assert kept == {"check unreadable": 1}


async def test_a_bug_keeps_the_letter_and_tells_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise ZeroDivisionError("a value")

    monkeypatch.setattr(Route, "message", broken)
    assert await sorted_(Mender({"a": route()}), CAST, letter(body("7"))) == (
        [], {"transform ZeroDivisionError": 1},
    )  # fmt: skip


async def test_a_version_that_moves_in_the_middle_of_a_step_undoes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = route()
    genuine = Route.message

    def then_moves(
        self: Route, event: Event, content: bytes, received: int, now: float, remarks: Remarks
    ) -> bytes:
        found = genuine(self, event, content, received, now, remarks)
        self.version = version(2)
        return found

    monkeypatch.setattr(Route, "message", then_moves)
    with pytest.raises(VersionMoved, match=r"waits for small@1: a is mapped with small@2\+"):
        await sorted_(Mender({"a": made}), CAST, letter(body("7")), letter(body("8")))


def test_a_run_without_a_recipe_is_left_alone_and_one_with_a_bad_one_is_refused() -> None:
    mender = Mender({})
    assert (mender.sorter(run_with("")), mender.held(run_with(""), "a")) == (None, "")
    with pytest.raises(RecipeInvalid):
        mender.sorter(run_with("x"))
    raw = Mender({"a": Route("a", ScriptedLane(), Version(), (b"", b""))})
    assert raw.held(run_with("x"), "a") == ""
    assert raw.held(run_with(CAST), "a") == "waits for small@1: a is mapped with no set"
    assert raw.held(run_with(CAST), "b") == "this worker has no connection b"


class Loop:
    """One worker's loop over a run that follows a recipe."""

    def __init__(self, store: ArqRedis, made: Route) -> None:
        self.store, self.runs = store, ReplayRuns(store)
        self.now = NOW
        self.loop = Replaying(
            ReplaySteps(store, "w"), self.runs, Lanes(store), Batches(store), Bounds(1_000, 0.5),
            Metrics(), Mender({"a": made}, clock=lambda: NOW), clock=lambda: self.now,
        )  # fmt: skip

    async def begin(self, text: str) -> ReplayRun:
        run = await self.runs.begin(Filter(), Orders(100_000.0, 0.2, 10), "anna", ("r@1", text))
        await self.runs.freeze(run, Filter())
        await self.runs.start(run.number)
        return run

    async def look(self, run: ReplayRun) -> ReplayRun:
        self.now += 2
        await self.loop.look()
        found = await self.runs.get(run.number)
        assert found is not None
        return found


async def test_a_run_waits_for_the_version_and_goes_on_when_it_is_there(store: ArqRedis) -> None:
    await bury(store, [body("7", "e1").decode(), body("many", "e2").decode()])
    made = route(2)
    loop = Loop(store, made)
    run = await loop.begin(CAST)

    waiting = await loop.look(run)

    assert waiting.holding.startswith("waits for small@1: a is mapped with small@2+")
    assert (waiting.state, waiting.passed) == (RunState.RUNNING, 0)
    made.version = version(1)
    run = await loop.look(run)
    assert (run.put, run.kept, run.holding) == (1, 1, "")
    [batch] = await open_batches(store)
    assert [json.loads(each)["data"] for each in decode(batch.frame).bodies] == [{"count": 7}]
    [stays] = [each async for each in DeadLetters(store).find(Filter())]
    [whole] = await DeadLetters(store).get([stays.number])
    assert (whole.body, whole.edit) == (body("many", "e2"), None)


async def test_a_recipe_that_this_release_cannot_read_pauses_the_run(store: ArqRedis) -> None:
    await bury(store, [body("7").decode()])
    loop = Loop(store, route())
    run = await loop.look(await loop.begin("steps: of tomorrow"))

    assert (run.state, run.reason) == (RunState.PAUSED, "a step failed: RecipeInvalid")
    assert run.passed == 0
