"""Taking a connection away: what would go is shown, its name typed, and then just that goes."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from app.connect.destroying import Doomed
from app.web.console import look
from app.web.console.both_ends.both_ends import DATA_WORDS
from app.web.console.both_ends.wording import digest_of, stays, told
from app.web.console.config import CONSOLE
from app.web.console.door import WHO
from app.web.console.forms import read_form
from app.web.console.pages.both_ends.one import SECTION
from app.web.console.pages.both_ends.rows import setup_in
from app.web.console.trail import note

_PATIENCE_SECONDS: Final = 60.0


async def page(request: web.Request) -> web.Response:
    """GET /connections/{name}/destroy; `dataset`: with the events in Platform; `retired`: only what
    was replaced."""
    console, name = request.app[CONSOLE], await setup_in(request)
    retired = request.query.get("retired") == "1"
    dataset = not retired and request.query.get("dataset") == "1"
    what: Doomed | None = None
    fault = ""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            what = await console.both_ends.doomed(name, dataset=dataset, retired_only=retired)
    except TimeoutError:
        fault = f"This took longer than {_PATIENCE_SECONDS:.0f} seconds. Load the page again."
    except Exception as error:
        fault = told(error)
    context = {
        "name": name,
        "here": SECTION,
        "what": what,
        "fault": fault,
        # Asked for, and there is none that may go.
        "dataset": dataset and what is not None and what.takes_data,
        "retired": retired,
        "expected": digest_of(what.document()) if what else "",
        "data_words": DATA_WORDS,
        "stays": stays,
    }
    return look.render(request, "destroy.html", context)


async def destroy(request: web.Request) -> web.StreamResponse:
    """POST /connections/{name}/destroy: expected, typed (the name), dataset, data (the words),
    retired."""
    console, name = request.app[CONSOLE], await setup_in(request)
    given = await read_form(request)
    retired = given.get("retired") == "1"
    dataset = not retired and given.get("dataset") == "1"
    if given.get("typed", "").strip() != name:
        raise web.HTTPBadRequest(text=f"Type {name} to destroy this: nothing was destroyed.")
    if dataset and given.get("data", "").strip().lower() != DATA_WORDS:
        raise web.HTTPBadRequest(text=f"Type “{DATA_WORDS}”, too: nothing was destroyed.")
    await note(request, "connection.destroy", name, dataset=dataset, retired=retired)
    console.both_ends.destroy(
        name, request[WHO].name, given.get("expected", ""), dataset=dataset, retired_only=retired
    )
    return look.to(f"/connections/{name}/work")
