"""What pages show, with hostile content and without Redis; their JSON twins say the same."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from arq.connections import ArqRedis

from app.core.replay_run import RunState
from app.store.connect import Store
from app.store.dead_letters.groups import GroupFilter, Groups
from app.store.lanes import Gate, Lanes
from app.store.replay_runs import ReplayRuns
from app.store.users import Role
from app.web.console.config import Console
from tests.conftest import RedisServer
from tests.web.console.conftest import PASSWORD, ROOT, Visit, parts, trail
from tests.web.console.furnish import DEAD, DELIVERED, HOSTILE, TAIL, WAITING, furnish


class Tags(HTMLParser):
    """Every tag and attribute that a browser would see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, list[str]] = {}
        self.islands: list[str] = []
        self._in_island = False
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")
        self._in_island = tag == "script" and ("type", "application/json") in attrs

    def handle_endtag(self, tag: str) -> None:
        self._in_island = False

    def handle_data(self, data: str) -> None:
        if self._in_island:
            self.islands.append(data)
        else:
            self.text += data


NAVIGATION = '<nav aria-label="Pages">'

# What HTML makes of a NUL: nothing good, so it is not looked for.
SHOWN = HOSTILE.replace("\x00", "")

HOSTILE_PAGES = [
    ("/", False),
    ("/lanes", True),
    ("/audit", True),
    ("/dead-letters", True),
    ("/dead-letters/list", True),
    ("/dead-letters/groups/MARK", True),
    ("/dead-letters/1", True),
    (f"/events?id={DEAD}", True),
    (f"/events?id={DELIVERED}", True),
    (f"/events?id={quote(HOSTILE)}&timestamp={quote(HOSTILE)}", False),
    (f"/dead-letters?code={quote(HOSTILE)}&kind={quote(HOSTILE)}", True),
    ("/tail", True),
    ("/dead-letters/1/edit", True),
    ("/dead-letters/discard", True),
    (f"/dead-letters/discard?kind={quote(HOSTILE)}", False),
    (f"/dead-letters/list?text={quote(HOSTILE)}&mapping={quote(HOSTILE)}", True),
    (f"/dead-letters/list?since={quote(HOSTILE)}", True),
    ("/replays", True),
    ("/replays/1", True),
    ("/replays/1/trial", False),
    ("/mappings/customerio-default/preview/values", True),
    ("/recipes", True),
    ("/recipes/hostile", True),
    ("/recipes/hostile/edit", True),
    ("/recipes/hostile/trial", False),
    (f"/recipes/_new?group={quote(HOSTILE)}", True),
    (f"/tail?kind={quote(HOSTILE)}&connection={quote(HOSTILE)}", True),
    (f"/tail/body?connection=example&event_id={TAIL}", True),
    (f"/tail/body?connection=x&event_id={quote(HOSTILE)}", True),
    (f"/ledger?connection={quote(HOSTILE)}", False),
    (f"/audit?before={quote(HOSTILE)}", False),
    (f"/mappings/{quote(HOSTILE, safe='')}", False),
    (f"/login?next={quote(HOSTILE)}", False),
    (f"/{quote(HOSTILE, safe='')}", False),
]


@pytest.mark.parametrize(("path", "shows"), HOSTILE_PAGES)
async def test_hostile_text_stays_text(
    path: str, shows: bool, console: Console, visit: Visit, store: ArqRedis
) -> None:
    await furnish(store)
    await console.live.sample()
    browser = await visit(console, "admin")
    [group], _ = await Groups(store).page(GroupFilter())
    status, page = await browser.get(path.replace("MARK", group.fingerprint))
    assert status < 500, page

    seen = Tags(page)

    assert "img" not in seen.tags
    assert not any(name.startswith("on") for name in seen.attributes)
    ours = {"htmx.min.js", "uplot.min.js", "console.js"}
    scripts = re.findall(r"<script[^>]*>", page)
    assert all("application/json" in tag or any(n in tag for n in ours) for tag in scripts)
    for island in seen.islands:
        json.loads(island)
    if shows:
        assert SHOWN[:34] in seen.text or any(
            SHOWN[:34] in value for value in seen.attributes.get("value", [])
        )


HOSTILE_FORMS = [
    ("/dead-letters", {"person": HOSTILE}),
    ("/dead-letters/list", {"person": HOSTILE, "before": "9"}),
    ("/dead-letters/list", {"body": "onerror"}),
    ("/dead-letters/discard", {"text": HOSTILE}),
    (
        "/dead-letters/discard",
        {"act": "discard", "number": "1", "reason": HOSTILE, "count": HOSTILE},
    ),
    ("/dead-letters/export", {"connection": "example"}),
    ("/dead-letters/mark", {"connection": "example"}),
    ("/dead-letters/mark", {"act": "mark", "marks": "MARK", "note": HOSTILE, "expected": "9"}),
    ("/recipes/_check", {"text": json.dumps({HOSTILE: 1})}),
    ("/recipes/_save", {"text": HOSTILE, "name": HOSTILE, "act": "save"}),
]


@pytest.mark.parametrize(("path", "fields"), HOSTILE_FORMS)
async def test_hostile_text_stays_text_in_what_answers_a_form(
    path: str, fields: dict[str, str], console: Console, visit: Visit, store: ArqRedis
) -> None:
    await furnish(store)
    browser = await visit(console, "operator")
    [group], _ = await Groups(store).page(GroupFilter())
    answer = await browser.post(
        path, {name: value.replace("MARK", group.fingerprint) for name, value in fields.items()}
    )
    page = await answer.text()
    assert answer.status in (200, 409, 422), page
    seen = Tags(page)
    assert "img" not in seen.tags and not any(name.startswith("on") for name in seen.attributes)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))
    assert (
        SHOWN[:34] in seen.text
        or any(SHOWN[:34] in value for value in seen.attributes.get("value", []))
        or "onerror" in seen.text
    )


async def test_the_live_stream_escapes_as_the_page_does(
    console: Console, visit: Visit, store: ArqRedis
) -> None:
    await furnish(store)
    browser = await visit(console, "viewer")
    await console.live.sample()
    async with browser.client.get("/live") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        while not (line := await answer.content.readline()).startswith(b"data: {"):
            pass
    told = json.loads(line.removeprefix(b"data: "))
    assert set(told) == {"parts", "chart"}
    lanes = told["parts"]["lanes"]
    assert "img" not in Tags(lanes).tags and "&lt;script&gt;" in lanes


async def test_the_overview_shows_each_stage(
    console: Console, visit: Visit, store: ArqRedis
) -> None:
    await furnish(store)
    await console.live.sample()
    browser = await visit(console, "viewer")
    _, page = await browser.get("/")
    found = dict(re.findall(r'class="stage [^"]*stage-(\w+)">.*?class="big">([\d,]+)<', page, re.S))
    assert found == {
        "received": "3", "queued": "1", "delivering": "0", "delivered": "1", "retrying": "0",
        "dead": "1",
    }  # fmt: skip
    assert "adds up" in page and "collecting" in page


async def test_an_event_s_story_is_told_in_order(
    console: Console, visit: Visit, store: ArqRedis
) -> None:
    await furnish(store)
    browser = await visit(console, "viewer")
    for event_id, titles in (
        (DELIVERED, ["Received", "Sent: delivered", "Batch 1 settled"]),
        (DEAD, ["Received", "Sent: delivered", "Dead letter 1", "Batch 1 settled"]),
        (WAITING, ["In flight, due"]),
    ):
        _, page = await browser.get(f"/events?id={event_id}")
        assert re.findall(r"<strong>([^<]*)</strong>", page) == titles
    _, page = await browser.get("/events?id=01HF0000000000000000000009")
    assert "Nothing is known" in page


# --- acting ---


async def test_an_operator_holds_a_lane_back_and_lets_it_go_and_the_trail_says_so(
    console: Console, visit: Visit, store: ArqRedis
) -> None:
    browser = await visit(console, "operator")
    fields = {"connection": "example", "reason": "  Platform's\nmaintenance ", "for": "10m"}
    answer = await browser.post("/lanes/pause", fields)
    assert (answer.status, answer.headers["Location"]) == (303, "/lanes")
    state = await Lanes(store).state("example")
    assert (state.gate, state.reason) == (Gate.PAUSED, "operator:Platform's maintenance")
    assert state.seconds and 590 < state.seconds <= 600
    _, page = await browser.get("/lanes")
    assert "example is held back" in page and "Platform&#39;s maintenance" in page
    _, page = await browser.get("/lanes")
    assert "example is held back" not in page, "said once"

    await browser.post("/lanes/resume", {"connection": "example"})
    assert (await Lanes(store).state("example")).gate is Gate.OPEN
    assert (await trail(console))[:2] == [
        ("operator", "lanes.resume", "example", "127.0.0.1"),
        ("operator", "lanes.pause", "example", "127.0.0.1"),
    ]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"reason": " "}, 400),
        ({"reason": "x" * 201}, 400),
        ({"for": "soon"}, 400),
        ({"connection": "nobody"}, 404),
    ],
)
async def test_what_cannot_be_done_is_said_and_not_done(
    console: Console, visit: Visit, store: ArqRedis, change: dict[str, str], status: int
) -> None:
    browser = await visit(console, "operator")
    fields = {"connection": "example", "reason": "why", "for": "10m", **change}
    answer = await browser.post("/lanes/pause", fields)
    assert answer.status == status
    assert (await Lanes(store).state("example")).gate is Gate.OPEN
    assert [what for _, what, *_ in await trail(console)] == ["login"]


async def test_opening_a_dead_letter_is_written_down(
    console: Console, visit: Visit, store: ArqRedis
) -> None:
    await furnish(store)
    browser = await visit(console, "operator")
    status, page = await browser.get("/dead-letters/1")
    assert status == 200 and "onerror" in page
    assert (await trail(console))[0] == ("operator", "dead-letters.open", "1", "127.0.0.1")
    assert (await browser.get("/dead-letters/2"))[0] == 404


async def test_a_body_of_the_tail_is_for_operators_and_looking_is_written_down(
    console: Console, visit: Visit, store: ArqRedis
) -> None:
    await furnish(store)
    viewer, operator = await visit(console, "viewer"), await visit(console, "operator")
    query = "connection=example&event_id="
    _, page = await viewer.get("/tail")
    assert TAIL in page and "email.sent" in page
    assert "subject" not in page and "/tail/body" not in page
    assert (await viewer.get(f"/tail/body?{query}{TAIL}"))[0] == 403
    assert f"event_id={TAIL}" in (await operator.get("/tail"))[1]
    _, page = await operator.get(f"/tail/body?{query}{TAIL}")
    assert "subject" in page
    assert (await trail(console))[0] == ("operator", "events.open", TAIL, "127.0.0.1")
    assert (await operator.get(f"/tail/body?{query}{DEAD}"))[0] == 404


async def test_a_replay_is_turned_as_its_state_allows_and_the_trail_says_so(
    console: Console, visit: Visit, store: ArqRedis
) -> None:
    await furnish(store)
    browser = await visit(console, "operator")
    runs = ReplayRuns(store)
    for turn, then in (
        ("resume", RunState.RUNNING),
        ("pause", RunState.PAUSED),
        ("cancel", RunState.CANCELLED),
    ):
        fields = {"number": "1", "turn": turn, "reason": "enough"}
        assert (await browser.post("/replays/turn", fields)).status == 303
        run = await runs.get(1)
        assert run and run.state is then
        what = f"replays.{then}"
        assert (await trail(console))[0] == ("operator", what, "1", "127.0.0.1")
    assert run.reason == "cancelled by operator: enough"
    await browser.post("/replays/turn", {"number": "1", "turn": "resume"})
    _, page = await browser.get("/replays")
    assert "Replay 1 is cancelled: not done." in page
    for fields, status in (
        ({"number": "1", "turn": "explode"}, 400),
        ({"number": "x", "turn": "pause"}, 400),
        ({"number": "7", "turn": "pause"}, 404),
    ):
        assert (await browser.post("/replays/turn", fields)).status == status


async def test_the_tail_is_of_one_connection_and_kind_when_asked(
    console: Console, visit: Visit, store: ArqRedis
) -> None:
    await furnish(store)
    browser = await visit(console, "viewer")
    for query, there in (
        ("connection=example&kind=email.sent", True),
        ("connection=other", False),
        ("kind=sms.sent", False),
    ):
        _, page = await browser.get(f"/tail?{query}")
        assert (TAIL in page) is there, query


async def test_connections_show_no_secret_and_no_inlet_to_post_to(
    store: Store, visit: Visit, tmp_path: Path
) -> None:
    folder = tmp_path / "connections"
    folder.mkdir()
    for name in ("mappings", "schemas", "allowed_sources.yaml"):
        (tmp_path / name).symlink_to(ROOT / "config" / name)
    inlet, keys = "f" * 32 + "secret", ("key-one-of-it", "client-secret-of-it")
    text = (ROOT / "config/connections/example.yaml").read_text()
    assert "inlet_id" in text
    text = re.sub(r"inlet_id:.*", f"inlet_id: {inlet}", text)
    (folder / "example.yaml").write_text(text)
    console = parts(store, SLUICE_CONFIG_DIR=str(tmp_path), EXAMPLE_SIGNING_KEY=keys[0])
    await console.users.add("admin", Role.ADMIN, PASSWORD)
    browser = await visit(console, "admin")
    _, page = await browser.get("/connections/example")
    assert "POST /webhooks/example" in page and "ffff…" in page
    assert inlet not in page and not any(key in page for key in keys)


# --- Redis is away ---


async def test_pages_stand_while_redis_is_away_and_say_how_old_they_are(
    own_redis: RedisServer, own_store: Store, visit: Visit
) -> None:
    console = parts(own_store)
    await console.users.add("operator", Role.OPERATOR, PASSWORD)
    await furnish(own_store)
    browser = await visit(console, "operator")
    await console.live.sample()
    seen = ("/", "/ledger", "/lanes", "/dead-letters", "/audit", "/tail", "/connections")
    for path in seen:
        status, page = await browser.get(path)
        assert (status, "cannot be reached" in page) == (200, False), path
    csrf = await browser.csrf()

    own_redis.kill()
    await console.live.sample()

    for path in seen:
        status, page = await browser.get(path)
        assert status == 200, path
        assert "Redis cannot be reached. What you see is of <time>" in re.sub(r"\s+", " ", page)
        known = {"/audit": "cli:root", "/dead-letters": "/dead-letters/groups/"}
        assert known.get(path, ">example<") in page, "what was known last is still there"
    status, page = await browser.get("/mappings")
    assert (status, "Redis cannot be reached" in page) == (200, False), "it needs no Redis"
    status, page = await browser.get(f"/events?id={DEAD}")
    assert status == 200 and "There is no older answer" in page
    answer = await browser.client.post(
        "/lanes/resume", data={"csrf": csrf, "connection": "example"}, allow_redirects=False
    )
    assert answer.status == 503 and answer.headers["Retry-After"]
    assert NAVIGATION in await answer.text()
    stranger = await visit(console)
    assert (await stranger.get("/"))[0] == 303
    status, page = await stranger.get("/", Cookie="sluice=guess")
    assert (status, NAVIGATION in page) == (503, False), "nobody new is let in"

    own_redis.start()
    await console.live.sample()
    status, page = await browser.get("/")
    assert (status, "cannot be reached" in page) == (200, False)


async def test_who_is_logged_in_finds_the_way_on_from_an_error(
    console: Console, visit: Visit
) -> None:
    viewer, stranger = await visit(console, "viewer"), await visit(console)
    for path, method, wanted in (
        ("/nope", "GET", 404), ("/connections/nope", "GET", 404), ("/lanes", "DELETE", 405),
        ("/users", "GET", 403), ("/audit/%ff", "GET", 404),
    ):  # fmt: skip
        answer = await viewer.client.request(method, path)
        page = await answer.text()
        assert (answer.status, NAVIGATION in page) == (wanted, True), path
        assert "viewer" in page and 'href="/users"' not in page, "their own frame"
        answer = await stranger.client.request(method, path)
        assert NAVIGATION not in await answer.text(), path
    answer = await viewer.client.get("/api/nope")
    assert answer.content_type == "application/json"

    # Who logged out has none either.
    csrf = await viewer.csrf()
    await viewer.client.post("/logout", data={"csrf": csrf})
    assert NAVIGATION not in (await viewer.get("/nope"))[1]


async def test_an_empty_ledger_is_looked_at_again_at_once(
    console: Console, visit: Visit, store: ArqRedis
) -> None:
    """It said "Nothing was received yet" beside two thousand events, for half a minute."""
    await console.live.sample()
    await furnish(store)
    await console.live.sample()

    _, page = await (await visit(console, "viewer")).get("/")

    assert "Nothing was received yet" not in page


async def test_a_fault_of_one_panel_stays_in_it(
    console: Console, visit: Visit, store: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its text does not reach the page: it may hold a value of an event."""
    await furnish(store)
    await console.live.sample()

    async def broken(_self: object) -> None:
        raise RuntimeError(HOSTILE)

    monkeypatch.setattr("app.store.ledger.Ledger.read", broken)
    console.live._balance_at = float("-inf")
    await console.live.sample()
    browser = await visit(console, "viewer")
    status, page = await browser.get("/")
    assert status == 200
    assert "A fault of the console&#39;s own (RuntimeError)" in page
    assert "stage-received" in page and "calc" not in page.partition("Connections</h2>")[0]


# --- twins ---


def sluice(store_url: str, *words: str) -> Any:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SLUICE_", "EXAMPLE_"))}
    found = subprocess.run(
        (sys.executable, "-m", "app", *words),
        cwd=ROOT,
        env={**clean, "SLUICE_REDIS_URL": store_url, "EXAMPLE_SIGNING_KEY": "x"},
        capture_output=True,
        timeout=60,
    )
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def without_clock(value: Any) -> Any:
    """Two questions are two moments."""
    if isinstance(value, list):
        return [without_clock(each) for each in value]
    return {k: v for k, v in value.items() if k != "since"} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/lanes", ("lanes", "--json")),
        (f"/api/events/{DEAD}", ("trace", DEAD, "--json")),
        ("/api/mappings", ("mappings", "list", "--json")),
        ("/api/replays", ("replays", "list", "--json")),
        ("/api/replays/1", ("replays", "show", "1", "--json")),
        ("/api/mappings/customerio-default", ("mappings", "check", "customerio-default", "--json")),
        ("/api/recipes", ("recipes", "list", "--json")),
        ("/api/recipes/hostile", ("recipes", "show", "hostile", "--json")),
        ("/api/dead-letters", ("dead-letters", "list", "--json")),
        ("/api/dead-letters/groups", ("dead-letters", "groups", "--json")),
    ],
)
async def test_the_api_says_what_the_command_line_says(
    path: str, words: tuple[str, ...], console: Console, visit: Visit, store: ArqRedis,
    redis_url: str,
) -> None:  # fmt: skip
    await furnish(store)
    get = await api(console, visit)
    status, found = await get(path)
    assert status == 200
    if path.startswith("/api/dead-letters"):
        assert found.pop("cursor") is None
        [found] = found.values()
    assert without_clock(found) == without_clock(sluice(redis_url, *words))


@pytest.mark.parametrize("hours", [False, True])
async def test_the_api_s_ledger_is_the_command_line_s(
    console: Console, visit: Visit, store: ArqRedis, redis_url: str, hours: bool
) -> None:
    await furnish(store)
    get = await api(console, visit)
    _, found = await get("/api/ledger?hours=1" if hours else "/api/ledger")
    told = sluice(redis_url, "ledger", "--json", *(["--hours"] if hours else []))
    assert found["balanced"] is True and found["rows"][0]["accepted"] == 1
    assert without_clock(found) == without_clock(told)


async def api(
    console: Console, visit: Visit, name: str = "admin"
) -> Callable[..., Awaitable[tuple[int, Any]]]:
    browser = await visit(console)
    user = await console.users.get(name)
    assert user
    headers = {"Authorization": f"Bearer {await console.tokens.make(user, 1, 'test')}"}

    async def ask(path: str, body: bytes | None = None) -> tuple[int, Any]:
        method = "GET" if body is None else "POST"
        async with browser.client.request(method, path, data=body, headers=headers) as answer:
            return answer.status, await answer.json()

    return ask


async def test_a_program_holds_a_lane_back_and_lets_it_go(
    console: Console, visit: Visit, store: ArqRedis
) -> None:
    ask = await api(console, visit, "operator")
    assert await ask("/api/lanes/example/pause", b'{"reason": "x", "for": "1h"}') == (
        200,
        {"connection": "example", "paused": True, "seconds": 3600},
    )
    assert (await ask("/api/lanes/example/resume", b""))[1]["resumed"] is True
    for body in (b"", b"[]", b"{}", b'{"reason": 1}', b'{"reason": "x", "for": 7}', b"\xff"):
        assert (await ask("/api/lanes/example/pause", body))[0] == 400
    assert [what for _, what, *_ in await trail(console)] == ["lanes.resume", "lanes.pause"]


async def test_the_api_says_that_redis_is_away(
    own_redis: RedisServer, own_store: Store, visit: Visit
) -> None:
    console = parts(own_store)
    await console.users.add("admin", Role.ADMIN, PASSWORD)
    ask = await api(console, visit)
    own_redis.kill()
    assert await ask("/api/ledger") == (503, {"error": "Redis cannot be reached."})


# --- nonsense ---


@pytest.mark.parametrize(
    "path",
    ["/events?id=%ED%A0%80", "/events?id=x&timestamp=-1", "/dead-letters/x", "/dead-letters/-1",
     "/dead-letters/99999999999999999999", "/dead-letters?before=x", "/dead-letters/list?before=x",
     "/mappings/..%2f..%2fetc%2fpasswd", "/mappings/%00",
     "/static/..%2fconfig.py", "/static/README.md", "/audit?before=x", "/ledger?hours=x",
     "/api/events/%ED%A0%80", "/%ff", "/events?id=" + "x" * 300, "/api/nope"],
)  # fmt: skip
async def test_nonsense_is_answered_in_words(path: str, console: Console, visit: Visit) -> None:
    browser = await visit(console, "admin")
    status, page = await browser.get(path)
    assert status < 500, (status, page)


async def test_a_cookie_of_any_bytes_is_nobody_s(console: Console, visit: Visit) -> None:
    browser = await visit(console)
    for value in ("\x80\xff", "x" * 5000, "a=b=c", '"', "é"):
        status, _ = await browser.get("/", Cookie=f"sluice={value}; sluice-theme={value}")
        assert status in (303, 400), value
