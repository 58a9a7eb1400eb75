"""Causes, and the lists and searches that lead to letters."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from html import unescape

import pytest

from app.store import keys
from app.store.dead_letters.groups import Groups, State
from app.store.replay_runs import ReplayRuns
from app.store.samples import Samples
from app.web.console.config import Console
from app.web.console.pages.dead_letters import letters as letters_page
from tests.web.console.conftest import Browser, Visit, field_of, trail
from tests.web.console.dead_letters.letters import (
    bodies,
    frozen,
    marks,
    two_causes,
)


def cards(page: str) -> int:
    return page.count('class="cause ')


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
