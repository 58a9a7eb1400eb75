"""One cause: what it is, whom it meets, and what people say of it."""

from __future__ import annotations

import time
from typing import Final

from aiohttp import web

from app.store.dead_letters.groups import NOTE_MAX, Group, Groups, State, group_document
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.door import WHO
from app.web.console.forms import read_form
from app.web.console.pages.dead_letters.asked import mark_in
from app.web.console.trail import note

# What a person may make of a group: the button, and the state it leads to.
TURNS: Final = {
    "known": State.KNOWN,
    "resolve": State.RESOLVED,
    "reopen": State.REOPENED,
}


async def page(request: web.Request) -> web.Response:
    """GET /dead-letters/groups/{mark}."""
    mark = mark_in(request.match_info["mark"])
    panel = await request.app[CONSOLE].panels.show(("group", mark), lambda: _one(request, mark))
    group = panel.data
    context = {
        "panel": panel,
        "mark": mark,
        "group": group,
        "turns": [name for name, then in TURNS.items() if group and _may(group.state, then)],
        "note_max": NOTE_MAX,
    }
    status = 404 if group is None and not panel.fault else 200
    return look.render(request, "cause.html", context, status=status)


async def document(request: web.Request) -> web.Response:
    """GET /api/dead-letters/groups/{mark}."""
    group = await _one(request, mark_in(request.match_info["mark"]))
    if group is None:
        raise web.HTTPNotFound(text="There is no such group.")
    return look.json_response(group_document(group))


async def write(request: web.Request) -> web.StreamResponse:
    """POST /dead-letters/groups/{mark}/note: text."""
    mark, text = mark_in(request.match_info["mark"]), (await read_form(request)).get("text", "")
    # Browsers send their line ends.
    text = text.replace("\r\n", "\n").strip()
    if len(text) > NOTE_MAX:
        raise web.HTTPBadRequest(text=f"A note has at most {NOTE_MAX:,} characters.")
    await _exists(request, mark)
    await note(request, "dead-letters.note", mark)
    await _groups(request).note(mark, text, request[WHO].name, _now_ms())
    return look.after(request, f"/dead-letters/groups/{mark}", "Noted." if text else "Note gone.")


async def turn(request: web.Request) -> web.StreamResponse:
    """POST /dead-letters/groups/{mark}/turn: turn (known, resolve or reopen)."""
    mark, what = mark_in(request.match_info["mark"]), (await read_form(request)).get("turn", "")
    if what not in TURNS:
        raise web.HTTPBadRequest(text="There is no such thing to do to a group.")
    await _exists(request, mark)
    await note(request, f"dead-letters.{TURNS[what].value}", mark)
    await _groups(request).mark(mark, TURNS[what], request[WHO].name, _now_ms())
    return look.after(request, f"/dead-letters/groups/{mark}", f"It is {TURNS[what].value}.")


def _may(state: State, then: State) -> bool:
    """A new or reopened one is open already."""
    open_already = state in (State.NEW, State.REOPENED) and then is State.REOPENED
    return state is not then and not open_already


async def _one(request: web.Request, mark: str) -> Group | None:
    found = await _groups(request).get([mark])
    return found[0] if found else None


async def _exists(request: web.Request, mark: str) -> None:
    if await _one(request, mark) is None:
        raise web.HTTPNotFound(text="There is no such group.")


def _groups(request: web.Request) -> Groups:
    return Groups(request.app[CONSOLE].redis)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
