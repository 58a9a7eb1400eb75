"""Saying something of many causes at once: known, resolved, open again, a note."""

from __future__ import annotations

import time
from typing import Any, Final

from aiohttp import web

from app.store.dead_letters.discarding import NAMED
from app.store.dead_letters.groups import NOTE_MAX, Group, Groups
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.door import WHO
from app.web.console.forms import read_form
from app.web.console.pages.dead_letters.asked import mark_in
from app.web.console.pages.dead_letters.cause import TURNS
from app.web.console.pages.dead_letters.causes import causes_like
from app.web.console.trail import note

MOST: Final = 500


async def mark(request: web.Request) -> web.StreamResponse:
    """POST /dead-letters/mark: the fields of the causes' filter; with act=mark, instead of them
    marks (fingerprints), expected, turn and note. The first shows which are meant."""
    given = await read_form(request)
    if given.get("act") != "mark":
        found = await causes_like(request, given, MOST)
        return _form(request, found.groups, bool(found.cursor))
    marks = [mark_in(each) for each in given.get("marks", "").split()][:MOST]
    groups = await Groups(request.app[CONSOLE].redis).get(marks)
    turn, text = given.get("turn", ""), given.get("note", "").replace("\r\n", "\n").strip()
    if turn not in ("", *TURNS) or len(text) > NOTE_MAX or not (turn or text):
        why = f"Say what is so, or write a note of at most {NOTE_MAX:,} characters."
        return _form(request, groups, False, why, text)
    if not groups or given.get("expected", "") != str(len(groups)):
        why = f"{len(groups):,} of them are left: look at which, and send it again."
        return _form(request, groups, False, why, text, status=409)
    return await _mark(request, [group.fingerprint for group in groups], turn, text)


async def _mark(request: web.Request, marks: list[str], turn: str, text: str) -> web.StreamResponse:
    store, who = Groups(request.app[CONSOLE].redis), request[WHO].name
    now_ms, said = time.time_ns() // 1_000_000, []
    about: dict[str, Any] = {"causes": len(marks), "groups": marks[:NAMED]}
    if turn:
        await note(request, f"dead-letters.{TURNS[turn].value}", **about)
        await store.mark_all(marks, TURNS[turn], who, now_ms)
        said.append(TURNS[turn].value)
    if text:
        await note(request, "dead-letters.note", **about)
        await store.note_all(marks, text, who, now_ms)
        said.append("noted")
    words = "1 cause is" if len(marks) == 1 else f"{len(marks):,} causes are"
    return look.after(request, "/dead-letters", f"{words} {' and '.join(said)}.")


def _form(
    request: web.Request,
    groups: list[Group],
    more: bool,
    fault: str = "",
    text: str = "",
    *,
    status: int = 0,
) -> web.Response:
    context = {
        "groups": groups,
        "letters": sum(group.live for group in groups),
        "more": more,
        "most": MOST,
        "fault": fault,
        "text": text,
        "note_max": NOTE_MAX,
        "turns": list(TURNS),
    }
    return look.render(request, "mark.html", context, status=status or (422 if fault else 200))
