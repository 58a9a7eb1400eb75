"""Discarding dead letters: for good, with a reason, and not by a slip of the finger."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from aiohttp import web

from app.core.replay_words import asked_for
from app.store.dead_letters import DeadLetters
from app.store.dead_letters.choosing import Chosen
from app.store.dead_letters.discarding import discard_all
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.forms import read_form
from app.web.console.pages.dead_letters.asked import asked_in, chosen_by
from app.web.console.trail import note

# More are for `sluice dead-letters discard`: a browser does not wait so long.
MOST: Final = 50_000
_REASON_MAX: Final = 200


async def page(request: web.Request) -> web.Response:
    """GET /dead-letters/discard?number= or the fields of a filter."""
    return await _form(request, request.query, "")


async def discard(request: web.Request) -> web.StreamResponse:
    """POST /dead-letters/discard: the same; with act=discard, also up_to, count (as typed) and
    reason."""
    given = await read_form(request)
    if given.get("act") != "discard":
        return await _form(request, given, "")
    reason = " ".join(given.get("reason", "").split())[:_REASON_MAX]
    if not reason:
        return await _form(request, given, "Say why: the audit trail keeps it.")
    chosen = await chosen_by(request, given, MOST)
    count = len(chosen.letters)
    typed = given.get("count", "").replace(",", "").strip()
    if chosen.more or not count or typed != str(count):
        why = f"{typed or 'Nothing'} was typed, and {count:,} are meant: nothing was discarded."
        return await _form(request, given, why)
    letters = DeadLetters(request.app[CONSOLE].redis)
    steps = discard_all(letters, chosen.letters, reason, partial(note, request))
    done = sum([gone async for gone in steps])
    return look.after(request, "/dead-letters", f"Discarded: {done:,} of {count:,}.")


async def _form(request: web.Request, given: Mapping[str, str], fault: str) -> web.Response:
    panel = await request.app[CONSOLE].panels.show(
        "discard", lambda: chosen_by(request, given, MOST), keep=False
    )
    context = {**form_of(panel.data, given), "panel": panel}
    context |= {"reason": given.get("reason", ""), "fault": fault, "most": MOST}
    return look.render(request, "discard.html", context, status=422 if fault else 200)


def form_of(chosen: Chosen | None, given: Mapping[str, str]) -> dict[str, object]:
    """What a page shows of a selection that something is to be done to."""
    asked = {**asked_in(given), "number": given.get("number", "")}
    return {
        "chosen": chosen,
        "census": chosen.census.document() if chosen else {},
        "asked": asked,
        "words": asked_for({name: value for name, value in asked.items() if value}),
    }
