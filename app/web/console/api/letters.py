"""Dead letters, looked at: lists, one, and searches."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, replace
from typing import Any, Final

from aiohttp import web

from app.core.dead_letter import DeadLetter
from app.core.masking import masked_json
from app.core.platform.problem import normalise
from app.operations.wire import letter_document
from app.store.users import Role
from app.web.console import look
from app.web.console.api.asked import (
    SECONDS,
    body_of,
    filter_in,
    here,
    limit_in,
    may_name,
    number_of,
    numbers_in,
    text_in,
    wanted_in,
    wrong,
)
from app.web.console.door import WHO
from app.web.console.trail import note

_PAGED: Final = ("cursor", "limit")
_FIND_SECONDS: Final = 30.0


async def listed(request: web.Request) -> web.Response:
    """GET dead-letters, POST dead-letters/list."""
    given: dict[str, Any] = (
        dict(request.query) if request.method == "GET" else (await body_of(request))
    )
    letters = here(request).letters
    if "numbers" in given:
        found = await letters.some(numbers_in(given))
        return look.json_response({"letters": [asdict(each) for each in found], "cursor": None})
    wanted = filter_in(given, _PAGED)
    await may_name(request, wanted)
    try:
        shown, cursor = await letters.page_within(
            wanted, text_in(given, "cursor"), limit_in(given), SECONDS
        )
    except ValueError:
        raise wrong("cursor: this is no place in the list.") from None
    return look.json_response({"letters": [asdict(each) for each in shown], "cursor": cursor})


async def one(request: web.Request) -> web.Response:
    """GET dead-letters/{number}: with each value masked; with ?whole=1 as it is, for operators, and
    written down."""
    number, whole = number_of(request, "dead letter"), request.query.get("whole") == "1"
    if whole and not request[WHO].role.allows(Role.OPERATOR):
        raise web.HTTPForbidden(
            text="What an event says needs the role operator; without whole=1 each value is masked."
        )
    letter = await here(request).letters.whole(number)
    if letter is None:
        raise wrong("There is no such dead letter.", 404)
    if whole:
        await note(request, "dead-letters.open", str(number))
    shown = letter if whole else _masked(letter)
    return look.json_response({**letter_document(shown), "masked": not whole})


async def found(request: web.Request) -> web.Response:
    """POST dead-letters/find: by an event id, a person, a campaign, a cause, an error's text."""
    given = await body_of(request)
    word = text_in(given, "word")
    if not word:
        raise wrong("word: say what to look for.")
    wanted, limit = wanted_in(given), limit_in(given)
    # It may be somebody's address.
    await note(request, "dead-letters.person")
    try:
        async with asyncio.timeout(_FIND_SECONDS):
            letters = await here(request).letters.search(wanted, word, limit)
    except TimeoutError:
        raise web.HTTPServiceUnavailable(
            text=f"This took longer than {_FIND_SECONDS:.0f} seconds: narrow it by a filter."
        ) from None
    return look.json_response({"letters": [asdict(each) for each in letters]})


async def searched(request: web.Request) -> web.Response:
    """POST dead-letters/search: in bodies, for some seconds; the cursor goes on."""
    given = await body_of(request)
    text, cursor = text_in(given, "text"), text_in(given, "cursor")
    if not text:
        raise wrong("text: say what bodies are to hold.")
    wanted, until = wanted_in(given), time.monotonic() + SECONDS
    await note(request, "dead-letters.search")
    answer: dict[str, Any] = {"letters": [], "looked": 0, "unread": 0, "cursor": None}
    try:
        async for part in here(request).letters.bodies_from(wanted, text, cursor):
            answer["letters"] += [asdict(each) for each in part.found]
            answer["looked"] += part.looked
            answer["unread"] += part.unread
            answer["cursor"] = part.cursor
            if answer["letters"] or time.monotonic() > until:
                break
    except ValueError:
        raise wrong("cursor: this is no place in the list.") from None
    return look.json_response(answer)


def _masked(letter: DeadLetter) -> DeadLetter:
    """As viewers see it: how it is built, and not what it says."""
    one = letter.summary
    edit = letter.edit and letter.edit._replace(patch=masked_json(letter.edit.patch) or b"")
    return replace(
        letter,
        summary=replace(one, detail=normalise(one.detail)),
        body=masked_json(letter.body or None) or b"",
        record=masked_json(letter.record),
        history=tuple(run._replace(message=normalise(run.message)) for run in letter.history),
        edit=edit,
    )
