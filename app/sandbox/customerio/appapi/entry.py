"""What every call to the App API goes through: faults on demand, the key, the limit, the log.

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
from app.sandbox.control.rule import Rule
from app.sandbox.customerio.appapi.calls import Call
from app.sandbox.customerio.appapi.webhook import Malformed
from app.sandbox.customerio.state import CUSTOMERIO, CustomerIo
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

    def admit(request: web.Request, call: Call, body: bytes) -> web.Response:
        customerio = request.app[CUSTOMERIO]
        given = request.headers.get("Authorization", "")
        key = given.removeprefix(_BEARER)
        workspace = customerio.workspaces.behind(key, region)
        if workspace is None or not given.startswith(_BEARER):
            return problem(401, "unauthorized")
        call.workspace = workspace.config.name
        if not customerio.workspaces.may_call(key):
            return web.Response(status=429)
        try:
            return handler(request, workspace, body)
        except Malformed as fault:
            return problem(400, str(fault))

    return _logged(admit)


def without_key(handler: Callable[[web.Request], web.Response]) -> Plain:
    return _logged(lambda request, _call, _body: handler(request))


def _logged(admit: Callable[[web.Request, Call, bytes], web.Response]) -> Plain:
    async def enter(request: web.Request) -> web.StreamResponse:
        customerio = request.app[CUSTOMERIO]
        body = await request.read()
        call = customerio.calls.begin(customerio.clock(), request.method, request.path_qs, body)
        answered = await _under_faults(customerio, lambda: admit(request, call, body))
        if answered is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        call.status = answered.status
        return answered

    return enter


async def _under_faults(
    customerio: CustomerIo, act: Callable[[], web.Response]
) -> web.Response | None:
    """The answer of `act`, or what a rule makes of it; None: the connection is to be cut."""
    hit = customerio.faults.meet("app_api", None)
    await asyncio.sleep(hit.latency_s)
    if hit.active is None:
        return act()
    rule = hit.active.rule
    if rule.hang:
        await customerio.faults.hang(hit.active)
        return None
    if rule.cut == "before":
        return None
    if rule.status is not None or rule.blocked:
        return _refusal(rule)
    answered = act()
    if rule.cut == "after":
        return None
    return web.Response(status=answered.status, body=_WRONG, content_type="application/json")


def _refusal(rule: Rule) -> web.Response:
    status = 403 if rule.status is None else rule.status
    headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
    return web.Response(status=status, headers=headers)
