"""Bulk replays: looked at, frozen, started, steered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from app.core.errors import RecipeInvalid
from app.core.recipe import read_recipe
from app.core.replay_run import Orders, ReplayRun, RunState
from app.operations.recipes import HereRecipes
from app.operations.runs import HereRuns
from app.store.dead_letters import Filter
from app.store.replay_runs import ReplayRuns
from app.web.console import look
from app.web.console.api.asked import (
    body_of,
    here,
    limit_in,
    may_name,
    number_in,
    number_of,
    rate_in,
    text_in,
    wanted_in,
    wrong,
)
from app.web.console.pages.replay import FREEZING
from app.web.console.trail import note

_RATE_MAX: Final = 100_000.0
_REASON_MAX: Final = 200
# A selection of some ten thousand is complete within this; of a larger one `state` tells.
_PATIENCE_SECONDS: Final = 2.0
_TURNS: Final = {
    "pause": RunState.PAUSED,
    "resume": RunState.RUNNING,
    "cancel": RunState.CANCELLED,
}


async def listed(request: web.Request) -> web.Response:
    """GET replays?limit=."""
    found = await here(request).runs.newest(limit_in(request.query))
    return look.json_response({"replays": [run.document() for run in found]})


async def one(request: web.Request) -> web.Response:
    """GET replays/{number}."""
    return look.json_response((await _run(request, here(request).runs)).document())


async def freeze(request: web.Request) -> web.Response:
    """POST replays: {"wanted": {...}, "rate", "stop_at", "stop_least"}, or {"recipe": NAME}; its
    selection is frozen, and nothing is replayed before it is started."""
    given, face = await body_of(request), here(request)
    wanted, orders, recipe = await _ordered(given, face.recipes)
    await may_name(request, wanted)
    run = await face.runs.begin(wanted, orders, recipe)
    await note(request, "replays.frozen", str(run.number))
    task = asyncio.create_task(face.runs.select(run, wanted))
    # Until it is done: a loop holds its tasks but weakly.
    request.app[FREEZING].add(task)
    task.add_done_callback(request.app[FREEZING].discard)
    await asyncio.wait({task}, timeout=_PATIENCE_SECONDS)
    return look.json_response((await face.runs.get(run.number) or run).document(), 201)


async def start(request: web.Request) -> web.Response:
    """POST replays/{number}/start: {"expected": how many were shown}."""
    runs, given = here(request).runs, await body_of(request)
    run = await _run(request, runs)
    if "expected" not in given or number_in(given, "expected", 0) != run.frozen:
        raise wrong(f"expected: {run.frozen:,} are selected; say that number to start it.", 409)
    was = await runs.start(run)
    return await _told(request, runs, ReplayRuns.may(was, RunState.RUNNING), was)


async def turn(request: web.Request) -> web.Response:
    """POST replays/{number}/pause, resume, cancel: {"reason": text}, and "rate" to resume."""
    then, given = _TURNS[request.path.rpartition("/")[2]], await body_of(request)
    reason = " ".join(text_in(given, "reason", _REASON_MAX).split())
    rate, runs = rate_in(given, "rate", 0.1, _RATE_MAX), here(request).runs
    run = await _run(request, runs)
    was = await runs.turn(run.number, then, reason, rate)
    return await _told(request, runs, ReplayRuns.may(was, then), was)


async def _told(
    request: web.Request, runs: HereRuns, done: bool, was: RunState | None
) -> web.Response:
    """Whether it was changed, what it was, and the run as it is now."""
    run = await _run(request, runs)
    return look.json_response({"changed": done, "was": was, **run.document()})


async def _run(request: web.Request, runs: HereRuns) -> ReplayRun:
    run = await runs.get(number_of(request, "replay"))
    if run is None:
        raise wrong("There is no such replay.", 404)
    return run


async def _ordered(
    given: Mapping[str, Any], recipes: HereRecipes
) -> tuple[Filter, Orders, tuple[str, str] | None]:
    """What is to be replayed, how, and by which recipe; what the recipe says can be said anew."""
    base, recipe, wanted = Orders(), None, None
    if name := text_in(given, "recipe"):
        saved, text = await named(recipes, name)
        try:
            found = read_recipe(text)
            base, recipe = found.orders, (saved, text)
            wanted = None if "wanted" in given else await recipes.selected(found)
        except (RecipeInvalid, ValueError) as fault:
            raise wrong(f"{name}: {fault}", 422) from None
    rate, at = rate_in(given, "rate", 0.1, _RATE_MAX), rate_in(given, "stop_at", 0, 1)
    orders = Orders(
        base.rate if rate is None else rate,
        base.stop_at if at is None else at,
        max(1, number_in(given, "stop_least", base.stop_least)),
    )
    return wanted or wanted_in(given), orders, recipe


async def named(recipes: HereRecipes, name: str) -> tuple[str, str]:
    """NAME@VERSION and text of a saved recipe; with a version, it must be that one."""
    bare, _, version = name.partition("@")
    saved = await recipes.get(bare)
    if saved is None:
        raise wrong(f"There is no recipe {bare!r}.", 404)
    if version and version != str(saved.version):
        raise wrong(f"{bare} is at version {saved.version} by now: look at it again.", 409)
    return f"{bare}@{saved.version}", saved.text
