"""Dead letters in the console: causes, one letter, and what operators do about them."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from html import unescape

import orjson
import pytest
from arq.connections import ArqRedis
from markupsafe import escape

from app.core.batch import AttemptRun
from app.core.dead_letter import DeadLetter, Edit
from app.core.replay_run import RunState
from app.store import keys
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.groups import Groups, State
from app.store.ledger import Ledger
from app.store.replay_runs import ReplayRuns
from app.store.samples import Samples
from app.web.console.config import Console
from app.web.console.pages.dead_letters import discarding
from app.web.console.pages.dead_letters import letters as letters_page
from tests.dead import bury, letter_of
from tests.web.console.conftest import Browser, Visit, field_of, trail


def bodies(count: int) -> list[bytes]:
    """Events of two people and two campaigns, which take turns."""
    return [
        orjson.dumps(
            {
                "event_id": f"01HF{at:022d}",
                "object_type": "email",
                "metric": "sent",
                "timestamp": 1_700_000_000,
                "data": {
                    "campaign_id": 5 + at % 2,
                    "identifiers": {"email": f"person{at % 2}@example.com"},
                    "subject": f"Secret {at}",
                },
            }
        )
        for at in range(count)
    ]


async def two_causes(redis: ArqRedis, count: int = 6) -> list[int]:
    """Their numbers. The first cause has the letters 0, 2, 4, ..."""
    letters = [letter_of(body, at, causes=2) for at, body in enumerate(bodies(count))]
    return await bury(redis, letters)


async def marks(console: Console) -> list[str]:
    """Fingerprints, the newest death first."""
    return [summary.fingerprint async for summary in DeadLetters(console.redis).find(Filter())]


def cards(page: str) -> int:
    return page.count('class="cause ')


# --- causes ---


async def test_causes_come_first_with_all_that_is_known_of_them(
    console: Console, visit: Visit
) -> None:
    await two_causes(console.redis)
    mark = (await marks(console))[0]
    browser = await visit(console, "viewer")
    status, page = await browser.get("/dead-letters")
    assert status == 200
    assert cards(page) == 2
    assert f"/dead-letters/groups/{mark}" in page
    for said in ("<strong>3</strong>", "schema", "campaign:5", "email.sent", "2023-11-14"):
        assert said in page
    assert "@example.com" not in page and "Secret" not in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("kind=email.sent", 2),
        ("kind=sms.sent", 0),
        ("campaign=campaign:5", 1),
        ("connection=example", 2),
        ("connection=other", 0),
        ("failure=schema", 2),
        ("text=ABSENT", 1),
        ("mapping=customerio-default@3", 1),
        ("mapping=customerio-default", 2),
        ("event_id=01HF0000000000000000000001", 1),
        ("event_id=nothing", 0),
        ("since=2023-11-14T22:13:25", 1),
        ("until=2023-11-14+22:13", 0),
        ("state=new", 2),
        ("state=resolved", 0),
        ("by=live", 2),
    ],
)
async def test_causes_are_filtered(console: Console, visit: Visit, asked: str, found: int) -> None:
    await two_causes(console.redis)
    browser = await visit(console, "operator")
    _, page = await browser.get(f"/dead-letters?{asked}")
    assert cards(page) == found
    assert ("There is no cause like that" in page) is (found == 0)


async def test_a_viewer_may_not_ask_for_a_person(console: Console, visit: Visit) -> None:
    browser = await visit(console, "viewer")
    for path in ("/dead-letters", "/dead-letters/list"):
        assert 'name="person"' not in (await browser.get(path))[1]
        assert (await browser.get(f"{path}?person=a@example.com"))[0] == 403
        assert (await browser.post(path, {"person": "a@example.com"})).status == 403


async def test_who_asks_for_a_person_is_written_down_and_not_for_whom(
    console: Console, visit: Visit
) -> None:
    numbers = await two_causes(console.redis, 120)
    browser = await visit(console, "operator")
    page = await sent(browser, "/dead-letters", person="PERSON0@example.com")
    assert cards(page) == 1 and "60 of this person" in page
    assert cards(await sent(browser, "/dead-letters", person="nobody@example.com")) == 0
    assert (await trail(console))[0] == ("operator", "dead-letters.person", "", "127.0.0.1")

    page = await sent(browser, "/dead-letters/list", person="person0@example.com")
    assert _linked(page) == numbers[-2::-2][:50]
    assert "person=" not in page, "no address says whom"
    before = field_of(page, "before")
    page = await sent(browser, "/dead-letters/list", person="person0@example.com", before=before)
    assert _linked(page) == numbers[-2::-2][50:]


@pytest.mark.parametrize("asked", ["person=a@example.com", "body=x"])
async def test_nobody_is_asked_for_in_an_address_where_logs_would_keep_it(
    console: Console, visit: Visit, asked: str
) -> None:
    browser = await visit(console, "operator")
    for path in ("/dead-letters", "/dead-letters/list"):
        status, page = await browser.get(f"{path}?{asked}")
        assert status == 400 and "kept in logs" in page
    status, _ = await browser.get("/dead-letters/discard?person=a@example.com")
    assert status == 400
    assert [what for _, what, *_ in await trail(console)] == ["login"]


async def test_a_form_without_anything_personal_leads_to_the_address_that_says_the_same(
    console: Console, visit: Visit
) -> None:
    await two_causes(console.redis)
    browser = await visit(console, "operator")
    answer = await browser.post(
        "/dead-letters", {"kind": "email.sent", "by": "live", "since": "2023-11-14T22:00"}
    )
    assert answer.status == 303
    address = answer.headers["Location"]
    assert address == "/dead-letters?kind=email.sent&since=2023-11-14T22%3A00&by=live"
    _, page = await browser.get(address)
    assert cards(page) == 2 and 'value="2023-11-14T22:00"' in page
    async with browser.client.get(address, headers={"HX-Request": "true"}) as found:
        assert found.headers["HX-Push-Url"] == address


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"mapping": "customerio-default@4"}, 3),
        ({"event_id": "01HF0000000000000000000001"}, 1),
        ({"since": "2023-11-14 22:13:23", "until": "2023-11-14T22:13:24Z"}, 2),
        ({"kind": "email.sent", "campaign": "campaign:6"}, 3),
        ({"run": "7"}, 0),
    ],
)
async def test_letters_are_filtered_and_so_is_what_is_done_to_them(
    console: Console, visit: Visit, asked: dict[str, str], found: int
) -> None:
    await two_causes(console.redis)
    browser = await visit(console, "operator")
    listed = await browser.post("/dead-letters/list", asked)
    _, page = await browser.get(listed.headers["Location"])
    assert len(_linked(page)) == found
    path = await frozen(console, browser, **asked)
    run = await ReplayRuns(console.redis).get(int(path.rsplit("/", 1)[1]))
    assert run and run.frozen == found


async def test_the_events_of_a_person_are_found_dead_or_in_the_sample(
    console: Console, visit: Visit
) -> None:
    await two_causes(console.redis)
    await console.redis.sadd(keys.CONNECTIONS, "other")  # type: ignore[misc]  # redis-py's stub
    recent = [each.replace(b"01HF", b"01HG") for each in bodies(3)]
    await Samples(console.redis, 1000, 3_600_000).keep("other", recent, time.time_ns() // 10**6)
    browser, viewer = await visit(console, "operator"), await visit(console, "viewer")
    page = await sent(browser, "/events/person", person=" PERSON0@example.com")
    assert re.findall(r"/events\?id=01H([FG])0*(\d)", page) == [
        ("G", "2"), ("G", "0"), ("F", "4"), ("F", "2"), ("F", "0"),
    ]  # fmt: skip
    assert page.count("mapped lately</td>") == 2 and "dead letter 5</a>" in page
    assert "person0" not in page.lower()
    assert "Nobody of that name" in await sent(browser, "/events/person", person="nobody")
    assert (await trail(console))[0] == ("operator", "events.person", "", "127.0.0.1")
    assert (await browser.post("/events/person", {"person": " "})).status == 400
    assert (await viewer.post("/events/person", {"person": "x"})).status == 403
    assert "/events/person" not in (await viewer.get("/events"))[1]


async def test_a_time_that_is_none_is_said(console: Console, visit: Visit) -> None:
    browser = await visit(console, "operator")
    for path in ("/dead-letters?since=soon", "/dead-letters/list?until=2023-13-01"):
        status, page = await browser.get(path)
        assert status == 400 and "is no time in UTC" in page


async def sent(browser: Browser, path: str, **fields: str) -> str:
    """The page that answers a form."""
    answer = await browser.post(path, fields)
    assert answer.status == 200
    return unescape(await answer.text())


async def test_a_cause_is_noted_known_resolved_and_reopened(console: Console, visit: Visit) -> None:
    await two_causes(console.redis)
    mark = (await marks(console))[0]
    browser, path = await visit(console, "operator"), f"/dead-letters/groups/{mark}"

    answer = await browser.post(f"{path}/note", {"text": "a <b>fix</b>\r\nis on its way"})
    assert (answer.status, answer.headers["Location"]) == (303, path)
    for turn, state in (
        ("known", State.KNOWN), ("resolve", State.RESOLVED), ("reopen", State.REOPENED),
    ):  # fmt: skip
        assert (await browser.post(f"{path}/turn", {"turn": turn})).status == 303
        [group] = await Groups(console.redis).get([mark])
        assert (group.state, group.state_by) == (state, "operator")
    assert group.note == "a <b>fix</b>\nis on its way" and group.note_by == "operator"

    _, page = await browser.get(path)
    assert "a &lt;b&gt;fix&lt;/b&gt;" in page and "a <b>fix" not in page
    acts = [(what, on) for _, what, on, _ in await trail(console)][:4]
    assert acts == [
        ("dead-letters.reopened", mark), ("dead-letters.resolved", mark),
        ("dead-letters.known", mark), ("dead-letters.note", mark),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/dead-letters/groups/0123456789abcdef/note", {"text": "x"}, 404),
        ("/dead-letters/groups/0123456789abcdef/turn", {"turn": "known"}, 404),
        ("/dead-letters/groups/MARK/turn", {"turn": "explode"}, 400),
        ("/dead-letters/groups/MARK/note", {"text": "x" * 2_001}, 400),
        ("/dead-letters/groups/x/note", {}, 404),
    ],
)
async def test_what_cannot_be_done_to_a_cause_is_said(
    console: Console, visit: Visit, path: str, fields: dict[str, str], status: int
) -> None:
    await two_causes(console.redis)
    mark = (await marks(console))[0]
    browser = await visit(console, "operator")
    assert (await browser.post(path.replace("MARK", mark), fields)).status == status
    assert (await trail(console))[0][1] == "login"


async def test_a_cause_that_is_not_there_is_a_404(console: Console, visit: Visit) -> None:
    browser = await visit(console, "viewer")
    assert (await browser.get("/dead-letters/groups/0123456789abcdef"))[0] == 404
    assert (await browser.get("/dead-letters/groups/x"))[0] == 404


async def test_a_cause_leads_to_its_letters(console: Console, visit: Visit) -> None:
    numbers = await two_causes(console.redis)
    mark = (await marks(console))[0]
    browser = await visit(console, "viewer")
    _, page = await browser.get(f"/dead-letters/list?fingerprint={mark}")
    assert _linked(page) == [n for n in reversed(numbers) if n % 2 == numbers[-1] % 2]


async def test_bodies_are_searched_by_operators_as_far_as_they_wait(
    console: Console, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = await two_causes(console.redis, 500)
    browser = await visit(console, "operator")
    page = await sent(browser, "/dead-letters/list", body='SECRET 17"')
    assert _linked(page) == [numbers[17]] and "500 bodies were searched" in page
    assert "/replays/freeze" not in page, "its filter would not know of the body"
    assert (await trail(console))[0][1:3] == ("dead-letters.search", "")

    monkeypatch.setattr(letters_page, "_SEARCH_SECONDS", 0.0)
    page = await sent(browser, "/dead-letters/list", body='SECRET 17"')
    assert _linked(page) == [] and "and there are more" in page
    for _ in range(2):
        assert "Search on" in page
        before = field_of(page, "before")
        page = await sent(browser, "/dead-letters/list", body='SECRET 17"', before=before)
    assert _linked(page) == [numbers[17]] and "Search on" not in page

    viewer = await visit(console, "viewer")
    assert (await viewer.get("/dead-letters/list?body=x"))[0] == 403
    assert 'name="body"' not in (await viewer.get("/dead-letters/list"))[1]


def _linked(page: str) -> Sequence[int]:
    return [
        int(part.partition('"')[0])
        for part in page.split('href="/dead-letters/')[1:]
        if part[:1].isdigit()
    ]


# --- one letter ---


def failed(at: int = 0) -> DeadLetter:
    """A letter with body and record, that died at a field which a mapping row wrote."""
    body = orjson.dumps(
        {
            "event_id": f"01HF{at:022d}",
            "object_type": "email",
            "metric": "sent",
            "timestamp": 1_700_000_000,
            "data": {"a0": "seven", "subject": "Secret", "identifiers": {"email": "a@b.example"}},
        }
    )
    record = orjson.dumps({"_id": "x", "_acme": {"field0": "seven", "other": 1}})
    return replace(letter_of(body, at, causes=1), record=record)


async def test_body_and_record_lie_side_by_side_with_what_failed_marked(
    console: Console, visit: Visit
) -> None:
    [number] = await bury(console.redis, [failed()])
    browser = await visit(console, "operator")
    status, page = await browser.get(f"/dead-letters/{number}")
    assert status == 200 and 'class="beside"' in page
    marks = [unescape(each).strip() for each in re.findall("<mark>(.*?)</mark>", page)]
    assert marks == ['"a0": "seven",', '"field0": "seven",']
    assert (await trail(console))[0] == ("operator", "dead-letters.open", "1", "127.0.0.1")


async def test_a_viewer_sees_how_an_event_is_built_and_nothing_of_whom(
    console: Console, visit: Visit
) -> None:
    letter = failed()
    run = AttemptRun(1, 2, 3, "contract", 400, "X-400", "the value [a@b.example] is wrong", "r")
    summary = replace(letter.summary, detail="'a@b.example' is no number")
    [number] = await bury(console.redis, [replace(letter, summary=summary, history=(run,))])
    await DeadLetters(console.redis).edit(
        number, Edit("operator", 1, b'[{"op":"add","path":"/data/x","value":"a@b.example"}]')
    )
    browser = await visit(console, "viewer")
    status, page = await browser.get(f"/dead-letters/{number}")
    assert status == 200
    assert "b.example" not in page and "Secret" not in page and "seven" not in page
    assert "text of 6" in page and "<mark>" in page
    assert (await trail(console))[0][1] == "login", "there was nothing to write down"


async def test_where_a_letter_was_replayed_is_said(console: Console, visit: Visit) -> None:
    letter = failed()
    summary = replace(letter.summary, replays=2, run=7)
    [number] = await bury(console.redis, [replace(letter, summary=summary)])
    browser = await visit(console, "viewer")
    _, page = await browser.get(f"/dead-letters/{number}")
    assert "2 times before it died" in page and 'href="/replays/7"' in page


# --- editing ---


def event(**data: object) -> bytes:
    """An event that the example's mapping set takes."""
    document = {"event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ", "object_type": "email", "metric": "sent"}
    return orjson.dumps({**document, "timestamp": 1_700_000_000, "data": data})


GOOD = event(customer_id="c1", delivery_id="D1", identifiers={"id": "c1"}, subject="Hello")


async def an_event(console: Console, body: bytes = GOOD) -> str:
    [number] = await bury(console.redis, [letter_of(body)])
    return f"/dead-letters/{number}/edit"


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


# --- replaying ---


async def test_one_letter_is_put_on_the_queue_at_once(console: Console, visit: Visit) -> None:
    await an_event(console)
    browser = await visit(console, "operator")
    answer = await browser.post("/dead-letters/1/replay", {})
    assert answer.status == 303 and "/dead-letters/groups/" in answer.headers["Location"]
    assert await DeadLetters(console.redis).summaries([1]) == []
    assert await console.redis.zcard(keys.OPEN_SET) == 1
    assert (await trail(console))[0][1:3] == ("dead-letters.replay", "1")
    assert (await browser.post("/dead-letters/1/replay", {})).status == 404


async def frozen(console: Console, browser: Browser, **asked: str) -> str:
    """The address of a replay whose selection is complete."""
    answer = await browser.post("/replays/freeze", asked)
    assert answer.status == 303
    return answer.headers["Location"]


async def test_a_replay_is_frozen_shown_tried_and_started(console: Console, visit: Visit) -> None:
    await two_causes(console.redis)
    mark = (await marks(console))[0]
    browser = await visit(console, "operator")
    path = await frozen(console, browser, fingerprint=mark)
    await two_causes(console.redis, 2)

    _, page = await browser.get(path)
    for said in ("Replay 3 letters", "email.sent 3", "2023-11-14", "frozen"):
        assert said in page
    for name, value in (("expected", "3"), ("rate", "500"), ("stop_at", "20")):
        assert re.search(rf'name="{name}"[^>]* value="{value}"', page), name
    _, tried = await browser.get(f"{path}/trial")
    assert "of 3</span> tried" in tried and "<html" in tried
    _, part = await browser.get(f"{path}/trial", **{"HX-Request": "true"})
    assert "of 3</span> tried" in part and "<html" not in part

    wrong = await browser.post(f"{path}/start", {"expected": "4", "rate": "5", "stop_at": "1"})
    assert wrong.status == 409
    for rate, stop_at in (("0", "1"), ("x", "1"), ("nan", "1"), ("5", "101"), ("5", "")):
        fields = {"expected": "3", "rate": rate, "stop_at": stop_at}
        assert (await browser.post(f"{path}/start", fields)).status == 400
    answer = await browser.post(f"{path}/start", {"expected": "3", "rate": "5", "stop_at": "1"})
    assert answer.status == 303
    run = await ReplayRuns(console.redis).get(1)
    assert run and (run.state, run.orders.rate, run.orders.stop_at) == (RunState.RUNNING, 5, 0.01)
    assert (run.by, run.frozen) == ("operator", 3)
    acts = [(what, on) for _, what, on, _ in await trail(console)]
    assert acts[:2] == [("dead-letters.replay", "1"), ("replays.frozen", "1")]

    held = await browser.post("/replays/turn", {"number": "1", "turn": "pause", "back": "run"})
    assert held.headers["Location"] == path
    again = await browser.post(f"{path}/start", {"expected": "3", "rate": "5", "stop_at": "1"})
    assert again.status == 303


async def test_a_selection_of_nothing_is_over_at_once(console: Console, visit: Visit) -> None:
    browser = await visit(console, "operator")
    path = await frozen(console, browser, connection="nobody")
    _, page = await browser.get(path)
    assert "nothing was selected" in page and "Replay 0" not in page


async def test_what_a_replay_is_about_is_not_told_of_a_person(
    console: Console, visit: Visit
) -> None:
    await two_causes(console.redis)
    browser = await visit(console, "operator")
    path = await frozen(console, browser, person="person0@example.com")
    for shown in (path, "/replays", "/audit"):
        _, page = await browser.get(shown)
        assert "person0" not in page
    assert "Replay 3 letters" in (await browser.get(path))[1]


async def test_a_replay_that_is_not_there_is_a_404(console: Console, visit: Visit) -> None:
    browser = await visit(console, "operator")
    for path in ("/replays/9", "/replays/x", "/replays/9/trial"):
        assert (await browser.get(path))[0] == 404
    assert (await browser.post("/replays/9/start", {})).status == 404


async def test_a_viewer_sees_a_frozen_replay_and_cannot_start_it(
    console: Console, visit: Visit
) -> None:
    await two_causes(console.redis)
    path = await frozen(console, await visit(console, "operator"))
    viewer = await visit(console, "viewer")
    status, page = await viewer.get(path)
    assert status == 200 and "What is selected" in page and "/start" not in page


# --- discarding ---


async def test_discarding_takes_a_reason_and_the_number_typed(
    console: Console, visit: Visit
) -> None:
    numbers = await two_causes(console.redis)
    mark = (await marks(console))[0]
    browser = await visit(console, "operator")
    _, page = await browser.get(f"/dead-letters/discard?fingerprint={mark}")
    fields = {"act": "discard", "fingerprint": mark, "up_to": field_of(page, "up_to")}
    assert "Type 3, their number" in page and fields["up_to"] == str(numbers[-1])
    await two_causes(console.redis, 2)

    for wrong in ({"count": "3"}, {"count": "4", "reason": "r"}, {"reason": "r"}):
        answer = await browser.post("/dead-letters/discard", fields | wrong)
        assert answer.status == 422, "and what died since is not in it"
    assert len(await marks(console)) == 8
    right = fields | {"count": "3", "reason": "a <b>test</b>"}
    assert (await browser.post("/dead-letters/discard", right)).status == 303
    left = await marks(console)
    assert (len(left), left.count(mark)) == (5, 1)
    entries, _ = await console.audit.page()
    assert entries[0].what == "dead-letters.discard"
    assert (entries[0].about["letters"], entries[0].about["reason"]) == (3, "a <b>test</b>")
    balance = await Ledger(console.redis).read()
    assert sum(row.discarded for row in balance.rows) == 3 and not balance.faults


async def test_one_letter_is_discarded(console: Console, visit: Visit) -> None:
    await two_causes(console.redis)
    browser = await visit(console, "operator")
    _, page = await browser.get("/dead-letters/discard?number=2")
    assert "Type 1, their number" in page
    fields = {"act": "discard", "number": "2", "count": "1", "reason": "r"}
    assert (await browser.post("/dead-letters/discard", fields)).status == 303
    assert await DeadLetters(console.redis).summaries([2]) == []
    assert len(await marks(console)) == 5
    again = await browser.post("/dead-letters/discard", fields)
    assert again.status == 422
    assert (
        "There is no such dead letter" in (await browser.get("/dead-letters/discard?number=2"))[1]
    )


async def test_more_than_a_browser_waits_for_is_left_to_the_command(
    console: Console, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discarding, "MOST", 3)
    await two_causes(console.redis)
    browser = await visit(console, "operator")
    _, page = await browser.get("/dead-letters/discard")
    assert "sluice dead-letters discard" in page and 'name="count"' not in page
    for count in ("3", "4", "6"):
        fields = {"act": "discard", "count": count, "reason": "r"}
        assert (await browser.post("/dead-letters/discard", fields)).status == 422
    assert len(await marks(console)) == 6
