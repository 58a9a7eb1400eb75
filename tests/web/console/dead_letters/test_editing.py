"""An edit of a letter: tried, kept, shown, undone."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from markupsafe import escape

from app.store.dead_letters import DeadLetters
from app.web.console.config import Console
from tests.dead import bury
from tests.web.console.conftest import Visit, trail
from tests.web.console.dead_letters.letters import (
    GOOD,
    an_event,
    failed,
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{\n  "event_id": "x",\n  oops\n}', "Line 3, column"),
        ("", "This is no JSON"),
        ("[1]", "no object"),
        ('{"event_id": "other"}', "event_id must stay"),
        ("[" * 2_000, "This is no JSON"),
        (GOOD.decode(), "Nothing is changed"),
    ],
)
async def test_what_is_no_edit_is_said_and_not_kept(
    console: Console, visit: Visit, text: str, says: str
) -> None:
    path = await an_event(console)
    browser = await visit(console, "operator")
    checked = await browser.post(f"{path}/check", {"body": text})
    assert checked.status == 200 and says in await checked.text()
    saved = await browser.post(path, {"body": text, "act": "save", "seen": ""})
    page = await saved.text()
    assert saved.status == 422 and says in page
    assert f"{escape(text)}</textarea>" in page, "what was typed is still there"
    [letter] = await DeadLetters(console.redis).get([1])
    assert letter.edit is None


async def test_an_edit_is_tried_kept_shown_and_undone(console: Console, visit: Visit) -> None:
    path = await an_event(console)
    browser = await visit(console, "operator")
    status, page = await browser.get(path)
    assert status == 200 and "&#34;subject&#34;: &#34;Hello&#34;" in page
    text = GOOD.decode().replace("Hello", "<b>Bye</b>")

    tried = await (await browser.post(f"{path}/check", {"body": text})).text()
    assert "It would pass mapping and schema" in tried and "The record it makes" in tried
    assert "<b>" not in tried
    only_looked = await browser.post(path, {"body": text, "act": "check"})
    assert only_looked.status == 200

    kept = await browser.post(path, {"body": text, "act": "save", "seen": ""})
    assert (kept.status, kept.headers["Location"]) == (303, "/dead-letters/1")
    [letter] = await DeadLetters(console.redis).get([1])
    assert letter.edit and letter.edit.who == "operator"
    assert orjson.loads(letter.edit.patch) == [
        {"op": "replace", "path": "/data/subject", "value": "<b>Bye</b>"}
    ]
    assert letter.body == GOOD
    _, shown = await browser.get("/dead-letters/1")
    assert "As it is sent" in shown and "&lt;b&gt;Bye" in shown and "<b>Bye" not in shown

    late = await browser.post(path, {"body": text + " ", "act": "save", "seen": ""})
    assert late.status == 409 and "Somebody else" in await late.text()
    assert (await browser.post(f"{path}/undo", {})).status == 303
    [letter] = await DeadLetters(console.redis).get([1])
    assert letter.edit is None
    acts = [what for _, what, *_ in await trail(console)]
    assert acts[:2] == ["dead-letters.edit-undone", "dead-letters.open"]
    assert acts[2] == "dead-letters.edit"


async def test_an_edit_that_would_die_again_says_where(console: Console, visit: Visit) -> None:
    path = await an_event(console)
    browser = await visit(console, "operator")
    text = GOOD.decode().replace('"timestamp":1700000000', '"timestamp":"never"')
    tried = await (await browser.post(f"{path}/check", {"body": text})).text()
    assert "A replay would die again" in tried


async def test_a_record_that_is_all_that_is_left_is_edited_and_checked_as_it_is(
    console: Console, visit: Visit
) -> None:
    record = {"_id": "x", "eventType": "directMarketing.emailSent", "timestamp": "yesterday"}
    letter = replace(failed(), body=b"", record=orjson.dumps(record))
    await bury(console.redis, [letter])
    browser = await visit(console, "operator")
    assert "No body is left" in (await browser.get("/dead-letters/1"))[1]
    assert "The record, in JSON" in (await browser.get("/dead-letters/1/edit"))[1]
    path = "/dead-letters/1/edit/check"
    good = orjson.dumps(record | {"timestamp": "2023-11-14T22:13:20Z"}).decode()
    tried = await (await browser.post(path, {"body": good.replace("20Z", "2")})).text()
    assert "A replay would die again: /timestamp" in tried
    tried = await (await browser.post(path, {"body": good})).text()
    assert "/timestamp" not in tried


async def test_a_large_body_can_be_edited_and_a_huge_one_is_refused(
    console: Console, visit: Visit
) -> None:
    path = await an_event(console)
    browser = await visit(console, "operator")
    text = GOOD.decode().replace("Hello", "x" * 200_000)
    answer = await browser.post(path, {"body": text, "act": "save", "seen": ""})
    assert answer.status == 303
    answer = await browser.post(path, {"body": "x" * 1_000_000})
    assert answer.status == 413


async def test_a_letter_that_is_gone_cannot_be_edited(console: Console, visit: Visit) -> None:
    browser = await visit(console, "operator")
    assert (await browser.get("/dead-letters/9/edit"))[0] == 404
    for act in ("", "/check", "/undo"):
        answer = await browser.post(f"/dead-letters/9/edit{act}", {"body": "{}"})
        assert answer.status == 404


async def test_a_body_that_is_no_json_is_not_edited(console: Console, visit: Visit) -> None:
    path = await an_event(console, b"\xff{")
    browser = await visit(console, "operator")
    assert (await browser.get(path))[0] == 200
    tried = await (await browser.post(f"{path}/check", {"body": "{}"})).text()
    assert "no JSON, so it cannot be edited" in tried
