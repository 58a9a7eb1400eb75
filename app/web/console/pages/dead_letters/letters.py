"""Dead letters as a list, the newest first."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Final, NamedTuple

from aiohttp import web

from app.core.dead_letter import DeadLetterSummary
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.searching import search_bodies
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
# No index helps with bodies: each is read.
_SEARCH_SECONDS: Final = 3.0


class Listed(NamedTuple):
    """A page of letters, and the next's cursor. `looked`: bodies that were searched."""

    letters: list[DeadLetterSummary]
    cursor: str | None
    looked: int = 0


async def page(request: web.Request) -> web.Response:
    """GET /dead-letters/list?connection=&failure=&code=&kind=&...&body=&before=CURSOR."""
    asked, before = asked_in(request.query), request.query.get("before", "")
    body, operator = request.query.get("body", ""), request[WHO].role.allows(Role.OPERATOR)
    await may_ask(request, asked, body)
    key = ("dead-letters", before, *asked.values())
    panel = await request.app[CONSOLE].panels.show(
        key, lambda: _page(request), keep=not (asked["person"] or body)
    )
    found = panel.data or Listed([], None)
    context = {
        "panel": panel,
        "letters": found.letters,
        "looked": found.looked,
        "asked": asked,
        "body": body,
        "fields": [each for each in FIELDS.items() if operator or each[0] != "person"],
        "query": query_of(asked),
        "older": found.cursor and query_of(asked, body=body, before=found.cursor),
    }
    return look.render(request, "letters.html", context)


async def document(request: web.Request) -> web.Response:
    """GET /api/dead-letters, the letters of `sluice dead-letters list --json`, and the cursor."""
    await may_ask(request, asked_in(request.query), request.query.get("body", ""))
    letters, cursor, _ = await _page(request)
    return look.json_response({"letters": [asdict(each) for each in letters], "cursor": cursor})


async def _page(request: web.Request) -> Listed:
    wanted = filter_of(asked_in(request.query))
    letters = DeadLetters(request.app[CONSOLE].redis)
    body, before = request.query.get("body", ""), request.query.get("before", "")
    try:
        if body:
            return await _search(letters, wanted, body, before)
        return Listed(*await letters.whole_page(wanted, before, SHOWN))
    except ValueError:
        raise web.HTTPBadRequest(text="This is no place in the list.") from None


async def _search(letters: DeadLetters, wanted: Filter, text: str, before: str) -> Listed:
    """As far as somebody waits for a page; the cursor goes on."""
    found, cursor, looked = list[DeadLetterSummary](), before or None, 0
    until = time.monotonic() + _SEARCH_SECONDS
    async for part in search_bodies(letters, wanted, text, before):
        found, cursor, looked = found + part.found, part.cursor, looked + part.looked
        if len(found) >= SHOWN or time.monotonic() > until:
            break
    return Listed(found, cursor, looked)
