"""Causes: looked at, and what people say of them."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from app.store.dead_letters.groups import NOTE_MAX, GroupFilter, Order, State, group_document
from app.web.console import look
from app.web.console.api.asked import body_of, here, limit_in, number_in, text_in, wrong
from app.web.console.pages.dead_letters.asked import mark_in

# Each is read whole.
_MOST: Final = 200
_STATES: Final = {"new": State.NEW, **{each.value: each for each in State if each.value}}
_TIMES: Final = ("seen_after_ms", "seen_before_ms")
_GONE: Final = "There is no such group."


async def listed(request: web.Request) -> web.Response:
    """GET dead-letters/groups; with ?begins=3fa9 the fingerprints that begin so."""
    given, groups = request.query, here(request).groups
    if begins := text_in(given, "begins"):
        return look.json_response({"fingerprints": await groups.beginning(begins.lower())})
    state, order = text_in(given, "state"), text_in(given, "order") or Order.LAST.value
    if state and state not in _STATES:
        raise wrong(f"state: one of {', '.join(_STATES)}.")
    if order not in list(Order):
        raise wrong(f"order: one of {', '.join(Order)}.")
    names = ("connection", "failure", "text", "kind", "campaign", "mapping")
    asked: dict[str, Any] = {name: text_in(given, name) or None for name in names}
    asked |= {name: number_in(given, name, 0) or None for name in _TIMES}
    wanted = GroupFilter(**asked, state=_STATES.get(state), empty=given.get("empty") == "1")
    try:
        found, cursor = await groups.page(
            wanted, text_in(given, "cursor"), limit_in(given, _MOST), Order(order)
        )
    except ValueError:
        raise wrong("cursor: this is no place in the list.") from None
    return look.json_response({"groups": [group_document(x) for x in found], "cursor": cursor})


async def one(request: web.Request) -> web.Response:
    """GET dead-letters/groups/{mark}."""
    found = await here(request).groups.get(mark_in(request.match_info["mark"]))
    if found is None:
        raise wrong(_GONE, 404)
    return look.json_response(group_document(found))


async def write(request: web.Request) -> web.Response:
    """PUT dead-letters/groups/{mark}/note: {"text": ...}; "" takes it away."""
    text = text_in(await body_of(request), "text", NOTE_MAX)
    mark = await _existing(request)
    return look.json_response({"noted": await here(request).groups.note(mark, text)})


async def turn(request: web.Request) -> web.Response:
    """PUT dead-letters/groups/{mark}/state: {"state": known, resolved or reopened}."""
    state = text_in(await body_of(request), "state")
    if state not in _STATES or state == "new":
        raise wrong("state: known, resolved or reopened.")
    mark = await _existing(request)
    return look.json_response({"marked": await here(request).groups.mark(mark, _STATES[state])})


async def _existing(request: web.Request) -> str:
    mark = mark_in(request.match_info["mark"])
    if await here(request).groups.get(mark) is None:
        raise wrong(_GONE, 404)
    return mark
