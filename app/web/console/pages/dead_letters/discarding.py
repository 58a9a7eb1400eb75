"""Discarding dead letters: for good, with a reason, and not by a slip of the finger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from aiohttp import web

from app.core.dead_letter import DeadLetterSummary
from app.core.replay_words import asked_for
from app.core.selection import Census
from app.store.dead_letters import DeadLetters
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.forms import read_form
from app.web.console.pages.dead_letters.asked import (
    asked_in,
    filter_of,
    may_ask,
    number_in,
)
from app.web.console.trail import note

# More are for `sluice dead-letters discard`: a browser does not wait so long.
MOST: Final = 50_000
_PAGE: Final = 1_000
_REASON_MAX: Final = 200


class Chosen(NamedTuple):
    """What is meant, and had died up to the letter `up_to`. `more`: there are over MOST."""

    letters: list[DeadLetterSummary]
    census: Census
    up_to: int
    more: bool


async def page(request: web.Request) -> web.Response:
    """GET /dead-letters/discard?number= or the fields of a filter."""
    return await _form(request, request.query, "")


async def discard(request: web.Request) -> web.StreamResponse:
    """POST /dead-letters/discard: the same, up_to, count (as typed) and reason."""
    given = await read_form(request)
    reason = " ".join(given.get("reason", "").split())[:_REASON_MAX]
    if not reason:
        return await _form(request, given, "Say why: the audit trail keeps it.")
    chosen = await _chosen(request, given)
    count = len(chosen.letters)
    typed = given.get("count", "").replace(",", "").strip()
    if chosen.more or not count or typed != str(count):
        why = f"{typed or 'Nothing'} was typed, and {count:,} are meant: nothing was discarded."
        return await _form(request, given, why)
    # The trail first: an act that nobody remembers is worse than one that was not finished.
    numbers = [letter.number for letter in chosen.letters[:20]]
    await note(request, "dead-letters.discard", letters=count, numbers=numbers, reason=reason)
    letters, done = DeadLetters(request.app[CONSOLE].redis), 0
    for at in range(0, count, _PAGE):
        done += await letters.discard(chosen.letters[at : at + _PAGE])
    return look.after(request, "/dead-letters", f"Discarded: {done:,} of {count:,}.")


async def _form(request: web.Request, given: Mapping[str, str], fault: str) -> web.Response:
    panel = await request.app[CONSOLE].panels.show(
        "discard", lambda: _chosen(request, given), keep=False
    )
    chosen, asked = panel.data, {**asked_in(given), "number": given.get("number", "")}
    context = {
        "panel": panel,
        "chosen": chosen,
        "census": chosen.census.document() if chosen else {},
        "asked": asked,
        "words": asked_for({name: value for name, value in asked.items() if value}),
        "reason": given.get("reason", ""),
        "fault": fault,
        "most": MOST,
    }
    return look.render(request, "discard.html", context, status=422 if fault else 200)


async def _chosen(request: web.Request, given: Mapping[str, str]) -> Chosen:
    letters, asked = DeadLetters(request.app[CONSOLE].redis), asked_in(given)
    up_to = _up_to(given.get("up_to", "")) or await letters.last_number()
    if given.get("number"):
        found = await letters.summaries([number_in(given["number"])])
    else:
        await may_ask(request, asked)
        found = []
        async for letter in letters.find(filter_of(asked)):
            # What died since the page was made was not looked at.
            if letter.number <= up_to:
                found.append(letter)
            if len(found) > MOST:
                break
    census = Census()
    for letter in found:
        census.add(letter)
    return Chosen(found, census, up_to, len(found) > MOST)


def _up_to(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
