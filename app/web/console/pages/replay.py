"""One bulk replay: its selection frozen and shown, tried, started, and then watched."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from aiohttp import web

from app.core.recipe import read_recipe
from app.core.replay_run import Orders, ReplayRun, RunState
from app.core.replay_words import asked_for, counts_of, state_of
from app.settings.recipe_trials import misfits
from app.settings.trials import Trial, Trials
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.drawing import each_of
from app.store.replay_runs import ReplayRuns
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.door import WHO
from app.web.console.forms import read_form
from app.web.console.pages.dead_letters.asked import asked_in, filter_of, may_ask
from app.web.console.pages.recipes.trying import Tried, try_numbers
from app.web.console.pages.replays import turns_of
from app.web.console.panels import Panel
from app.web.console.trail import note

# Letters that a dry run tries: each is read, mapped and checked.
SAMPLE: Final = 200
_RATE_MAX: Final = 100_000.0
# A selection of some ten thousand is complete within this; the page of a larger one waits for it.
_PATIENCE_SECONDS: Final = 2.0

FREEZING: Final = web.AppKey("freezing", set[asyncio.Task[None]])


async def freeze(request: web.Request) -> web.StreamResponse:
    """POST /replays/freeze: the fields of a filter. Nothing is replayed before it is started."""
    asked = asked_in(await read_form(request))
    await may_ask(request, asked)
    return await freeze_run(request, filter_of(asked), Orders())


async def freeze_run(
    request: web.Request, wanted: Filter, orders: Orders, recipe: tuple[str, str] | None = None
) -> web.StreamResponse:
    """To the page of a run that is being frozen. `recipe`: as in ReplayRuns.begin."""
    runs = _runs(request)
    run = await runs.begin(wanted, orders, request[WHO].name, recipe)
    await note(request, "replays.frozen", str(run.number), recipe=recipe[0] if recipe else None)
    task = asyncio.create_task(_freeze(runs, run, wanted))
    # Until it is done: a loop holds its tasks but weakly.
    request.app[FREEZING].add(task)
    task.add_done_callback(request.app[FREEZING].discard)
    await asyncio.wait({task}, timeout=_PATIENCE_SECONDS)
    return look.to(f"/replays/{run.number}")


async def end_freezing(app: web.Application) -> None:
    """With the console. A worker cancels the run whose selection is not complete."""
    for task in app[FREEZING]:
        task.cancel()
    await asyncio.gather(*app[FREEZING], return_exceptions=True)


async def page(request: web.Request) -> web.Response:
    """GET /replays/{number}."""
    number = _number(request)
    panel = await request.app[CONSOLE].panels.show(
        ("replay", number), lambda: _runs(request).get(number)
    )
    run = panel.data
    context = {"panel": panel, "number": number, "run": run, "sample": SAMPLE}
    if run is not None:
        context |= {
            "state_text": state_of(run).partition(": ")[2],
            "counts": counts_of(run),
            "selection": asked_for(run.wanted),
            "turns": turns_of(run),
            "moving": not run.state.over and run.state is not RunState.FROZEN,
        }
    status = 404 if run is None and not panel.fault else 200
    return look.render(request, "replay.html", context, status=status)


async def document(request: web.Request) -> web.Response:
    """GET /api/replays/{number}, the same as `sluice replays show --json`."""
    return look.json_response((await _run(request)).document())


async def trial(request: web.Request) -> web.Response:
    """GET /replays/{number}/trial: a sample of the selection, tried. Sends nothing."""
    run, console = await _run(request), request.app[CONSOLE]
    ask = _try_recipe if run.recipe else _try
    panel: Panel[Trial | Tried] = await console.panels.show(
        ("trial", run.number), lambda: ask(request, run), keep=False
    )
    found = panel.data
    tried = found if isinstance(found, Tried) else None
    trial = tried.found.trial if tried else found
    context = {"panel": panel, "trial": trial, "tried": tried, "number": run.number}
    by_htmx = request.headers.get("HX-Request") == "true"
    return look.render(request, "parts/trial.html" if by_htmx else "trial.html", context)


async def start(request: web.Request) -> web.StreamResponse:
    """POST /replays/{number}/start: expected, rate, stop_at (in percent)."""
    run, given = await _run(request), await read_form(request)
    if given.get("expected", "") != str(run.frozen):
        raise web.HTTPConflict(text="The selection is not the one that you saw: look at it again.")
    await _refuse_misfits(request, run)
    rate = _between(given.get("rate", ""), 0.1, _RATE_MAX, "The rate")
    stop_at = _between(given.get("stop_at", ""), 0.0, 100.0, "The bound") / 100
    await note(request, "dead-letters.replay", str(run.number), run=run.number, letters=run.frozen)
    was = await _runs(request).start(run.number, rate, stop_at)
    done = ReplayRuns.may(was, RunState.RUNNING)
    said = f"Replay {run.number} is started." if done else f"It is {was}: not started."
    return look.after(request, f"/replays/{run.number}", said)


async def _freeze(runs: ReplayRuns, run: ReplayRun, wanted: Filter) -> None:
    census = await runs.freeze(run, wanted)
    if census is not None and not census.letters:
        await runs.cancel(run.number, "nothing was selected")


async def _refuse_misfits(request: web.Request, run: ReplayRun) -> None:
    """Raises HTTPConflict when the run's recipe wants another mapping version than is here."""
    if not run.recipe:
        return
    recipe = read_recipe(run.recipe_text)
    trials = Trials(await asyncio.to_thread(request.app[CONSOLE].configuration))
    named = run.census.get("connections", {})
    if found := await asyncio.to_thread(misfits, recipe, trials, named):
        raise web.HTTPConflict(text=f"The recipe wants {recipe.mapping}: {'; '.join(found)}")


async def _try_recipe(request: web.Request, run: ReplayRun) -> Tried:
    drawn = await _runs(request).draw(run.number, SAMPLE)
    connections = list(run.census.get("connections", {}))
    return await try_numbers(request, read_recipe(run.recipe_text), drawn, connections)


async def _try(request: web.Request, run: ReplayRun) -> Trial:
    console = request.app[CONSOLE]
    letters, found = DeadLetters(console.redis), Trial()
    trials = Trials(await asyncio.to_thread(console.configuration))
    now = time.time()
    drawn = await _runs(request).draw(run.number, SAMPLE)
    async for letter in each_of(letters, drawn):
        found.note(await asyncio.to_thread(trials.why_not, letter, now))
    return found


async def _run(request: web.Request) -> ReplayRun:
    run = await _runs(request).get(_number(request))
    if run is None:
        raise web.HTTPNotFound(text="There is no such replay.")
    return run


def _runs(request: web.Request) -> ReplayRuns:
    return ReplayRuns(request.app[CONSOLE].redis)


def _number(request: web.Request) -> int:
    text = request.match_info["number"]
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise web.HTTPNotFound(text="There is no such replay.")
    return int(text)


def _between(text: str, least: float, most: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise web.HTTPBadRequest(text=f"{what} is a number from {least:g} to {most:,.0f}.")
    return value
