"""Importing dead letters that an export wrote: a file is looked through first, then taken in."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

from aiohttp import web

from app.store.dead_letters.exchange import Intake, Refused, Taken, take_in
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.door import WHO
from app.web.console.forms import read_form
from app.web.console.trail import note
from app.web.console.uploads import UPLOADS, Upload, copied

# A larger file is for `sluice dead-letters import`: a browser does not wait so long.
FILE_BYTES: Final = 32_000_000
FORM_BYTES: Final = FILE_BYTES + 100_000
_SHOWN: Final = 20


class Looked(NamedTuple):
    """What is in a file, and the first lines that cannot be taken."""

    upload: Upload
    taken: Taken
    refused: list[Refused]


async def page(request: web.Request) -> web.Response:
    """GET /dead-letters/import."""
    return _form(request, None, "")


async def look_through(request: web.Request) -> web.Response:
    """POST /dead-letters/import: file. Takes nothing in; what it would take."""
    field = (await request.post()).get("file")
    if not isinstance(field, web.FileField) or not field.filename:
        return _form(request, None, "Choose a file that an export wrote.")
    try:
        copy = await asyncio.to_thread(copied, field.file)
    finally:
        field.file.close()
    kept = request.app[UPLOADS].keep(request[WHO].name, field.filename, copy)
    refused: list[Refused] = []
    taken = await take_in(
        Intake(request.app[CONSOLE].redis), kept.lines(), dry=True, refused=refused.append
    )
    return _form(request, Looked(kept, taken, refused[:_SHOWN]), "")


async def take(request: web.Request) -> web.StreamResponse:
    """POST /dead-letters/import/take: upload, expected. The letters get new numbers."""
    given, console = await read_form(request), request.app[CONSOLE]
    kept = request.app[UPLOADS].take(request[WHO].name, given.get("upload", ""))
    if kept is None:
        return _form(request, None, "The file is not kept any more: send it again.")
    with kept:
        intake = Intake(console.redis)
        found = await take_in(intake, kept.lines(), dry=True)
        if given.get("expected", "") != str(found.letters):
            fault = "Some were taken in by others meanwhile: send the file again."
            return _form(request, None, fault, status=409)
        await note(request, "dead-letters.imported", letters=found.letters)
        taken = await take_in(intake, kept.lines())
    said = f"{taken.letters:,} dead letters are taken in, {taken.there:,} were there already."
    return look.after(request, "/dead-letters", said)


def _form(
    request: web.Request, looked: Looked | None, fault: str, *, status: int = 0
) -> web.Response:
    context = {"looked": looked, "fault": fault, "most": FILE_BYTES}
    return look.render(request, "import.html", context, status=status or (422 if fault else 200))
