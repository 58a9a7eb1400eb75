"""What every request meets before its handler: who is asking, may they, and whose form is it."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import structlog
from aiohttp import web

from app.store.users import Role
from app.web.console.config import CONSOLE
from app.web.console.door import DOOR, WHO, Who, address_of, same_origin
from app.web.console.forms import equal, read_form
from app.web.console.route import FORM_BYTES, Handler, Route

log = structlog.get_logger(__name__)

CSRF_FIELD: Final = "csrf"


def guarded(route: Route) -> Handler:
    """The handler behind its guard. Refusals are web.HTTPException's."""
    if route.wants is None:
        return _open(route)
    return _api(route, route.wants) if route.is_api else _page(route, route.wants)


def _open(route: Route) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if request.method == "POST" and not same_origin(request):
            raise web.HTTPForbidden(text="This form was sent from a page of somebody else's.")
        return await route.handler(request)

    return handle


def _page(route: Route, wants: Role) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        # A page that refreshes itself is no sign that somebody is there.
        by_itself = request.headers.get("X-Sluice-Refresh") == "1"
        who = await request.app[DOOR].by_session(request, used=not by_itself)
        if who is None:
            raise _to_login(request)
        request[WHO] = who
        if route.form_bytes != FORM_BYTES:
            request = request.clone(client_max_size=route.form_bytes)
        if request.method == "POST":
            await _own_form(request, who)
        if not who.role.allows(wants):
            raise web.HTTPForbidden(
                text=f"This needs the role {wants.value}; you, {who.name}, are {who.role.value}."
            )
        return await route.handler(request)

    return handle


def _api(route: Route, wants: Role) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        who = await request.app[DOOR].by_token(request)
        if who is None:
            raise await _no_token(request)
        request[WHO] = who
        if route.form_bytes != FORM_BYTES:
            request = request.clone(client_max_size=route.form_bytes)
        if not who.role.allows(wants):
            raise web.HTTPForbidden(
                text=f"This needs the role {wants.value}; {who.name} is {who.role.value}."
            )
        return await route.handler(request)

    return handle


async def _no_token(request: web.Request) -> web.HTTPException:
    """What is said to who has no good token; who goes on guessing is told to wait."""
    console, origin = request.app[CONSOLE], address_of(request)
    if "Authorization" in request.headers:
        if wait := await console.limits.token_refused(origin):
            return web.HTTPTooManyRequests(
                text=f"Too many tokens that are none. Try again in {max(1, round(wait / 60))} min.",
                headers={"Retry-After": str(int(wait) + 1)},
            )
        log.warning("console.token_refused", address=origin)
        if await console.limits.worth_noting():
            await console.audit.record("", "token.refused", origin=origin)
    return web.HTTPUnauthorized(
        text="Send a token of `sluice users token add`, one that is not over or revoked: "
        "Authorization: Bearer sluice_...",
        headers={"WWW-Authenticate": 'Bearer realm="sluice"'},
    )


async def _own_form(request: web.Request, who: Who) -> None:
    """Raises HTTPForbidden unless the form came from a page of this session."""
    given = str((await read_form(request)).get(CSRF_FIELD, ""))
    if not same_origin(request) or not equal(given, who.csrf):
        raise web.HTTPForbidden(
            text="This form is not of this session: load its page again, then send it once more."
        )


def _to_login(request: web.Request) -> web.HTTPException:
    back = request.path_qs if request.method == "GET" else "/"
    address = "/login" if back == "/" else f"/login?next={quote(back, safe='')}"
    if request.headers.get("HX-Request") == "true":
        # htmx would put the log-in into a panel; this makes it the page.
        return web.HTTPUnauthorized(text="Log in again.", headers={"HX-Redirect": address})
    return web.HTTPSeeOther(address)
