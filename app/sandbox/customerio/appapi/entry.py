"""What every call to the App API goes through: the log, faults on demand, the key, the limit.

customerio.md section 10: a bearer key scoped to a workspace and a region; above 10 requests a
second 429 without body and without Retry-After. Error bodies are not documented: these are ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import orjson
from aiohttp import web

from app.sandbox.config import Region
from app.sandbox.control.befall import Plain
from app.sandbox.control.calls import logged
from app.sandbox.control.rule import Rule
from app.sandbox.customerio.appapi.webhook import Malformed
from app.sandbox.customerio.state import CUSTOMERIO
from app.sandbox.customerio.workspace import LiveWorkspace

Shown = Callable[[web.Request, LiveWorkspace, bytes], web.Response]
_BEARER: Final = "Bearer "
_WRONG: Final = b'{"reporting_webhooks": [{"id": <html>\xff upstream'


def answer(body: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")


def problem(status: int, text: str) -> web.Response:
    return answer({"meta": {"error": text}}, status)


def with_key(region: Region, handler: Shown) -> Plain:
    """`handler`, for whom a key of `region` opens a workspace; any other caller gets 401."""

    def admit(request: web.Request, body: bytes) -> web.Response:
        workspaces = request.app[CUSTOMERIO].workspaces
        given = request.headers.get("Authorization", "")
        key = given.removeprefix(_BEARER)
        workspace = workspaces.behind(key, region)
        if workspace is None or not given.startswith(_BEARER):
            return problem(401, "unauthorized")
        if not workspaces.may_call(key):
            return web.Response(status=429)
        try:
            return handler(request, workspace, body)
        except Malformed as fault:
            return problem(400, str(fault))

    return _under_faults(admit)


def without_key(handler: Callable[[web.Request], web.Response]) -> Plain:
    return _under_faults(lambda request, _body: handler(request))


def _under_faults(admit: Callable[[web.Request, bytes], web.Response]) -> Plain:
    """`admit`, in the log, and with the rules of scope app_api applied before or after it."""

    async def befallen(request: web.Request) -> web.StreamResponse:
        faults = request.app[CUSTOMERIO].faults
        body = await request.read()
        hit = faults.meet("app_api", None, request.method, request.rel_url.raw_path)
        await asyncio.sleep(hit.latency_s)
        if hit.active is None:
            return admit(request, body)
        if hit.active.rule.hang:
            await faults.hang(hit.active)
            return _cut(request)
        return _befall(request, hit.active.rule, lambda: admit(request, body))

    return logged(befallen)


def _befall(request: web.Request, rule: Rule, act: Callable[[], web.Response]) -> web.Response:
    if rule.cut == "before":
        return _cut(request)
    if rule.blocked:
        return web.Response(status=403)
    if rule.status is not None:
        if rule.acted:
            act()
        headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
        return web.Response(status=rule.status, headers=headers)
    answered = act()
    if rule.cut == "after":
        return _cut(request)
    return web.Response(status=answered.status, body=_WRONG, content_type="application/json")


def _cut(request: web.Request) -> web.Response:
    """End the connection without an answer; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
