"""API tokens, made on the page of one's account, and what becomes of those who guess at them."""

from __future__ import annotations

import re

from app.store.users import Role
from app.web.console.config import Console
from tests.web.console.conftest import Browser, Visit, trail


async def asked(browser: Browser, token: str, path: str = "/api/lanes") -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with browser.client.get(path, headers=headers) as answer:
        return answer.status


async def test_a_token_is_shown_once_and_revoked_there(console: Console, visit: Visit) -> None:
    browser = await visit(console, "operator")
    fields = {"name": "laptop", "role": "viewer", "days": "30"}
    page = await (await browser.post("/account/tokens", fields)).text()
    found = re.search(r"sluice_[\w-]{43}", page)
    assert found
    token = found[0]
    assert await asked(browser, token) == 200
    assert await asked(browser, token, "/api/audit") == 403, "the token is a viewer's"

    _, account = await browser.get("/account")
    assert "laptop" in account and token not in account
    await browser.post("/account/tokens/revoke", {"name": "laptop"})
    assert await asked(browser, token) == 401
    acts = [(who, what) for who, what, _, _ in await trail(console)]
    assert ("operator", "tokens.add") in acts and ("operator", "tokens.revoke") in acts


async def test_what_a_token_cannot_be_is_said(console: Console, visit: Visit) -> None:
    browser = await visit(console, "viewer")
    for change, why in (
        ({"role": "admin"}, "cannot be admin"),
        ({"role": "god"}, "is not a valid Role"),
        ({"name": "<b>"}, "is no name of a token"),
        ({"days": "forever"}, "The days are a number"),
    ):
        fields = {"name": "laptop", "role": "viewer", "days": "30"} | change
        answer = await browser.post("/account/tokens", fields)
        assert answer.status == 400
        assert why in await answer.text()
    assert await console.tokens.all() == []


async def test_who_loses_a_role_loses_the_tokens_that_have_it(
    console: Console, visit: Visit
) -> None:
    admin, user = await visit(console, "admin"), await console.users.get("operator")
    assert user
    high = await console.tokens.make(user, 1, "high")
    low = await console.tokens.make(user, 1, "low", Role.VIEWER)
    await admin.post("/users/role", {"name": "operator", "role": "viewer"})
    assert (await asked(admin, high), await asked(admin, low)) == (401, 200)
    assert [token.name for token in await console.tokens.all()] == ["low"]


async def test_guesses_are_slowed_down_and_written_down_but_keep_nobody_out(
    console: Console, visit: Visit
) -> None:
    console.limits.per_address = 3
    browser, user = await visit(console), await console.users.get("viewer")
    assert user
    token = await console.tokens.make(user, 1, "good")
    assert [await asked(browser, f"sluice_{n}") for n in range(5)] == [401, 401, 401, 429, 429]
    assert await asked(browser, token) == 200
    assert [what for _, what, _, _ in await trail(console)] == ["token.refused"] * 3


async def test_acts_by_a_token_are_written_down_under_user_and_token(
    console: Console, visit: Visit
) -> None:
    browser, user = await visit(console), await console.users.get("operator")
    assert user
    token = await console.tokens.make(user, 1, "ci")
    headers = {"Authorization": f"Bearer {token}"}
    async with browser.client.post(
        "/api/lanes/example/pause", headers=headers, json={"reason": "night"}
    ) as answer:
        assert answer.status == 200
    assert await trail(console) == [("operator/ci", "lanes.pause", "example", "127.0.0.1")]
