"""Dead letters as a list, the newest first."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from aiohttp import web

from app.core.dead_letter import DeadLetterSummary
from app.store.dead_letters import DeadLetters
from app.store.users import Role
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.door import WHO
from app.web.console.pages.dead_letters.asked import (
    FIELDS,
    asked_in,
    filter_of,
    may_ask,
    query_of,
)

SHOWN: Final = 50


async def page(request: web.Request) -> web.Response:
    """GET /dead-letters/list?connection=&failure=&code=&kind=&...&before=CURSOR."""
    asked, before = asked_in(request.query), request.query.get("before", "")
    await may_ask(request, asked)
    key = ("dead-letters", before, *asked.values())
    panel = await request.app[CONSOLE].panels.show(
        key, lambda: _page(request), keep=not asked["person"]
    )
    letters, cursor = panel.data or ([], None)
    shown = [
        each
        for each in FIELDS.items()
        if each[0] != "person" or request[WHO].role.allows(Role.OPERATOR)
    ]
    context = {
        "panel": panel,
        "letters": letters,
        "asked": asked,
        "fields": shown,
        "query": query_of(asked),
        "older": cursor and query_of(asked, before=cursor),
    }
    return look.render(request, "letters.html", context)


async def document(request: web.Request) -> web.Response:
    """GET /api/dead-letters, the letters of `sluice dead-letters list --json`, and the cursor."""
    await may_ask(request, asked_in(request.query))
    letters, cursor = await _page(request)
    return look.json_response({"letters": [asdict(each) for each in letters], "cursor": cursor})


async def _page(request: web.Request) -> tuple[list[DeadLetterSummary], str | None]:
    wanted = filter_of(asked_in(request.query))
    letters = DeadLetters(request.app[CONSOLE].redis)
    try:
        return await letters.whole_page(wanted, request.query.get("before", ""), SHOWN)
    except ValueError:
        raise web.HTTPBadRequest(text="This is no place in the list.") from None
