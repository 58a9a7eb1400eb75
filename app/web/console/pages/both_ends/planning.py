"""What apply would do, shown before it is done; and doing that, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web

from app.connect.plan import Plan
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
    """GET /connections/{name}/plan. Asks both ends, and changes nothing."""
    console, name = request.app[CONSOLE], await setup_in(request)
    plan, fault = None, ""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            plan = await console.both_ends.plan(name)
    except TimeoutError:
        fault = f"This took longer than {_PATIENCE_SECONDS:.0f} seconds. Load the page again."
    except Exception as error:
        fault = told(error)
    context = {"name": name, "fault": fault, "here": SECTION, **await plan_context(console, plan)}
    return look.render(request, "plan.html", context)


async def apply(request: web.Request) -> web.StreamResponse:
    """POST /connections/{name}/apply: expected, the digest of the plan that was shown."""
    console, name = request.app[CONSOLE], await setup_in(request)
    expected = (await read_form(request)).get("expected", "")
    if not expected:
        raise web.HTTPBadRequest(text="Look at the plan first: it is done as it was shown.")
    await note(request, "connection.apply", name, plan=expected)
    console.both_ends.apply(name, request[WHO].name, expected)
    return look.to(f"/connections/{name}/work")


async def plan_context(console: Console, plan: Plan | None) -> dict[str, Any]:
    """What parts/plan.html is given."""
    folder = console.both_ends.settings.folders.written("connections")
    return {
        "plan": plan,
        "expected": digest(plan) if plan else "",
        "summary": summary(plan) if plan else "",
        "marks": PLANNED,
        "masked": masked,
        "folder": folder,
        "may_write": await asyncio.to_thread(may_write, folder),
    }
