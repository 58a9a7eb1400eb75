"""One's own API tokens: made, shown once, and revoked, on the page of one's account."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from app.store.tokens import DEFAULT_DAYS, MOST_DAYS
from app.store.users import Role
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.door import WHO
from app.web.console.forms import read_form
from app.web.console.trail import note

_DAYS_MIN = 0.01


async def make(request: web.Request) -> web.StreamResponse:
    """POST /account/tokens: name, role, days. The page that answers is the only one to show it."""
    console, who, given = request.app[CONSOLE], request[WHO], await read_form(request)
    name = given.get("name", "").strip()
    user = await console.users.get(who.name)
    if user is None:
        return look.to("/login")
    try:
        role, days = Role(given.get("role", "")), _days(given.get("days", ""))
        await note(request, "tokens.add", who.name, token=name[:60], role=role.value, days=days)
        token = await console.tokens.make(user, days, name, role)
    except ValueError as fault:
        text = str(fault)
        said = f"{text[:1].upper()}{text[1:]}."
        return await account_page(request, status=400, token_fault=said)
    return await account_page(request, token=token, token_name=name)


async def revoke(request: web.Request) -> web.StreamResponse:
    """POST /account/tokens/revoke: name."""
    name = (await read_form(request)).get("name", "")
    await note(request, "tokens.revoke", request[WHO].name, token=name[:60])
    done = await request.app[CONSOLE].tokens.revoke_one(request[WHO].name, name)
    said = f"The token {name} is revoked." if done else "There is no such token (any more)."
    return look.after(request, "/account", said)


async def account_page(request: web.Request, status: int = 200, **more: str) -> web.Response:
    """The page of one's account, with one's tokens. `more`: what is to be said on it."""
    console, who = request.app[CONSOLE], request[WHO]
    panel = await console.panels.show(
        ("tokens", who.name), lambda: console.tokens.all(who.name), keep=False
    )
    context: dict[str, Any] = {"fault": "", "token": "", "token_name": "", "token_fault": ""}
    roles = [each for each in Role if who.role.allows(each)]
    context |= {"panel": panel, "roles": roles, "days": f"{DEFAULT_DAYS:g}"}
    user = await console.panels.show(
        ("user", who.name), lambda: console.users.get(who.name), keep=False
    )
    context["sso"] = bool(user.data and user.data.sso)
    return look.render(request, "account.html", {**context, **more}, status=status)


def _days(text: str) -> float:
    """Raises ValueError for what is no number of days."""
    try:
        days = float(text)
    except ValueError:
        days = float("nan")
    if not _DAYS_MIN <= days <= MOST_DAYS:
        raise ValueError(f"the days are a number up to {MOST_DAYS:,.0f}")
    return days
