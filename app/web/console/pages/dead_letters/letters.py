"""Dead letters as a list, the newest first."""

from __future__ import annotations

import time
from collections.abc import Mapping
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
    PERSONAL,
    address_of,
    asked_in,
    filter_of,
    given_by,
    is_personal,
    moved,
)

SHOWN: Final = 50
# Fields that are always there; the others lie behind a word.
_FIRST: Final = 5
# No index helps with bodies: each is read.
_SEARCH_SECONDS: Final = 3.0


class Listed(NamedTuple):
    """A page of letters, and the next's cursor. `looked`: bodies that were searched."""

    letters: list[DeadLetterSummary]
    cursor: str | None
    looked: int = 0


async def page(request: web.Request) -> web.Response:
    """GET /dead-letters/list?connection=&failure=&code=&kind=&...&before=CURSOR; POST the same as
    a form, with person and body."""
    given = await given_by(request)
    if onward := moved(request, given):
        return onward
    asked, body = asked_in(given), given.get("body", "")
    operator, personal = request[WHO].role.allows(Role.OPERATOR), is_personal(given)
    key = ("dead-letters", given.get("before", ""), *asked.values())
    panel = await request.app[CONSOLE].panels.show(
        key, lambda: _page(request, given), keep=not personal
    )
    found = panel.data or Listed([], None)
    context = {
        "panel": panel,
        "letters": found.letters,
        "looked": found.looked,
        "asked": asked,
        "body": body,
        "personal": personal,
        "first": _FIRST,
        "fields": [each for each in FIELDS.items() if operator or each[0] not in PERSONAL],
        "more_asked": any(asked[name] for name in list(FIELDS)[_FIRST:]),
        "older": found.cursor,
    }
    response = look.render(request, "letters.html", context)
    return look.pushed(request, response, address_of(request.path, given, "before"))


async def document(request: web.Request) -> web.Response:
    """GET /api/dead-letters, the letters of `sluice dead-letters list --json`, and the cursor."""
    letters, cursor, _ = await _page(request, await given_by(request))
    return look.json_response({"letters": [asdict(each) for each in letters], "cursor": cursor})


async def _page(request: web.Request, given: Mapping[str, str]) -> Listed:
    wanted = filter_of(asked_in(given))
    letters = DeadLetters(request.app[CONSOLE].redis)
    body, before = given.get("body", ""), given.get("before", "")
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
