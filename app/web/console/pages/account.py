"""One's own account: password, log out everywhere, light or dark."""

from __future__ import annotations

from aiohttp import web

from app.store.users import User
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.door import DOOR, WHO, cookie_name, set_cookie
from app.web.console.forms import read_form
from app.web.console.pages.tokens import account_page
from app.web.console.trail import note


async def page(request: web.Request) -> web.Response:
    """GET /account."""
    return await account_page(request)


async def set_password(request: web.Request) -> web.StreamResponse:
    """POST /account/password: old, new, again. All other sessions end, this one gets a new id."""
    console, who = request.app[CONSOLE], request[WHO]
    given = await read_form(request)
    if wait := await console.limits.attempt(who.name, who.origin):
        return await _again(
            request, f"Too many attempts. Try again in {round(wait / 60) or 1} min.", 429
        )
    if await console.users.check(who.name, given.get("old", "")) is None:
        return await _again(request, "The old password is wrong.", 400)
    if given.get("new", "") != given.get("again", ""):
        return await _again(request, "The two new passwords differ.", 400)
    try:
        await console.users.set_password(who.name, given.get("new", ""))
    except ValueError as fault:
        return await _again(request, f"{str(fault).capitalize()}.", 400)
    await console.limits.forget(who.name)
    await note(request, "users.passwd", who.name)
    return await _stay_in(request, "Your password is changed. You are logged out everywhere else.")


async def end_sessions(request: web.Request) -> web.StreamResponse:
    """POST /account/end-sessions: this one goes on, under a new id."""
    console, who = request.app[CONSOLE], request[WHO]
    await note(request, "users.logout", who.name)
    await console.users.end_sessions(who.name)
    return await _stay_in(request, "You are logged out everywhere else.")


async def set_theme(request: web.Request) -> web.StreamResponse:
    """POST /account/theme: theme."""
    theme = (await read_form(request)).get("theme", "")
    response = look.to("/account")
    if theme in look.THEMES:
        set_cookie(
            response, request.app[CONSOLE], look.THEME_COOKIE, theme, max_age_seconds=31_536_000
        )
    return response


async def _stay_in(request: web.Request, done: str) -> web.StreamResponse:
    console, who = request.app[CONSOLE], request[WHO]
    user: User | None = await console.users.get(who.name)
    request.app[DOOR].forget(who.session_id)
    if user is None:
        return look.to("/login")
    response = look.after(request, "/account", done)
    fresh = await console.sessions.open(user, who.session_id)
    set_cookie(response, console, cookie_name(console), fresh)
    return response


async def _again(request: web.Request, fault: str, status: int) -> web.Response:
    return await account_page(request, status=status, fault=fault)
