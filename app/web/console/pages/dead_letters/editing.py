"""Editing a dead letter: what a replay is to send in place of its body, tried before it is kept."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Final, NamedTuple

import orjson
from aiohttp import web

from app.core.dead_letter import DeadLetter, Edit, edited
from app.core.errors import PatchInvalid
from app.core.json_diff import patch_between
from app.core.json_lines import Line, lines_of
from app.core.preview import Preview, PreviewError
from app.settings.trials import Trials
from app.store.dead_letters import DeadLetters
from app.web.console import look
from app.web.console.config import CONSOLE, Console
from app.web.console.door import WHO
from app.web.console.forms import read_form
from app.web.console.pages.dead_letters.asked import number_in
from app.web.console.pages.dead_letters.letter import look_at, opened
from app.web.console.trail import note

# Characters: a longer body is for `sluice dead-letters edit`.
TEXT_MAX: Final = 300_000


class Judged(NamedTuple):
    """What is said of an edit. `fault`: why it cannot be kept; `line`, `column`: where, from 1 on,
    0 = nowhere. `patch` None: it cannot be kept. `why`: why a replay would fail all the same."""

    fault: str = ""
    line: int = 0
    column: int = 0
    patch: bytes | None = None
    why: str = ""
    errors: tuple[PreviewError, ...] = ()
    record: tuple[Line, ...] = ()
    # Nobody here maps it: the dataflow does.
    raw: bool = False


async def page(request: web.Request) -> web.Response:
    """GET /dead-letters/{number}/edit. It shows the body, so it is written down."""
    letter = await opened(request, number_in(request.match_info["number"]))
    if letter is None:
        raise web.HTTPNotFound(text="There is no such dead letter.")
    return _form(request, letter, look.pretty(letter.outgoing), None)


async def check(request: web.Request) -> web.Response:
    """POST /dead-letters/{number}/edit/check: body. What is said of it, for the page's part."""
    letter = await _letter(request)
    judged = await judge(request.app[CONSOLE], letter, await _text(request))
    return look.render(request, "parts/verdict.html", {"judged": judged})


async def save(request: web.Request) -> web.StreamResponse:
    """POST /dead-letters/{number}/edit: body, seen, act (save or check)."""
    letter, given = await _letter(request), await read_form(request)
    text, number = await _text(request), letter.summary.number
    judged = await judge(request.app[CONSOLE], letter, text)
    if judged.patch is None or given.get("act") == "check":
        return _form(request, letter, text, judged, status=422 if judged.fault else 200)
    if given.get("seen", "") != _seen(letter):
        late = judged._replace(fault="Somebody else edited it meanwhile: load the page again.")
        return _form(request, letter, text, late, status=409)
    await note(request, "dead-letters.edit", str(number))
    edit = Edit(request[WHO].name, time.time_ns() // 1_000_000, judged.patch)
    if not await DeadLetters(request.app[CONSOLE].redis).edit(number, edit):
        raise web.HTTPNotFound(text="It was replayed or discarded meanwhile.")
    return look.after(request, f"/dead-letters/{number}", "The edit is kept; a replay sends it.")


async def undo(request: web.Request) -> web.StreamResponse:
    """POST /dead-letters/{number}/edit/undo: a replay sends the original again."""
    number = (await _letter(request)).summary.number
    await note(request, "dead-letters.edit-undone", str(number))
    await DeadLetters(request.app[CONSOLE].redis).edit(number, None)
    return look.after(request, f"/dead-letters/{number}", "The edit is gone.")


async def judge(console: Console, letter: DeadLetter, text: str) -> Judged:
    """What becomes of a letter whose body is `text`. Raises nothing of the text."""
    try:
        after = orjson.loads(text)
        patch = orjson.dumps(patch_between(orjson.loads(letter.original), after))
        edited(letter.original, patch)
    except orjson.JSONDecodeError as fault:
        if fault.doc != text:
            return Judged("The body that came is no JSON, so it cannot be edited.")
        return Judged(f"This is no JSON: {fault.msg}", fault.lineno, fault.colno)
    except (PatchInvalid, TypeError, ValueError, RecursionError) as fault:
        return Judged(f"This cannot be kept: {fault}.")
    if patch == b"[]":
        return Judged("Nothing is changed: this is the body as it came.")
    now = replace(letter, edit=Edit("", 0, patch))
    return (await asyncio.to_thread(_tried, console, now))._replace(patch=patch)


def _tried(console: Console, letter: DeadLetter) -> Judged:
    trials, now = Trials(console.configuration()), time.time()
    found = trials.preview(letter, now)
    why = trials.why_not(letter, now)
    if not isinstance(found, Preview):
        return Judged(why=why, raw=found is None)
    record = lines_of(orjson.dumps(found.data))
    return Judged(why=why, errors=found.errors or (), record=tuple(record))


def _form(
    request: web.Request, letter: DeadLetter, text: str, judged: Judged | None, status: int = 200
) -> web.Response:
    why_not = letter.missing
    if not why_not and len(text) > TEXT_MAX:
        why_not = "it is too long for a form: use sluice dead-letters edit"
    context = {
        "number": letter.summary.number,
        "letter": letter,
        "text": text,
        "why_not": why_not,
        "seen": _seen(letter),
        "judged": judged,
    }
    return look.render(request, "edit.html", context, status=status)


async def _letter(request: web.Request) -> DeadLetter:
    letter = await look_at(request, number_in(request.match_info["number"]))
    if letter is None:
        raise web.HTTPNotFound(text="There is no such dead letter.")
    if letter.missing:
        raise web.HTTPConflict(text=f"Its body cannot be read here: {letter.missing}")
    return letter


async def _text(request: web.Request) -> str:
    """Browsers send their own line ends."""
    return (await read_form(request)).get("body", "").replace("\r\n", "\n")


def _seen(letter: DeadLetter) -> str:
    """Which edit was there when the page was loaded."""
    return str(letter.edit.at_ms) if letter.edit else ""
