"""Dead letters: a plain list, and one of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from app.core.dead_letter import DeadLetter, DeadLetterSummary
from app.store.dead_letters import DeadLetters, Filter
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.trail import note

SHOWN: Final = 50

_FILTERS: Final = ("connection", "failure", "code", "kind", "fingerprint")


async def page(request: web.Request) -> web.Response:
    """GET /dead-letters?connection=&failure=&code=&kind=&fingerprint=&before=CURSOR."""
    asked = {name: request.query.get(name, "").strip() for name in _FILTERS}
    before = request.query.get("before", "")
    key = ("dead-letters", before, *asked.values())
    panel = await request.app[CONSOLE].panels.show(key, lambda: _page(request))
    letters, cursor = panel.data or ([], None)
    older = urlencode({**{n: v for n, v in asked.items() if v}, "before": cursor or ""})
    context = {"panel": panel, "letters": letters, "asked": asked, "older": cursor and older}
    return look.render(request, "dead_letters.html", context)


async def document(request: web.Request) -> web.Response:
    """GET /api/dead-letters, the letters of `sluice dead-letters list --json`, and the cursor."""
    letters, cursor = await _page(request)
    return look.json_response({"letters": [asdict(each) for each in letters], "cursor": cursor})


async def one_page(request: web.Request) -> web.Response:
    """GET /dead-letters/{number}: it may hold personal data, so looking is written down."""
    console = request.app[CONSOLE]
    number = _number(request)
    panel = await console.panels.show(
        ("dead-letter", number), lambda: _one(request, number), keep=False
    )
    status = 404 if panel.data is None and not panel.fault else 200
    context = {"panel": panel, "number": number, "letter": panel.data}
    return look.render(request, "dead_letter.html", context, status=status)


async def one_document(request: web.Request) -> web.Response:
    """GET /api/dead-letters/{number}."""
    letter = await _one(request, _number(request))
    if letter is None:
        raise web.HTTPNotFound(text="There is no such dead letter.")
    return look.json_response(
        {
            **asdict(letter.summary),
            "attempts": [run._asdict() for run in letter.history],
            "body": letter.body,
            "record": letter.record,
            "edit": letter.edit and letter.edit.patch,
            "missing": letter.missing,
        }
    )


async def _page(request: web.Request) -> tuple[list[DeadLetterSummary], str | None]:
    connection, failure, code, kind, fingerprint = (
        request.query.get(name, "").strip() or None for name in _FILTERS
    )
    wanted = Filter(
        connection=connection, failure=failure, code=code, kind=kind, fingerprint=fingerprint
    )
    letters = DeadLetters(request.app[CONSOLE].redis)
    try:
        return await letters.whole_page(wanted, request.query.get("before", ""), SHOWN)
    except ValueError:
        raise web.HTTPBadRequest(text="This is no place in the list.") from None


async def _one(request: web.Request, number: int) -> DeadLetter | None:
    console = request.app[CONSOLE]
    found = await DeadLetters(console.redis).look([number])
    if not found:
        return None
    await note(request, "dead-letters.open", str(number))
    return found[0]


def _number(request: web.Request) -> int:
    text = request.match_info["number"]
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise web.HTTPNotFound(text="There is no such dead letter.")
    return int(text)
