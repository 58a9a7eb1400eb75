"""One connection: every object at both ends, the last test, its events, and what can be done."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from app.connect.destroying import KINDS
from app.settings import Connection
from app.web.console import look
from app.web.console.both_ends.wording import STANDING, masked, summary
from app.web.console.config import CONSOLE, Console
from app.web.console.pages.both_ends.rows import Row, name_in, row_of
from app.web.console.pages.connections import document_of

# A look that is quicker than this is on the page at once; a slower one comes to it by itself.
_PATIENCE_SECONDS: Final = 1.5

SECTION: Final = "/connections"


async def page(request: web.Request) -> web.Response:
    """GET /connections/{name}. `again`: what is remembered is not new enough."""
    console = request.app[CONSOLE]
    row, file = await _row(request)
    if row.has_setup:
        by_itself = request.headers.get("X-Sluice-Refresh") == "1"
        if "again" in request.query and not by_itself:
            console.both_ends.looks.stale(row.name)
        await console.both_ends.looks.wait(row.name, 0 if by_itself else _PATIENCE_SECONDS)
        row = await row_of(console, row.name, True, row.has_file)
    context = {
        "here": SECTION,
        "row": row,
        "standing": row.ends.data,
        "reading": console.live.reading,
        "marks": STANDING,
        "kinds": KINDS,
        "summary": summary(row.ends.data.plan) if row.ends.data else "",
        "masked": masked,
        "file": document_of(file) if file else None,
    }
    return look.render(request, "connection.html", context)


async def document(request: web.Request) -> web.Response:
    """GET /api/connections/{name}: how both ends stand; asks them."""
    console = request.app[CONSOLE]
    row, _ = await _row(request)
    if row.has_setup:
        await console.both_ends.looks.wait(row.name, 60)
        row = await row_of(console, row.name, True, row.has_file)
    return look.json_response(row.document())


async def _row(request: web.Request) -> tuple[Row, Connection | None]:
    console, name = request.app[CONSOLE], name_in(request)
    setups, file = await asyncio.to_thread(_files, console, name)
    if not setups and file is None:
        raise web.HTTPNotFound(text="There is no such connection.")
    return await row_of(console, name, setups, file is not None), file


def _files(console: Console, name: str) -> tuple[bool, Connection | None]:
    file = console.configuration().connections.get(name)
    return name in console.both_ends.names(), file
