"""Exporting dead letters: whole, with bodies and personal data, as a file of NDJSON.

A line is JSON, so nothing in it is a tag, a formula or another line, whatever an event holds.
"""

from __future__ import annotations

from typing import Final

import orjson
from aiohttp import web

from app.core.errors import StoreUnavailable
from app.store.dead_letters import DeadLetters
from app.store.dead_letters.exchange import export as exported
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.forms import read_form
from app.web.console.pages.dead_letters.asked import asked_in, chosen_by, filter_of
from app.web.console.pages.dead_letters.discarding import form_of
from app.web.console.panels import explain
from app.web.console.trail import note

# So many are counted before the file is made; there may be more in it.
COUNTED: Final = 50_000


async def export(request: web.Request) -> web.StreamResponse:
    """POST /dead-letters/export: the fields of a filter; with act=export, also up_to and expected.

    The first shows what is meant, the second sends it, as many as there are.
    """
    given = await read_form(request)
    chosen = await chosen_by(request, given, COUNTED)
    count, more = len(chosen.letters), chosen.more
    if given.get("act") != "export":
        context = {**form_of(chosen, given), "count": count, "fault": ""}
        return look.render(request, "export.html", context)
    if given.get("expected", "") != str(count) or not count:
        fault = "Some were replayed or discarded meanwhile: look at what is meant now."
        context = {**form_of(chosen, given), "count": count, "fault": fault}
        return look.render(request, "export.html", context, status=409)
    # The trail first: whether the browser keeps the file is not ours to know.
    await note(request, "dead-letters.exported", letters=count, more=more or None)
    return await _send(request, given, chosen.up_to)


async def _send(request: web.Request, given: dict[str, str], up_to: int) -> web.StreamResponse:
    letters = DeadLetters(request.app[CONSOLE].redis)
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/x-ndjson; charset=utf-8",
            "Content-Disposition": f'attachment; filename="dead-letters-{up_to}.ndjson"',
        }
    )
    await response.prepare(request)
    unread: list[int] = []
    try:
        async for part in exported(letters, filter_of(asked_in(given)), up_to):
            unread += part.unread
            await response.write(b"".join(part.lines))
    except StoreUnavailable as fault:
        # The answer has begun: the browser must see that it is not whole.
        explain(fault)
        if request.transport is not None:
            request.transport.abort()
        return response
    if unread:
        # No letter, so that nobody takes the file for whole: `import` refuses the line.
        await response.write(orjson.dumps({"unread": unread}) + b"\n")
    await response.write_eof()
    return response
