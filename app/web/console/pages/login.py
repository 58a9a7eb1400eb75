"""Logging in and out.

Nobody learns here whether a name exists: refusals read alike, take alike, and are counted alike.
"""

from __future__ import annotations

import secrets

import structlog
from aiohttp import web

from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.door import DOOR, WHO, address_of, cookie_name, set_cookie
from app.web.console.forms import equal, read_form
from app.web.console.trail import note

log = structlog.get_logger(__name__)

# A form without a session has its token in a cookie of its own (double submit).
FORM_COOKIE = "sluice-login"

_REFUSED = "The name or the password is wrong."


async def form(request: web.Request) -> web.Response:
    """GET /login."""
    return show(request, next_of(request.query.get("next", "")), "", 200)


async def enter(request: web.Request) -> web.StreamResponse:
    """POST /login: to where one wanted to go, with a new session; or the form again."""
    console, given = request.app[CONSOLE], await read_form(request)
    target = next_of(given.get("next", ""))
    if not equal(given.get("csrf", ""), request.cookies.get(FORM_COOKIE, "")):
        return show(request, target, "This form was too old: here is a new one.", 403)
    name, origin = given.get("name", "").strip(), address_of(request)
    wait = await console.limits.attempt(name, origin)
    if wait:
        log.warning("console.login_limited", address=origin)
        text = f"Too many attempts. Try again in {max(1, round(wait / 60))} min."
        refused = show(request, target, text, 429)
        refused.headers["Retry-After"] = str(int(wait) + 1)
        return refused
    user = await console.users.check(name, given.get("password", ""))
    if user is None:
        # Not a name that nobody has: it may well be a password, typed into the wrong field.
        log.warning("console.login_refused", address=origin)
        known = await console.users.get(name)
        if await console.limits.worth_noting():
            attacked = known.name if known else ""
            await console.audit.record("", "login.refused", on=attacked, origin=origin)
        return show(request, target, _REFUSED, 401)
    await console.limits.forget(name)
    await console.audit.record(user.name, "login", origin=origin)
    before = request.cookies.get(cookie_name(console), "")
    response = look.to(target)
    set_cookie(response, console, cookie_name(console), await console.sessions.open(user, before))
    response.del_cookie(FORM_COOKIE, path="/")
    return response


async def leave(request: web.Request) -> web.StreamResponse:
    """POST /logout."""
    console, who = request.app[CONSOLE], request[WHO]
    await console.sessions.close(who.session_id)
    request.app[DOOR].forget(who.session_id)
    await note(request, "logout")
    response = look.to("/login")
    response.del_cookie(
        cookie_name(console), path="/", secure=console.config.secure, httponly=True, samesite="Lax"
    )
    return response


def next_of(wanted: str) -> str:
    """Where to go after the log-in: a page of ours, whatever the link says."""
    plain = wanted.startswith("/") and not wanted.startswith("//")
    safe = plain and wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    return wanted if safe and len(wanted) < 2000 else "/"


def show(request: web.Request, target: str, fault: str, status: int) -> web.Response:
    """The page, with what went wrong."""
    token = secrets.token_urlsafe(24)
    sso = request.app[CONSOLE].provider is not None
    context = {"target": target, "fault": fault, "form_token": token, "sso": sso}
    response = look.render(request, "login.html", context, status=status)
    set_cookie(response, request.app[CONSOLE], FORM_COOKIE, token)
    return response
