"""One letter: how its event is built, what failed, where it was replayed."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

from app.core.batch import AttemptRun
from app.core.dead_letter import Edit
from app.store.dead_letters import DeadLetters
from app.web.console.config import Console
from tests.dead import bury
from tests.web.console.conftest import Visit, trail
from tests.web.console.dead_letters.letters import (
    failed,
)


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
