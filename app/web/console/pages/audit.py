"""Who did what, when, and from where."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from app.core.moments import moment
from app.store.audit import PAGE, Entry
from app.web.console import look
from app.web.console.config import CONSOLE


async def page(request: web.Request) -> web.Response:
    """GET /audit?before=ID: the newest first."""
    console, before = request.app[CONSOLE], request.query.get("before", "")
    panel = await console.panels.show(("audit", before), lambda: _read(request))
    return look.render(request, "audit.html", {"panel": panel, "page_size": PAGE, "before": before})


async def document(request: web.Request) -> web.Response:
    """GET /api/audit?before=ID."""
    entries = await _read(request)
    return look.json_response([{**asdict(each), "at": moment(each.at_ms)} for each in entries])


async def _read(request: web.Request) -> list[Entry]:
    try:
        return await request.app[CONSOLE].audit.read(request.query.get("before", ""))
    except ValueError as fault:
        raise web.HTTPBadRequest(text=f"{fault}.") from None
