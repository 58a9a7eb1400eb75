"""Bulk replays: how far each is; operators hold them, let them go on, or end them."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from app.core.replay_run import ReplayRun, RunState
from app.core.replay_words import asked_for, counts_of, state_of
from app.store.replay_runs import ReplayRuns
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.door import WHO
from app.web.console.forms import read_form
from app.web.console.trail import note

SHOWN: Final = 30
_REASON_MAX: Final = 200

# What may be done to a run, and where it leads.
TURNS: Final = {
    "pause": RunState.PAUSED,
    "resume": RunState.RUNNING,
    "cancel": RunState.CANCELLED,
}


async def page(request: web.Request) -> web.Response:
    """GET /replays."""
    panel = await request.app[CONSOLE].panels.show("replays", lambda: _runs(request))
    told = [
        (run, state_of(run), counts_of(run), asked_for(run.wanted), turns_of(run))
        for run in panel.data or []
    ]
    return look.render(request, "replays.html", {"panel": panel, "runs": told})


async def document(request: web.Request) -> web.Response:
    """GET /api/replays, the same as `sluice replays list --json`."""
    return look.json_response([run.document() for run in await _runs(request)])


async def turn(request: web.Request) -> web.StreamResponse:
    """POST /replays/turn: number, turn (pause, resume or cancel), reason."""
    given, who = await read_form(request), request[WHO]
    number, what = given.get("number", ""), given.get("turn", "")
    reason = " ".join(given.get("reason", "").split())[:_REASON_MAX]
    if what not in TURNS or not (number.isascii() and number.isdigit() and len(number) < 16):
        raise web.HTTPBadRequest(text="There is no such thing to do to a replay.")
    runs = ReplayRuns(request.app[CONSOLE].redis)
    if await runs.get(int(number)) is None:
        raise web.HTTPNotFound(text="There is no such replay.")
    await note(request, f"replays.{TURNS[what]}", number, reason=reason or None)
    why = f"{TURNS[what]} by {who.name}" + (f": {reason}" if reason else "")
    match what:
        case "pause":
            was = await runs.pause(int(number), why)
        case "resume":
            was = await runs.start(int(number))
        case _:
            was = await runs.cancel(int(number), why)
    done = ReplayRuns.may(was, TURNS[what])
    said = f"Replay {number} is {TURNS[what]}." if done else f"Replay {number} is {was}: not done."
    back = f"/replays/{number}" if given.get("back") == "run" else "/replays"
    return look.after(request, back, said)


async def _runs(request: web.Request) -> list[ReplayRun]:
    return await ReplayRuns(request.app[CONSOLE].redis).newest(SHOWN)


def turns_of(run: ReplayRun) -> list[str]:
    """What a person may do to it now. A frozen one is started on its own page, where it is seen
    what that means."""
    found = [name for name, then in TURNS.items() if ReplayRuns.may(run.state, then)]
    frozen = run.state is RunState.FROZEN
    return [name for name in found if not (frozen and name == "resume")]
