"""Letters go back on the queue: one at once, many frozen, shown and started."""

from __future__ import annotations

import re

from app.core.replay_run import RunState
from app.store import keys
from app.store.dead_letters import DeadLetters
from app.store.replay_runs import ReplayRuns
from app.web.console.config import Console
from tests.web.console.conftest import Visit, trail
from tests.web.console.dead_letters.letters import (
    an_event,
    frozen,
    marks,
    two_causes,
)


async def test_one_letter_is_put_on_the_queue_at_once(console: Console, visit: Visit) -> None:
    await an_event(console)
    browser = await visit(console, "operator")
    answer = await browser.post("/dead-letters/1/replay", {})
    assert answer.status == 303 and "/dead-letters/groups/" in answer.headers["Location"]
    assert await DeadLetters(console.redis).summaries([1]) == []
    assert await console.redis.zcard(keys.OPEN_SET) == 1
    assert (await trail(console))[0][1:3] == ("dead-letters.replay", "1")
    assert (await browser.post("/dead-letters/1/replay", {})).status == 404


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
