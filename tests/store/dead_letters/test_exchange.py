"""Letters that travel, are edited and searched: nothing of them changes by the way."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from app.core.batch import decode
from app.core.dead_letter import DeadLetter, Edit, decode_line, encode_line
from app.core.errors import PatchInvalid, UnreadableFrame
from app.sandbox.traffic import generate
from app.store import keys
from app.store.audit import Audit
from app.store.connect import Store
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.exchange import Intake, why_not
from app.store.dead_letters.searching import search_bodies
from app.store.ledger import Ledger
from tests.dead import bury, letter_of

PATCH = b'[{"op":"add","path":"/data/fixed","value":"yes"}]'


def made(count: int = 50) -> list[DeadLetter]:
    return [letter_of(body, at) for at, body in enumerate(generate(1, count, body_bytes=300))]


async def test_what_is_exported_can_be_taken_in_elsewhere_and_only_once(store: Store) -> None:
    given, intake = made(), Intake(store)
    lines = [encode_line(letter) for letter in given]
    taken = await intake.take([decode_line(line) for line in lines])

    found = await DeadLetters(store).get(taken)
    assert [replace(x, summary=replace(x.summary, number=0)) for x in found] == given
    [row] = (await Ledger(store).read()).totals()
    assert (row.received, row.dead, row.difference) == (50, 50, 0)
    assert (await Ledger(store).read()).faults == ()
    assert await intake.take(given) == []
    again = replace(
        given[0], summary=replace(given[0].summary, dead_ms=given[0].summary.dead_ms + 1)
    )
    assert len(await intake.take([again])) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"body": 7}, "neither text nor base64"),
        ({"body": None}, "absent"),
        ({"number": "7"}, "number is no integer"),
        ({"received_ms": -1}, "received_ms is no integer"),
        ({"hour": True}, "hour is no integer"),
        ({"kind": 7}, "kind is no text"),
        ({"attempts": {}}, "no list"),
        ({"edit": []}, "edit is no object"),
        ({"edit": {"patch": "x"}}, "edit is no object"),
        ({"edit": {"patch": [], "who": 7}}, "who is no text"),
        ({"attempts": [1]}, "no object"),
        ({"attempts": [{"status": "x"}]}, "status is no integer"),
    ],
)
def test_a_line_that_is_none_names_the_field(change: dict[str, object], says: str) -> None:
    document = orjson.loads(encode_line(made(1)[0])) | change
    with pytest.raises(UnreadableFrame, match=says):
        decode_line(orjson.dumps(document))
    for line in (b"{", b"[]"):
        with pytest.raises(UnreadableFrame, match="JSON"):
            decode_line(line)


@pytest.mark.parametrize(
    "change", [{"connection": "A/b"}, {"failure": ""}, {"hour": 0}, {"dead_ms": 1}]
)
def test_a_letter_that_would_not_fit_is_refused(change: dict[str, object]) -> None:
    letter = made(1)[0]
    assert why_not(letter) == ""
    assert why_not(replace(letter, summary=replace(letter.summary, **change)))  # type: ignore[arg-type]


async def test_an_edit_lies_beside_the_original_and_is_what_a_replay_sends(store: Store) -> None:
    given, letters = made(3), DeadLetters(store)
    numbers = await bury(store, given)
    assert await letters.edit(numbers[0], Edit("cli:ada", 5, PATCH))
    assert await letters.edit(numbers[1], Edit("cli:ada", 6, PATCH))
    assert await letters.edit(numbers[1], None)
    assert not await letters.edit(999, Edit("cli:ada", 5, PATCH))
    with pytest.raises(PatchInvalid):
        await letters.edit(numbers[2], Edit("cli:ada", 5, b'[{"op":"remove","path":"/none"}]'))

    [edited, plain, other] = await letters.get(numbers)
    assert (edited.body, edited.edit) == (given[0].body, Edit("cli:ada", 5, PATCH))
    assert (plain.edit, other.edit) == (None, None)
    [batch] = await letters.replay(numbers, 1)
    sent = decode(await store.get(f"{keys.BATCH_PREFIX}{batch}") or b"").bodies
    assert orjson.loads(sent[0])["data"].pop("fixed") == "yes"
    assert sent[1:] == [given[1].body, given[2].body]
    assert await store.exists(keys.DEAD_EDITS) == 0


async def test_bodies_are_searched_a_page_at_a_time_until_nobody_asks_any_more(
    store: Store,
) -> None:
    given = made(450)
    given[7] = letter_of(b'{"event_id":"x","data":{"subject":"Gr\xc3\xbc\xc3\x9fe"}}', 7)
    numbers = await bury(store, given)
    steps = [step async for step in search_bodies(DeadLetters(store), Filter(), "GRÜ")]
    assert [(step.looked, len(step.found)) for step in steps] == [(200, 0), (200, 0), (50, 1)]
    assert steps[-1].found[0].number == numbers[7]
    assert steps[-1].cursor is None

    async for step in search_bodies(DeadLetters(store), Filter(), "grü", steps[0].cursor or ""):
        assert step.looked == 200
        break


async def test_the_trail_is_read_newest_first_page_by_page(store: Store) -> None:
    audit = Audit(store)
    for at in range(5):
        await audit.record("cli:ada", "dead-letters.discard", letters=at)
    first, cursor = await audit.page(limit=3)
    rest, end = await audit.page(cursor or "", limit=3)
    assert [entry.about["letters"] for entry in (*first, *rest)] == [4, 3, 2, 1, 0]
    assert (end, first[0].who, first[0].what) == (None, "cli:ada", "dead-letters.discard")


async def test_entries_older_than_the_bound_go_when_new_ones_come(store: Store) -> None:
    audit = Audit(store)
    old = {"who": "x", "what": "y", "about": b"{}"}
    for at in range(300):
        await store.xadd(keys.AUDIT, old, id=f"{1_000 + at}-0")  # type: ignore[arg-type]
    await audit.record("cli:ada", "dead-letters.discard")
    entries, _ = await audit.page(limit=1_000)
    assert len(entries) < 300
    assert entries[0].who == "cli:ada"
