"""Dead letters: a plain list, and one of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from aiohttp import web

from app.core.dead_letter import DeadLetter, DeadLetterSummary
from app.store.dead_letters import DeadLetters, Filter
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.trail import note

SHOWN: Final = 50

_FILTERS: Final = ("connection", "failure", "code", "kind")


async def page(request: web.Request) -> web.Response:
    """GET /dead-letters?connection=&failure=&code=&kind=."""
    console = request.app[CONSOLE]
    asked = {name: request.query.get(name, "").strip() for name in _FILTERS}
    key = ("dead-letters", *asked.values())
    panel = await console.panels.show(key, lambda: _list(request))
    return look.render(
        request, "dead_letters.html", {"panel": panel, "asked": asked, "shown": SHOWN}
    )


async def document(request: web.Request) -> web.Response:
    """GET /api/dead-letters, the same as `sluice dead-letters list --json`."""
    return look.json_response([asdict(each) for each in (await _list(request))[:SHOWN]])


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
        }
    )


async def _list(request: web.Request) -> list[DeadLetterSummary]:
    """One more than is shown tells whether there are more."""
    connection, failure, code, kind = (
        request.query.get(name, "").strip() or None for name in _FILTERS
    )
    wanted = Filter(connection=connection, failure=failure, code=code, kind=kind)
    found: list[DeadLetterSummary] = []
    async for letter in DeadLetters(request.app[CONSOLE].redis).find(wanted):
        found.append(letter)
        if len(found) > SHOWN:
            break
    return found


async def _one(request: web.Request, number: int) -> DeadLetter | None:
    console = request.app[CONSOLE]
    found = await DeadLetters(console.redis).get([number])
    if not found:
        return None
    await note(request, "dead-letters.open", str(number))
    return found[0]


def _number(request: web.Request) -> int:
    text = request.match_info["number"]
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise web.HTTPNotFound(text="There is no such dead letter.")
    return int(text)
