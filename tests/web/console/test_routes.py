"""Who may call what: every address of the router, with every role, so that none is forgotten."""

from __future__ import annotations

import pytest
from aiohttp import web

from app.store.connect import Store
from app.store.users import Role
from app.web.console.api.table import BASE
from app.web.console.config import Console
from app.web.console.routes import ROUTES, Route
from app.web.console.server import make_app
from tests.web.console.conftest import PASSWORD, Visit, parts

# What a path's variables may stand for, and what a form must have to be taken.
FILLED = {
    "{file}": "console.css", "{name}": "example", "{number}": "1", "{event_id:.+}": "E/1",
    "{mark}": "0123456789abcdef",
}  # fmt: skip

PUBLIC = {
    ("GET", "/healthz"), ("GET", "/static/{file}"), ("GET", "/login"), ("POST", "/login"),
    ("GET", "/login/oidc"), ("GET", "/login/oidc/back"),
}  # fmt: skip

closed = [route for route in ROUTES if route.wants is not None]
# Those of /api/v1 are many, and alike: one test for all of them.
v1 = [route for route in closed if route.path.startswith(BASE)]
guarded = [route for route in closed if route not in v1]


def path_of(route: Route) -> str:
    path = route.path
    for name, value in FILLED.items():
        path = path.replace(name, value)
    return path


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def test_the_router_has_what_the_table_has_and_nothing_else(store: Store) -> None:
    app = make_app(parts(store))
    in_router = {
        (route.method, route.resource.canonical if route.resource else "")
        for route in app.router.routes()
        if route.method != "HEAD"
    }
    assert in_router == {(route.method, route.path.replace(":.+", "")) for route in ROUTES}
    assert all(
        isinstance(resource, web.PlainResource | web.DynamicResource)
        for resource in app.router.resources()
    )


def test_only_these_are_open_to_everybody() -> None:
    assert {(route.method, route.path) for route in ROUTES if route.wants is None} == PUBLIC


def test_what_changes_something_needs_a_role_that_may() -> None:
    """But for one's own account."""
    changing = [r for r in closed if r.method != "GET" and not r.path.startswith("/account")]
    own = [r for r in changing if r.path != "/logout"]
    assert own and all(r.wants in (Role.OPERATOR, Role.ADMIN) for r in own)


@pytest.mark.parametrize("route", [r for r in guarded if not r.is_api], ids=name_of)
async def test_a_page_without_a_session_leads_to_the_log_in(
    route: Route, console: Console, visit: Visit
) -> None:
    browser = await visit(console)
    async with browser.client.request(
        route.method, path_of(route), allow_redirects=False
    ) as answer:
        assert answer.status == 303
        assert answer.headers["Location"].startswith("/login")


@pytest.mark.parametrize("route", [r for r in guarded if r.is_api], ids=name_of)
async def test_the_api_without_a_token_says_401(
    route: Route, console: Console, visit: Visit
) -> None:
    """A session is no token: a foreign page could send its cookie along."""
    browser = await visit(console, "admin")
    for headers in ({}, {"Authorization": "Bearer sluice_guess"}, {"Authorization": "Basic eDp5"}):
        async with browser.client.request(route.method, path_of(route), headers=headers) as answer:
            assert answer.status == 401
            assert "sluice users token" in (await answer.json())["error"]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("route", guarded, ids=name_of)
async def test_each_role_may_what_the_table_says(
    role: Role, route: Route, console: Console, visit: Visit
) -> None:
    assert route.wants is not None
    if route.path == "/live":
        console.live.closing = True
    browser = await visit(console, role.value)
    headers, fields = {}, {}
    if route.is_api:
        user = await console.users.get(role.value)
        assert user
        headers["Authorization"] = f"Bearer {await console.tokens.make(user, 1, 'test')}"
    elif route.method == "POST":
        fields["csrf"] = await browser.csrf()
    async with browser.client.request(
        route.method, path_of(route), headers=headers, data=fields or None, allow_redirects=False
    ) as answer:
        text = await answer.text()
    may = role.allows(route.wants)
    assert (answer.status != 403 and answer.status != 401) is may, (answer.status, text)
    assert answer.status < 500 or answer.status == 503, text
    if not may:
        assert f"This needs the role {route.wants.value}" in text


async def test_v1_takes_tokens_of_the_role_in_the_table_and_no_session(
    console: Console, visit: Visit
) -> None:
    console.limits.per_address = 2 * len(v1)
    browser = await visit(console, "admin")
    tokens = {}
    for role in Role:
        user = await console.users.get(role.value)
        assert user
        tokens[role] = await console.tokens.make(user, 1, "test")

    async def status(route: Route, token: str = "") -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with browser.client.request(route.method, path_of(route), headers=headers) as answer:
            assert answer.content_type == "application/json", route
            return answer.status, (await answer.json()).get("error", "")

    for route in v1:
        assert route.wants is not None
        assert await status(route) == await status(route, "sluice_guess")
        assert (await status(route))[0] == 401
        for role, token in tokens.items():
            code, text = await status(route, token)
            refused = text == f"This needs the role {route.wants}; {role.value} is {role.value}."
            assert refused is (not role.allows(route.wants)), (route, role, text)
            assert code < 500 or code == 503, (route, text)
            assert code not in (401, 429)


async def test_tokens_end_with_their_time_and_their_user(console: Console, visit: Visit) -> None:
    browser = await visit(console)
    user = await console.users.get("admin")
    assert user
    good, over = (
        await console.tokens.make(user, 1, "test"),
        await console.tokens.make(user, -1, "old"),
    )

    async def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        async with browser.client.get("/api/users", headers=headers) as answer:
            return answer.status

    assert await status(good) == 200
    assert await status(over) == 401
    await console.users.remove("admin")
    assert await status(good) == 401
    await console.users.add("admin", Role.ADMIN, PASSWORD)
    assert await status(good) == 401, "a later user of the same name inherits no token"


async def test_a_role_that_was_taken_is_gone_at_once(console: Console, visit: Visit) -> None:
    browser = await visit(console, "admin")
    assert (await browser.get("/users"))[0] == 200
    await console.users.set_role("admin", Role.VIEWER)
    assert (await browser.get("/users"))[0] == 303, "the session ended with the change"
    await browser.log_in("admin")
    assert (await browser.get("/users"))[0] == 403
