"""What apply would do, shown before it is done; and doing that, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web

from app.connect.plan import Plan
from app.connect.wiring import TUTORIALS
from app.core.errors import ConfigError
from app.settings.folders import may_write
from app.web.console import look
from app.web.console.both_ends.wording import PLANNED, digest, masked, summary, told
from app.web.console.config import CONSOLE, Console
from app.web.console.door import WHO
from app.web.console.forms import read_form
from app.web.console.pages.both_ends.one import SECTION
from app.web.console.pages.both_ends.rows import setup_in
from app.web.console.trail import note

_PATIENCE_SECONDS: Final = 60.0


async def page(request: web.Request) -> web.Response:
    """GET /connections/{name}/plan. Asks both ends, and changes nothing. `like`: api or ui, as that
    tutorial of Adobe's makes it; only to be looked at."""
    console, name = request.app[CONSOLE], await setup_in(request)
    like = request.query.get("like", "")
    if like and like not in TUTORIALS:
        raise web.HTTPBadRequest(text="like is api or ui: the page of Adobe's that is followed.")
    plan, fault = None, ""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            plan = await console.both_ends.plan(name, like_tutorial=like)
    except TimeoutError:
        fault = f"This took longer than {_PATIENCE_SECONDS:.0f} seconds. Load the page again."
    except Exception as error:
        fault = told(error)
    tutorials = TUTORIALS if await asyncio.to_thread(_fits, console, name) else ()
    context = {"name": name, "fault": fault, "here": SECTION, "tutorials": tutorials}
    return look.render(request, "plan.html", context | await plan_context(console, plan, like))


def _fits(console: Console, name: str) -> bool:
    """Whether Adobe's tutorials are about the setup's kind of source. What is wrong with a setup is
    said in the place of its plan."""
    try:
        return console.both_ends.setup(name).platform.source.kind == "customerio"
    except ConfigError:
        return False


async def apply(request: web.Request) -> web.StreamResponse:
    """POST /connections/{name}/apply: expected, the digest of the plan that was shown."""
    console, name = request.app[CONSOLE], await setup_in(request)
    expected = (await read_form(request)).get("expected", "")
    if not expected:
        raise web.HTTPBadRequest(text="Look at the plan first: it is done as it was shown.")
    await note(request, "connection.apply", name, plan=expected)
    console.both_ends.apply(name, request[WHO].name, expected)
    return look.to(f"/connections/{name}/work")


async def plan_context(console: Console, plan: Plan | None, like: str = "") -> dict[str, Any]:
    """What parts/plan.html is given. `like`: the tutorial that the plan follows; it is not
    applied here."""
    folder = console.both_ends.settings.folders.written("connections")
    return {
        "plan": plan,
        "like": like,
        "expected": digest(plan) if plan else "",
        "summary": summary(plan) if plan else "",
        "marks": PLANNED,
        "masked": masked,
        "folder": folder,
        "may_write": await asyncio.to_thread(may_write, folder),
    }
