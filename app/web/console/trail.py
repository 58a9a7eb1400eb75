"""Acts of the console in the audit trail: written down first, then done."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from app.store.audit import Entry
from app.web.console.config import CONSOLE
from app.web.console.door import WHO

PAGE: Final = 50

_CURSOR: Final = re.compile(r"\d{1,18}-\d{1,18}", re.ASCII)


async def note(request: web.Request, what: str, on: str = "", **about: object) -> None:
    """Who is logged in does `what`. `on`: to what. Raises StoreUnavailable."""
    who = request[WHO]
    trail = request.app[CONSOLE].audit
    given = {"on": on, **about} if on else about
    await trail.record(who.acting, what, **given, origin=who.origin)


async def page_before(request: web.Request) -> tuple[list[Entry], str | None]:
    """The entries before the cursor that was asked for, newest first, and the next cursor.

    Raises HTTPBadRequest for what is no cursor, and StoreUnavailable.
    """
    cursor = request.query.get("before", "")
    if cursor and not _CURSOR.fullmatch(cursor):
        raise web.HTTPBadRequest(text="This is no entry of the audit trail.")
    return await request.app[CONSOLE].audit.page(cursor, PAGE)
