"""Dead letters: edited, replayed, discarded, tried; each act written down first."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import orjson
from aiohttp import web

from app.core.errors import ConfigError, PatchInvalid
from app.web.console import look
from app.web.console.api.asked import (
    MOST,
    body_of,
    config_fault,
    here,
    may_name,
    number_in,
    number_of,
    numbers_in,
    text_in,
    wanted_in,
    wrong,
)

# A dry run of a large selection looks at all of it.
TRY_SECONDS: Final = 120.0
_REASON_MAX: Final = 200


async def edit(request: web.Request) -> web.Response:
    """PUT dead-letters/{number}/edit: {"patch": [...]} (RFC 6902)."""
    patch = (await body_of(request)).get("patch")
    if not isinstance(patch, list) or not patch:
        raise wrong("patch: a JSON patch is a list of operations.")
    return await _edited(request, orjson.dumps(patch))


async def undo(request: web.Request) -> web.Response:
    """DELETE dead-letters/{number}/edit: a replay sends the body as it came."""
    return await _edited(request, None)


async def replay(request: web.Request) -> web.Response:
    """POST dead-letters/replay: {"numbers": [...]}, on the queue at once."""
    numbers = numbers_in(await body_of(request))
    done = [each async for each in here(request).letters.replay(numbers)]
    return look.json_response({"replayed": sum(done), "chosen": len(numbers)})


async def discard(request: web.Request) -> web.Response:
    """POST dead-letters/discard: {"numbers": [...], "reason": text}, for good."""
    given = await body_of(request)
    numbers, reason = numbers_in(given), text_in(given, "reason", _REASON_MAX)
    letters = here(request).letters
    chosen = await letters.some(numbers)
    done = [each async for each in letters.discard(chosen, reason)]
    return look.json_response({"discarded": sum(done), "chosen": len(numbers)})


async def try_out(request: web.Request) -> web.Response:
    """POST dead-letters/try: {"wanted": {...}, "sample": 200}. Writes nothing."""
    given = await body_of(request)
    wanted, sample = wanted_in(given), number_in(given, "sample", 200, MOST)
    await may_name(request, wanted)
    try:
        async with asyncio.timeout(TRY_SECONDS):
            selection, trial = await here(request).letters.try_out(wanted, sample)
    except ConfigError as fault:
        raise config_fault(fault) from None
    except TimeoutError:
        raise too_long() from None
    told: dict[str, Any] = {"selection": selection, "trial": trial}
    return look.json_response(told)


def too_long() -> web.HTTPException:
    """A dry run that nobody waits for any more."""
    return web.HTTPServiceUnavailable(
        text=f"This took longer than {TRY_SECONDS:.0f} seconds: choose fewer, by a filter."
    )


async def _edited(request: web.Request, patch: bytes | None) -> web.Response:
    number, letters = number_of(request, "dead letter"), here(request).letters
    try:
        done = await letters.edit(number, patch)
    except PatchInvalid as fault:
        raise wrong(f"This cannot be kept: {fault}.", 422) from None
    if not done:
        raise wrong("There is no dead letter of this number that can be read.", 404)
    return look.json_response({"number": number, "edited": patch is not None})
