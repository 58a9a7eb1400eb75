"""Who did what, when, and from where."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from app.core.moments import moment
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.trail import page_before


async def page(request: web.Request) -> web.Response:
    """GET /audit?before=CURSOR: the newest first."""
    before = request.query.get("before", "")
    panel = await request.app[CONSOLE].panels.show(("audit", before), lambda: page_before(request))
    entries, cursor = panel.data or ([], None)
    context = {"panel": panel, "entries": entries, "cursor": cursor, "before": before}
    return look.render(request, "audit.html", context)


async def document(request: web.Request) -> web.Response:
    """GET /api/audit?before=CURSOR."""
    entries, cursor = await page_before(request)
    told = [{**asdict(each), "at": moment(each.at_ms)} for each in entries]
    return look.json_response({"entries": told, "cursor": cursor})
