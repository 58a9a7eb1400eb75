"""One dead letter, whole."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Final, NamedTuple

from aiohttp import web

from app.core.dead_letter import DeadLetter
from app.core.json_lines import Line, lines_of, place_of, sources_of
from app.core.masking import masked_json
from app.core.platform.problem import normalise
from app.store.dead_letters import DeadLetters
from app.store.users import Role
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.door import WHO
from app.web.console.pages.dead_letters.asked import number_in
from app.web.console.trail import note

# Lines of a body on a page; more are in the command's answer.
_LINES: Final = 2_000


class View(NamedTuple):
    """A letter as somebody may see it: `masked` = without what its values say."""

    letter: DeadLetter
    body: list[Line]
    record: list[Line]
    sent: list[Line]
    masked: bool
    more: int


async def page(request: web.Request) -> web.Response:
    """GET /dead-letters/{number}. What is in the event is somebody's personal data: operators see
    it, which is written down; viewers see how it is built."""
    console = request.app[CONSOLE]
    number = number_in(request.match_info["number"])
    panel = await console.panels.show(
        ("dead-letter", number), lambda: _view(request, number), keep=False
    )
    status = 404 if panel.data is None and not panel.fault else 200
    context = {"panel": panel, "number": number, "view": panel.data}
    return look.render(request, "letter.html", context, status=status)


async def document(request: web.Request) -> web.Response:
    """GET /api/dead-letters/{number}."""
    letter = await opened(request, number_in(request.match_info["number"]))
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


async def replay(request: web.Request) -> web.StreamResponse:
    """POST /dead-letters/{number}/replay: on the queue at once, as it is to be sent."""
    number = number_in(request.match_info["number"])
    letter = await look_at(request, number)
    if letter is None:
        raise web.HTTPNotFound(text="There is no such dead letter.")
    if letter.missing:
        raise web.HTTPConflict(text=f"Its body cannot be read here: {letter.missing}")
    await note(request, "dead-letters.replay", str(number), letters=1, numbers=[number])
    now_ms = time.time_ns() // 1_000_000
    if not await DeadLetters(request.app[CONSOLE].redis).replay([number], now_ms):
        raise web.HTTPConflict(text="Somebody else replayed or discarded it meanwhile.")
    mark = letter.summary.fingerprint
    back = f"/dead-letters/groups/{mark}" if mark else "/dead-letters"
    return look.after(request, back, f"Dead letter {number} is on the queue again.")


async def _view(request: web.Request, number: int) -> View | None:
    whole = request[WHO].role.allows(Role.OPERATOR)
    letter = await (opened(request, number) if whole else look_at(request, number))
    return view_of(letter, masked=not whole) if letter else None


def view_of(letter: DeadLetter, *, masked: bool) -> View:
    """The letter's lines, with what it died of marked: the XDM path in the record, and in the body
    what the mapping row reads."""
    shown: Callable[[bytes | None], bytes | None] = masked_json if masked else lambda each: each
    one = letter.summary
    at, read = [place_of(one.path)], sources_of(one.row)
    body = lines_of(shown(letter.body or None), read or at)
    record = lines_of(shown(letter.record), at)
    sent = lines_of(shown(letter.outgoing)) if letter.edit else []
    if masked:
        # Those texts may quote the event.
        one = replace(one, detail=normalise(one.detail))
        history = tuple(run._replace(message=normalise(run.message)) for run in letter.history)
        letter = replace(letter, summary=one, history=history)
    more = max(0, *(len(lines) - _LINES for lines in (body, record, sent)))
    return View(letter, body[:_LINES], record[:_LINES], sent[:_LINES], masked, more)


async def opened(request: web.Request, number: int) -> DeadLetter | None:
    """The letter; that somebody looks is written down. Raises StoreUnavailable."""
    found = await look_at(request, number)
    if found is not None:
        await note(request, "dead-letters.open", str(number))
    return found


async def look_at(request: web.Request, number: int) -> DeadLetter | None:
    """The letter, for an act or in part. Raises StoreUnavailable."""
    found = await DeadLetters(request.app[CONSOLE].redis).look([number])
    return found[0] if found else None
