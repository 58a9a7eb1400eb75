"""Lanes: what each does, and, for operators, holding one back or letting it go."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import orjson
from aiohttp import web

from app.core.errors import ConfigError
from app.core.moments import span_ms
from app.store.documents import lane_document
from app.store.lanes import OPERATOR, Lanes
from app.web.console import look
from app.web.console.config import CONSOLE, Console
from app.web.console.forms import read_form
from app.web.console.trail import note

# What a form offers; "" = until somebody lets it go.
SPANS: Final = (("10m", "10 minutes"), ("1h", "1 hour"), ("8h", "8 hours"), ("", "until resumed"))

_REASON_MAX: Final = 200


async def page(request: web.Request) -> web.Response:
    """GET /lanes."""
    console = request.app[CONSOLE]
    panel = await console.panels.show("lanes", lambda: _documents(console))
    return look.render(request, "lanes.html", {"panel": panel, "spans": SPANS})


async def document(request: web.Request) -> web.Response:
    """GET /api/lanes, the same as `sluice lanes --json`."""
    return look.json_response(await _documents(request.app[CONSOLE]))


async def pause(request: web.Request) -> web.StreamResponse:
    """POST /lanes/pause: connection, reason, for."""
    given = await read_form(request)
    name = given.get("connection", "")
    await _pause(request, name, given.get("reason", ""), given.get("for", ""))
    return look.after(request, "/lanes", f"{name} is held back. Its events wait; none is lost.")


async def resume(request: web.Request) -> web.StreamResponse:
    """POST /lanes/resume: connection."""
    name = (await read_form(request)).get("connection", "")
    held = await _resume(request, name)
    return look.after(request, "/lanes", f"{name} is open." if held else f"{name} was not held.")


async def pause_document(request: web.Request) -> web.Response:
    """POST /api/lanes/{name}/pause, with {"reason": text, "for": "10m"}."""
    try:
        given = orjson.loads(await request.read())
        reason, span = given["reason"], given.get("for", "")
        if not isinstance(reason, str) or not isinstance(span, str):
            raise TypeError
    except (ValueError, TypeError, KeyError, AttributeError):
        raise web.HTTPBadRequest(text='Send {"reason": "why", "for": "10m"}.') from None
    name = request.match_info["name"]
    seconds = await _pause(request, name, reason, span)
    return look.json_response({"connection": name, "paused": True, "seconds": seconds})


async def resume_document(request: web.Request) -> web.Response:
    """POST /api/lanes/{name}/resume."""
    name = request.match_info["name"]
    return look.json_response({"connection": name, "resumed": await _resume(request, name)})


async def _pause(request: web.Request, name: str, reason: str, span: str) -> float | None:
    console = request.app[CONSOLE]
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= _REASON_MAX:
        raise web.HTTPBadRequest(
            text=f"Say why, in 1 to {_REASON_MAX} characters: others will wonder."
        )
    try:
        seconds = span_ms(span) / 1000 if span else None
    except ValueError as fault:
        raise web.HTTPBadRequest(text=f"{fault}.") from None
    await _must_be_known(console, name)
    # First the trail: what was done is in it, whatever happens next.
    await note(request, "lanes.pause", name, reason=reason, seconds=seconds)
    await Lanes(console.redis).pause(name, f"{OPERATOR}:{reason}", seconds, by_operator=True)
    return seconds


async def _resume(request: web.Request, name: str) -> bool:
    console = request.app[CONSOLE]
    await _must_be_known(console, name)
    await note(request, "lanes.resume", name)
    return await Lanes(console.redis).open(name)


async def _must_be_known(console: Console, name: str) -> None:
    known = await console.lane_views.known() | (await _limits(console)).keys()
    if name not in known:
        raise web.HTTPNotFound(text="There is no such connection.")


async def _documents(console: Console) -> list[dict[str, Any]]:
    limits = await _limits(console)
    views = console.lane_views
    found = await views.look(limits.keys() | await views.known())
    return [lane_document(view, limits.get(view.connection)) for view in found]


async def _limits(console: Console) -> dict[str, float]:
    """Messages/s by connection; none when the configuration is broken, for a lane must be found in
    the worst of times."""
    try:
        known = await asyncio.to_thread(console.configuration)
    except ConfigError:
        return {}
    return {name: each.limits.messages_per_second for name, each in known.connections.items()}
