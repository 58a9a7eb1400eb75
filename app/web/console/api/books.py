"""Ledger, lanes, one event, the audit trail."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Final

from aiohttp import web

from app.core.event import EVENT_ID_MAX_CHARS
from app.core.moments import span_ms
from app.web.console import look
from app.web.console.api.asked import (
    body_of,
    here,
    limit_in,
    number_in,
    rate_in,
    text_in,
    wrong,
)

_REASON_MAX: Final = 200
_PLACE: Final = re.compile(r"\d{1,18}-\d{1,18}", re.ASCII)
_YEAR: Final = 366 * 86_400.0


async def ledger(request: web.Request) -> web.Response:
    """GET ledger?hours=1&connection=NAME."""
    connection = text_in(request.query, "connection") or None
    hours = request.query.get("hours") == "1"
    return look.json_response(await here(request).books.ledger(hours, connection))


async def lanes(request: web.Request) -> web.Response:
    """GET lanes."""
    return look.json_response({"lanes": await here(request).books.lanes()})


async def pause(request: web.Request) -> web.Response:
    """POST lanes/{name}/pause: {"reason": text, "for": "10m" or "seconds": 600}."""
    given, name = await body_of(request), request.match_info["name"]
    reason = " ".join(text_in(given, "reason", _REASON_MAX).split())
    if not reason:
        raise wrong("reason: say why, others will wonder.")
    seconds = rate_in(given, "seconds", 1, _YEAR)
    try:
        span = text_in(given, "for")
        seconds = span_ms(span) / 1000 if span else seconds
    except ValueError as fault:
        raise wrong(f"for: {fault}.") from None
    await _known(request, name)
    await here(request).books.pause_lane(name, reason, seconds)
    return look.json_response({"connection": name, "paused": True, "seconds": seconds})


async def resume(request: web.Request) -> web.Response:
    """POST lanes/{name}/resume."""
    name = request.match_info["name"]
    await _known(request, name)
    held = await here(request).books.resume_lane(name)
    return look.json_response({"connection": name, "resumed": held})


async def event(request: web.Request) -> web.Response:
    """GET events/{event_id}?connection=&timestamp=: what is known of it, by connection."""
    event_id, given = request.match_info["event_id"], request.query
    if len(event_id) > EVENT_ID_MAX_CHARS:
        raise wrong(f"An event id has at most {EVENT_ID_MAX_CHARS} characters.")
    connection = text_in(given, "connection") or None
    found = await here(request).books.trace(event_id, connection, number_in(given, "timestamp", 0))
    return look.json_response({"connections": found})


async def audit(request: web.Request) -> web.Response:
    """GET audit?cursor=&limit=."""
    cursor = text_in(request.query, "cursor")
    if cursor and not _PLACE.fullmatch(cursor):
        raise wrong("cursor: this is no entry of the audit trail.")
    entries, more = await here(request).books.audit(cursor, limit_in(request.query))
    return look.json_response({"entries": [asdict(each) for each in entries], "cursor": more})


async def _known(request: web.Request, name: str) -> None:
    if name not in await here(request).books.lane_names():
        raise wrong("There is no such connection.", 404)
