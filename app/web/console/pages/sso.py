"""Logging in through an OpenID provider: there, and back."""

from __future__ import annotations

import secrets
import time
from typing import Final

import structlog
from aiohttp import web

from app.store.oidc_logins import SECONDS, OidcLogins, Pending
from app.store.users import User
from app.web.console import look
from app.web.console.config import CONSOLE, Console
from app.web.console.door import address_of, cookie_name, set_cookie
from app.web.console.forms import equal
from app.web.console.oidc.config import OidcRefused, ProviderUnavailable
from app.web.console.oidc.person import Person, person_of
from app.web.console.oidc.provider import Provider
from app.web.console.pages.login import next_of, show

log = structlog.get_logger(__name__)

# So that a log-in that was begun in one browser cannot be ended in another.
_COOKIE: Final = "sluice-oidc"


async def begin(request: web.Request) -> web.StreamResponse:
    """GET /login/oidc?next=: on to the provider."""
    console, origin = request.app[CONSOLE], address_of(request)
    provider, target = _provider(console), next_of(request.query.get("next", ""))
    if wait := await console.limits.begun(origin):
        text = f"Too many attempts. Try again in {max(1, round(wait / 60))} min."
        return show(request, target, text, 429)
    # RFC 7636 section 4.1 wants 43 to 128 characters of a verifier.
    state, nonce, verifier, browser = (secrets.token_urlsafe(32) for _ in range(4))
    try:
        address = await provider.address(state, nonce, verifier)
    except OidcRefused as refusal:
        return await _refused(request, target, refusal)
    await OidcLogins(console.redis).put(state, Pending(nonce, verifier, browser, target))
    response = look.to(address)
    set_cookie(response, console, _COOKIE, browser, max_age_seconds=SECONDS)
    return response


async def back(request: web.Request) -> web.StreamResponse:
    """GET /login/oidc/back?code=&state=: to where one wanted to go, with a session."""
    console, given = request.app[CONSOLE], request.query
    provider = _provider(console)
    # Gone with this, whatever comes of it.
    pending = await OidcLogins(console.redis).take(given.get("state", ""))
    if pending is None or not equal(request.cookies.get(_COOKIE, ""), pending.browser):
        refusal = OidcRefused("it was over, or not begun in this browser")
        return await _refused(request, "/", refusal)
    try:
        user = await _admitted(console, provider, request, pending)
    except OidcRefused as refusal:
        return await _refused(request, pending.target, refusal)
    await console.audit.record(user.name, "login", by="oidc", origin=address_of(request))
    before = request.cookies.get(cookie_name(console), "")
    response = look.to(pending.target)
    set_cookie(response, console, cookie_name(console), await console.sessions.open(user, before))
    response.del_cookie(_COOKIE, path="/")
    return response


async def _admitted(
    console: Console, provider: Provider, request: web.Request, pending: Pending
) -> User:
    given = request.query
    # RFC 9207: an answer that was meant for another provider.
    if given.get("iss", provider.config.issuer) != provider.config.issuer:
        raise OidcRefused("the answer is another provider's")
    if "error" in given or not given.get("code"):
        raise OidcRefused("the provider let nobody in")
    claims = await provider.claims(given["code"], pending.verifier, pending.nonce, time.time())
    person = person_of(claims, provider.config)
    if person.role is None:
        await _turn_away(console, person)
        raise OidcRefused("nothing that the provider says of you is a role here")
    try:
        user = await console.users.admit(person.name, person.role, person.sso)
    except ValueError:
        raise OidcRefused(
            f"what the claim {provider.config.name_claim} says cannot be a name here"
        ) from None
    if user is None:
        raise OidcRefused("the name is taken here by somebody else: a local user, or another of it")
    await console.tokens.revoke_above(user.name, user.role)
    return user


async def _turn_away(console: Console, person: Person) -> None:
    """Who was somebody here, and is not any more."""
    known = await console.users.get(person.name)
    if known is not None and known.sso == person.sso:
        await console.users.end_sessions(person.name)
        await console.tokens.revoke(person.name)


async def _refused(request: web.Request, target: str, refusal: OidcRefused) -> web.Response:
    console, origin = request.app[CONSOLE], address_of(request)
    log.warning("console.oidc_refused", address=origin, why=str(refusal))
    if await console.limits.worth_noting():
        await console.audit.record("", "login.refused", by="oidc", origin=origin)
    away = isinstance(refusal, ProviderUnavailable)
    text = f"Your log-in did not work: {refusal}."
    return show(request, target, text, 503 if away else 401)


def _provider(console: Console) -> Provider:
    if console.provider is None:
        raise web.HTTPNotFound(text="Nobody logs in here through a provider.")
    return console.provider
