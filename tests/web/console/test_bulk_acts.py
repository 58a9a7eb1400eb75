"""What is done to many dead letters at once beside a replay: marked, noted, taken out and in."""

from __future__ import annotations

import io
from dataclasses import replace

import aiohttp
import orjson
import pytest
from arq.connections import ArqRedis

from app.core.dead_letter import Edit, decode_line, encode_line
from app.store import keys
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.groups import GroupFilter, Groups, State
from app.store.ledger import Ledger
from app.web.console.config import Console
from app.web.console.pages.dead_letters import exporting, importing
from app.web.console.uploads import UPLOADS
from tests.dead import bury, letter_of
from tests.web.console.conftest import Browser, Visit, field_of, trail
from tests.web.console.furnish import HOSTILE, body_of

PATCH = b'[{"op":"add","path":"/data/fixed","value":"yes"}]'


async def three_causes(redis: ArqRedis, count: int = 9) -> list[int]:
    bodies = [body_of(f"01HF{at:022d}", subject=HOSTILE) for at in range(count)]
    return await bury(redis, [letter_of(body, at, causes=3) for at, body in enumerate(bodies)])


async def groups(redis: ArqRedis) -> dict[str, tuple[State, str]]:
    found, _ = await Groups(redis).page(GroupFilter())
    return {group.cause.code: (group.state, group.note) for group in found}


async def form(browser: Browser, path: str, **fields: str) -> tuple[int, str]:
    answer = await browser.post(path, fields)
    return answer.status, await answer.text()


# --- marks and notes ---


async def test_all_causes_of_a_filter_are_marked_and_noted_at_once(
    console: Console, visit: Visit
) -> None:
    await three_causes(console.redis)
    browser = await visit(console, "operator")
    _, page = await form(browser, "/dead-letters/mark", kind="email.sent")
    assert "Say something of 3 causes" in page and "with 9 letters" in page
    frozen = {name: field_of(page, name) for name in ("marks", "expected")}
    await bury(console.redis, [letter_of(body_of("01HG"), 4)])

    status, _ = await form(
        browser,
        "/dead-letters/mark",
        act="mark",
        turn="known",
        note=" Platform\r\nknows ",
        **frozen,
    )

    assert status == 303
    found = await groups(console.redis)
    assert len(found) == 4 and found.pop("DCVS-1105-400") == (State.NEW, "")
    assert set(found.values()) == {(State.KNOWN, "Platform\nknows")}
    acts, _ = await console.audit.page()
    assert [entry.what for entry in acts][:2] == ["dead-letters.note", "dead-letters.known"]
    assert acts[0].about["causes"] == 3 and acts[0].who == "operator"
    for turn, state in (("resolve", State.RESOLVED), ("reopen", State.REOPENED)):
        await form(browser, "/dead-letters/mark", act="mark", turn=turn, **frozen)
        kept = await groups(console.redis)
        assert kept["required"] == (state, "Platform\nknows"), "a note left empty stays"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"expected": "2"}, 409),
        ({"turn": "explode"}, 422),
        ({"turn": ""}, 422),
        ({"turn": "", "note": "x" * 2_001}, 422),
        ({"marks": ""}, 409),
        ({"marks": "0123456789abcdef"}, 409),
        ({"marks": "../x"}, 404),
    ],
)
async def test_what_is_not_as_it_was_seen_is_not_marked(
    console: Console, visit: Visit, change: dict[str, str], status: int
) -> None:
    await three_causes(console.redis)
    browser = await visit(console, "operator")
    _, page = await form(browser, "/dead-letters/mark")
    given = {name: field_of(page, name) for name in ("marks", "expected")} | {"turn": "known"}
    assert (await form(browser, "/dead-letters/mark", act="mark", **given | change))[0] == status
    assert {state for state, _ in (await groups(console.redis)).values()} == {State.NEW}
    assert [what for _, what, *_ in await trail(console)] == ["login"]


# --- export ---


async def test_an_export_streams_what_was_looked_at_and_its_edits(
    console: Console, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.dead_letters.exchange.PART", 4)
    numbers = await three_causes(console.redis)
    await DeadLetters(console.redis).edit(numbers[3], Edit("ada", 5, PATCH))
    browser = await visit(console, "operator")
    _, page = await form(browser, "/dead-letters/export", kind="email.sent")
    assert "Export 9 letters" in page
    given = {"kind": "email.sent", "act": "export"}
    given |= {name: field_of(page, name) for name in ("up_to", "expected")}
    await three_causes(console.redis, 3)

    answer = await browser.post("/dead-letters/export", given)

    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    lines = (await answer.read()).splitlines()
    letters = [decode_line(line) for line in lines]
    assert letters == await DeadLetters(console.redis).get(numbers)
    assert letters[3].edit == Edit("ada", 5, PATCH)
    assert all(line.startswith(b"{") for line in lines), "whatever an event holds"
    entries, _ = await console.audit.page()
    assert (entries[0].what, entries[0].about["letters"]) == ("dead-letters.exported", 9)

    await DeadLetters(console.redis).discard(await DeadLetters(console.redis).summaries([1]))
    status, page = await form(browser, "/dead-letters/export", **given)
    assert status == 409 and "meanwhile" in page and "Export 8 letters" in page


async def test_what_cannot_be_read_is_named_in_the_file_and_not_taken_in(
    console: Console, visit: Visit
) -> None:
    numbers = await three_causes(console.redis, 3)
    await console.redis.hdel(keys.DEAD_PAYLOADS, str(numbers[1]))  # type: ignore[misc]
    browser = await visit(console, "operator")
    _, page = await form(browser, "/dead-letters/export")
    given = {name: field_of(page, name) for name in ("up_to", "expected")}
    answer = await browser.post("/dead-letters/export", {"act": "export", **given})
    lines = (await answer.read()).splitlines()
    assert len(lines) == 3 and orjson.loads(lines[-1]) == {"unread": [numbers[1]]}
    page = await send(browser, b"\n".join(lines))
    assert "Line 3: body is absent" in page


async def test_more_than_are_counted_are_exported_all(
    console: Console, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "COUNTED", 4)
    await three_causes(console.redis)
    browser = await visit(console, "operator")
    _, page = await form(browser, "/dead-letters/export")
    assert "Export more than 4 letters" in page
    given = {name: field_of(page, name) for name in ("up_to", "expected")}
    answer = await browser.post("/dead-letters/export", {"act": "export", **given})
    assert len((await answer.read()).splitlines()) == 9


# --- import ---


async def send(browser: Browser, content: bytes) -> str:
    """The page that says what is in a file."""
    data = aiohttp.FormData({"csrf": await browser.csrf()})
    data.add_field("file", content, filename="<b>letters.ndjson", content_type="text/plain")
    answer = await browser.client.post("/dead-letters/import", data=data)
    return await answer.text()


def lines(count: int = 5) -> bytes:
    letters = [letter_of(body_of(f"01HF{at:022d}", subject=HOSTILE), at) for at in range(count)]
    letters[2] = replace(letters[2], edit=Edit("ada", 5, PATCH))
    return b"".join(encode_line(letter) for letter in letters)


async def test_a_file_is_looked_through_first_and_then_taken_in_once(
    console: Console, visit: Visit
) -> None:
    browser = await visit(console, "operator")
    broken = lines() + b'{"body": "<img src=x>"}\n\nno json\n'
    page = await send(browser, broken)
    assert "letters.ndjson" in page and "<b>letters" not in page
    assert "Take in 5 letters" in page and "Line 8: the line is not JSON" in page
    assert await DeadLetters(console.redis).summaries([1]) == [], "it was only looked at"
    given = {name: field_of(page, name) for name in ("upload", "expected")}

    assert (await form(browser, "/dead-letters/import/take", **given))[0] == 303

    letters = DeadLetters(console.redis)
    found = await letters.get([each.number async for each in letters.find(Filter())])
    assert len(found) == 5 and [x.edit for x in found if x.edit] == [Edit("ada", 5, PATCH)]
    assert all(HOSTILE in orjson.loads(x.body)["data"]["subject"] for x in found)
    balance = await Ledger(console.redis).read()
    assert sum(row.dead for row in balance.rows) == 5 and not balance.faults
    entries, _ = await console.audit.page()
    assert (entries[0].what, entries[0].about["letters"]) == ("dead-letters.imported", 5)

    again = await form(browser, "/dead-letters/import/take", **given)
    assert again[0] == 422 and "send it again" in again[1]
    page = await send(browser, lines())
    assert "/import/take" not in page and "There already" in page


async def test_a_file_is_taken_in_by_who_sent_it_alone_and_not_otherwise_than_seen(
    console: Console, visit: Visit
) -> None:
    browser, other = await visit(console, "operator"), await visit(console, "admin")
    page = await send(browser, lines())
    given = {name: field_of(page, name) for name in ("upload", "expected")}
    assert (await form(other, "/dead-letters/import/take", **given))[0] == 422
    await bury(console.redis, [decode_line(lines().splitlines()[0])])
    assert (await form(browser, "/dead-letters/import/take", **given))[0] == 409
    assert await DeadLetters(console.redis).count("example") == 1


async def test_what_is_no_file_is_said_and_a_huge_one_refused(
    console: Console, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await visit(console, "operator")
    status, page = await form(browser, "/dead-letters/import", file="text")
    assert status == 422 and "Choose a file" in page
    data = aiohttp.FormData({"csrf": await browser.csrf()})
    huge = io.BytesIO(b"x" * (importing.FORM_BYTES + 1))
    data.add_field("file", huge, filename="x")
    answer = await browser.client.post("/dead-letters/import", data=data)
    assert answer.status == 413


async def test_files_are_forgotten_the_oldest_first(console: Console, visit: Visit) -> None:
    browser = await visit(console, "operator")
    pages = [await send(browser, lines(3)) for _ in range(9)]
    server = browser.client.server
    assert server is not None
    kept = server.app[UPLOADS]._kept  # type: ignore[attr-defined]
    assert len(kept) == 8
    first = {name: field_of(pages[0], name) for name in ("upload", "expected")}
    assert (await form(browser, "/dead-letters/import/take", **first))[0] == 422
