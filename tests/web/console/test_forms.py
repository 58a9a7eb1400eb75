"""Forms of somebody else's pages do nothing; and what every answer tells the browser."""

from __future__ import annotations

import re

import pytest

from app.web.console.config import Console
from app.web.console.routes import ROUTES
from tests.web.console.conftest import PASSWORD, Visit, field_of, trail
from tests.web.console.test_routes import path_of

FORMS = [
    path_of(route)
    for route in ROUTES
    if route.method == "POST" and not route.is_api and route.wants is not None
]


@pytest.mark.parametrize("path", FORMS)
async def test_a_form_without_its_token_is_refused(
    path: str, console: Console, visit: Visit
) -> None:
    browser = await visit(console, "admin")
    other = await visit(console, "admin")
    for token in (None, "", "guess", await other.csrf()):
        fields = {} if token is None else {"csrf": token}
        answer = await browser.client.post(path, data=fields, allow_redirects=False)
        assert answer.status == 403, (path, token)
    assert (await browser.get("/"))[0] == 200, "it is still logged in"
    assert [what for _, what, *_ in await trail(console)] == ["login", "login"]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_form_of_another_origin_is_refused_even_with_the_token(
    path: str, headers: dict[str, str], console: Console, visit: Visit
) -> None:
    browser = await visit(console, "admin")
    answer = await browser.post(path, {}, **headers)
    assert answer.status == 403


async def test_a_log_in_from_a_foreign_page_is_refused(console: Console, visit: Visit) -> None:
    """Else somebody could make one work, unawares, in an account of theirs."""
    browser = await visit(console)
    _, page = await browser.get("/login")
    fields = {"csrf": field_of(page, "csrf"), "name": "viewer", "password": PASSWORD}
    headers = {"Origin": "https://evil.example"}
    answer = await browser.client.post("/login", data=fields, headers=headers)
    assert answer.status == 403
    without = await browser.client.post("/login", data=fields | {"csrf": "guess"})
    assert without.status == 403


async def test_a_form_that_is_none_is_a_bad_request(console: Console, visit: Visit) -> None:
    browser = await visit(console, "admin")
    for content_type in (
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded; charset=klingon",
    ):
        answer = await browser.client.post(
            "/logout", data=b"\xff\xfe=%zz", headers={"Content-Type": content_type}
        )
        assert answer.status in (400, 403), await answer.text()


async def test_a_form_as_large_as_a_book_is_refused(console: Console, visit: Visit) -> None:
    browser = await visit(console, "admin")
    answer = await browser.client.post("/lanes/pause", data={"csrf": "x" * 100_000})
    assert answer.status == 413


# --- headers ---


@pytest.mark.parametrize(
    "path", ["/", "/login", "/nope", "/static/console.css", "/api/ledger", "/healthz"]
)
async def test_every_answer_tells_the_browser_to_trust_nothing_but_us(
    path: str, console: Console, visit: Visit
) -> None:
    browser = await visit(console, "viewer")
    async with browser.client.get(path) as answer:
        headers = answer.headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "aiohttp" not in headers.get("Server", "").lower()
    kept = "immutable" if path.startswith("/static/") else "no-store"
    assert kept in headers["Cache-Control"]


PAGES = [
    route.path.replace("{name}", "customerio-default")
    .replace("{number}", "1")
    .replace("{event_id}", "E1")
    for route in ROUTES
    if route.method == "GET" and not route.is_api and route.wants is not None
    if not route.path.endswith("/live")
]


@pytest.mark.parametrize("path", [*PAGES, "/login"])
async def test_no_page_has_inline_script_or_style(
    path: str, console: Console, visit: Visit
) -> None:
    browser = await visit(console, "" if path == "/login" else "admin")
    _, page = await browser.get(path)
    assert "<main" in page
    assert not re.search(r"<[^>]+\s(?:style|on\w+)\s*=", page)
    assert "<style" not in page
    for tag in re.findall(r"<script[^>]*>", page):
        assert "src=" in tag or 'type="application/json"' in tag


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_and_all_it_loads_weighs_less_than_200_kb(
    path: str, console: Console, visit: Visit
) -> None:
    browser = await visit(console, "admin")
    _, page = await browser.get(path)
    weight = len(page.encode())
    for address in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page)):
        async with browser.client.get(address) as answer:
            assert answer.status == 200
            weight += len(await answer.read())
    # Before compression: what goes over the wire is about a third of it.
    assert weight < 200_000
