"""Dead letters, moved: whole, as lines of NDJSON, a page at a time."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from app.core.dead_letter import DeadLetter, decode_line
from app.core.errors import UnreadableFrame
from app.store.dead_letters.exchange import BATCH, why_not
from app.web.console import look
from app.web.console.api.asked import (
    body_of,
    here,
    may_name,
    number_in,
    text_in,
    wanted_in,
    wrong,
)
from app.web.console.trail import note

# A letter's body has a megabyte at most; its record, attempts and escapes come on top.
IMPORT_BYTES: Final = 32_000_000


async def export(request: web.Request) -> web.Response:
    """POST dead-letters/export: {"wanted": {...}, "up_to": N, "cursor": ""}. What goes on, and what
    could not be read, is said in headers."""
    given = await body_of(request)
    wanted, letters = wanted_in(given), here(request).letters
    await may_name(request, wanted)
    up_to = number_in(given, "up_to", 0) or await letters.last_number()
    try:
        page = await letters.export_page(wanted, up_to, text_in(given, "cursor"))
    except ValueError:
        raise wrong("cursor: this is no place in the list.") from None
    if page.lines:
        # Before any of them leaves.
        await note(request, "dead-letters.exported", letters=len(page.lines))
    headers = {"Sluice-Up-To": str(up_to), "Sluice-Unread": str(page.unread)}
    if page.cursor is not None:
        headers["Sluice-Cursor"] = page.cursor
    return web.Response(
        body=b"".join(page.lines), content_type="application/x-ndjson", headers=headers
    )


async def import_(request: web.Request) -> web.Response:
    """POST dead-letters/import: lines of an export. All of them can be read, or none is taken; with
    ?dry=1 none is in any case."""
    letters = [_read(at, line) for at, line in enumerate((await request.read()).splitlines(), 1)]
    batches = [letters[at : at + BATCH] for at in range(0, len(letters), BATCH)]
    dry = request.query.get("dry") == "1"
    taken = sum([each async for each in here(request).letters.take_in(batches, dry=dry)])
    done = "would_import" if dry else "imported"
    return look.json_response({done: taken, "already_there": len(letters) - taken})


def _read(at: int, line: bytes) -> DeadLetter:
    try:
        letter = decode_line(line)
        if fault := why_not(letter):
            raise UnreadableFrame(fault)
    except UnreadableFrame as fault:
        raise wrong(f"line {at}: {fault}.", 422) from None
    return letter
