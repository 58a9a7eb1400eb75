"""Faults carried out: a handler of the vendor's side wrapped in the rules now in force."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from app.sandbox.control.faults import Hit
from app.sandbox.control.rule import CONTROL, Rule, Side
from app.sandbox.gateway.errors import on_demand
from app.sandbox.platform.answers import Refusal, problem
from app.sandbox.state import SANDBOX

# The hit is for what a handler itself has to heed: partial answers and expired tokens.
Handler = Callable[[web.Request, Hit], Awaitable[web.StreamResponse]]
Plain = Callable[[web.Request], Awaitable[web.StreamResponse]]

_GARBAGE: Final = b'{"inletId": "<html>\xff\xfe upstream'


def under_faults(side: Side, handler: Handler) -> Plain:
    """`handler`, with the rules of `side` applied before or after it."""

    async def befallen(request: web.Request) -> web.StreamResponse:
        faults = request.app[SANDBOX].faults
        inlet_id = request.match_info.get("inlet")
        hit = faults.meet(side, inlet_id, request.method, request.rel_url.raw_path)
        if hit.latency_s:
            await asyncio.sleep(hit.latency_s)
        if hit.active is None:
            return await handler(request, hit)
        if hit.active.rule.hang:
            await faults.hang(hit.active)
            return _cut(request)
        if side in CONTROL:
            return await _befall_control(request, hit, hit.active.rule, handler, side)
        return await _befall(request, hit, hit.active.rule, handler)

    return befallen


async def _befall(
    request: web.Request, hit: Hit, rule: Rule, handler: Handler
) -> web.StreamResponse:
    if rule.status is not None:
        await request.read()
        headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
        refusal = Refusal(rule.status, "fault on demand", title="Fault on demand")
        return web.json_response(problem(refusal), status=rule.status, headers=headers)
    if rule.blocked:
        await request.read()
        return web.Response(status=403)
    if rule.cut == "before":
        return _cut(request)
    answer = await handler(request, hit)
    if rule.cut == "after":
        return _cut(request)
    if rule.garbage:
        return web.Response(status=answer.status, body=_GARBAGE, content_type="application/json")
    return answer


async def _befall_control(
    request: web.Request, hit: Hit, rule: Rule, handler: Handler, side: Side
) -> web.StreamResponse:
    """Calls to the gateway. What only reads need not happen before its answer is lost."""
    changes = request.method not in ("GET", "HEAD")
    if rule.blocked:
        return web.Response(status=403)
    if rule.cut == "before":
        return _cut(request)
    if changes and (rule.cut or rule.garbage or rule.acted):
        await handler(request, hit)
    if rule.status is not None:
        headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
        return on_demand(request, side, rule.status, rule.error_code, headers)
    if rule.cut is not None:
        return _cut(request)
    if rule.garbage:
        return web.Response(body=_GARBAGE, content_type="application/json")
    return await handler(request, hit)


def _cut(request: web.Request) -> web.StreamResponse:
    """End the connection without an answer; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
