"""An act under way, watched: what is done, how long it waits, and the signing key it asks for."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

import aiohttp_jinja2
import orjson
from aiohttp import web

from app.store.users import Role
from app.web.console import look
from app.web.console.both_ends.work import State, Work
from app.web.console.config import CONSOLE
from app.web.console.door import DOOR, WHO
from app.web.console.forms import read_form
from app.web.console.pages.both_ends.one import SECTION
from app.web.console.pages.both_ends.planning import plan_context
from app.web.console.pages.both_ends.rows import name_in, setup_in
from app.web.console.stream import streamed
from app.web.console.trail import note

# By themselves, so that the field for the key is not replaced while somebody types.
PARTS: Final = ("progress", "asking")
_ASK_AGAIN_SECONDS: Final = 15.0
_KEY_LONGEST: Final = 1_000


async def page(request: web.Request) -> web.Response:
    """GET /connections/{name}/work."""
    console, name = request.app[CONSOLE], await setup_in(request)
    work = console.both_ends.work(name)
    plan = work.plan if work else None
    context = {"name": name, "here": SECTION, **_context(request, work)}
    return look.render(request, "work.html", {**context, **await plan_context(console, plan)})


async def give_key(request: web.Request) -> web.StreamResponse:
    """POST /connections/{name}/key: key, for the act that asks for it, or in place of the one that
    is kept. It goes to the engine, and nowhere else."""
    name = await setup_in(request)
    key = (await read_form(request)).get("key", "").strip()
    if not 0 < len(key) <= _KEY_LONGEST or not key.isascii():
        raise web.HTTPBadRequest(text="Copy the signing key from Customer.io, all of it.")
    both_ends = request.app[CONSOLE].both_ends
    work = both_ends.work(name)
    await note(request, "connection.signing-key", name)
    if work is None or not work.give_key(key.encode()):
        both_ends.rekey(name, request[WHO].name, key.encode())
    return look.to(f"/connections/{name}/work")


async def live(request: web.Request) -> web.StreamResponse:
    """GET /connections/{name}/work/live: the parts as they change, until the act is over. `since`:
    the version that the page shows."""
    work = request.app[CONSOLE].both_ends.work(name_in(request))
    since = request.query.get("since", "")

    async def send(request: web.Request, response: web.StreamResponse) -> None:
        seen = int(since) if since.isascii() and since.isdigit() and len(since) < 10 else -1
        while work is not None and not work.state.over and await _still_in(request):
            if seen != work.version:
                seen = work.version
                await response.write(_parts(request, work))
            with suppress(TimeoutError):
                async with asyncio.timeout(_ASK_AGAIN_SECONDS):
                    await work.after(seen)
        await response.write(b"event: over\ndata: {}\n\n")

    return await streamed(request, send)


def _parts(request: web.Request, work: Work) -> bytes:
    context = {"name": work.name, **_context(request, work)}
    parts = {
        part: aiohttp_jinja2.render_string(f"parts/work_{part}.html", request, context)
        for part in PARTS
    }
    return b"event: look\ndata: " + orjson.dumps({"parts": parts}) + b"\n\n"


async def _still_in(request: web.Request) -> bool:
    """Whether the session is not over. It is asked at each change: there are few."""
    return await request.app[DOOR].by_session(request, used=False) is not None


def _context(request: web.Request, work: Work | None) -> dict[str, Any]:
    return {
        "work": work,
        "who": request[WHO],
        "admin": request[WHO].role.allows(Role.ADMIN),
        "asking": work is not None and work.state is State.ASKING,
        "outdated": work is not None and work.state is State.OUTDATED,
    }
