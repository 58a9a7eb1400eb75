"""What dead letters died of: causes, the latest first, and how many died of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from aiohttp import web

from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.groups import Group, GroupFilter, Groups, Order, State, group_document
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.pages.dead_letters.asked import (
    address_of,
    asked_in,
    filter_of,
    given_by,
    is_personal,
    moved,
    query_of,
    when,
)

SHOWN: Final = 50
# Letters of one person or event that are looked at, to say what they died of.
_OF_ONE: Final = 1_000
_STATES: Final = {"new": State.NEW, **{each.value: each for each in State if each.value}}
# What is asked of causes beside what is asked of letters.
_MORE: Final = ("state", "by", "before")


class Causes(NamedTuple):
    """A page of groups. `cursor`: the next; `of`: letters of the person or event asked for, by
    group."""

    groups: list[Group]
    cursor: str | None
    of: Counter[str]


async def page(request: web.Request) -> web.Response:
    """GET /dead-letters?connection=&failure=&kind=&campaign=&...&state=&by=&before=; POST the same
    as a form, with person."""
    given = await given_by(request)
    if onward := moved(request, given, *_MORE):
        return onward
    asked, (state, order), personal = asked_in(given), _how(given), is_personal(given)
    key = ("causes", state, order, given.get("before", ""), *asked.values())
    panel = await request.app[CONSOLE].panels.show(
        key, lambda: causes_like(request, given), keep=not personal
    )
    found = panel.data or Causes([], None, Counter())
    by = Order.LIVE.value if order is Order.LIVE else ""
    more = query_of(asked, state=state, by=by, before=found.cursor or "")
    context = {
        "panel": panel,
        "groups": found.groups,
        "of": found.of,
        "asked": asked,
        "personal": personal,
        "state_asked": state,
        "states": list(_STATES),
        "order": order.value,
        "more": found.cursor and more,
        "letters": query_of(asked),
    }
    response = look.render(request, "causes.html", context)
    return look.pushed(request, response, address_of(request.path, given, *_MORE))


async def document(request: web.Request) -> web.Response:
    """GET /api/dead-letters/groups, the groups of `sluice dead-letters groups --json`. POST the
    same as JSON, with person."""
    found = await causes_like(request, await given_by(request))
    told: dict[str, Any] = {"groups": [group_document(each) for each in found.groups]}
    return look.json_response({**told, "cursor": found.cursor})


def _how(given: Mapping[str, str]) -> tuple[str, Order]:
    state, by = given.get("state", ""), given.get("by", "")
    return state if state in _STATES else "", Order.LIVE if by == Order.LIVE else Order.LAST


async def causes_like(request: web.Request, given: Mapping[str, str], limit: int = SHOWN) -> Causes:
    """The causes that are asked for. Raises HTTPBadRequest, StoreUnavailable."""
    asked, (state, order) = asked_in(given), _how(given)
    store = Groups(request.app[CONSOLE].redis)
    wanted = GroupFilter(
        asked["connection"] or None,
        asked["failure"] or None,
        _STATES.get(state),
        asked["text"] or None,
        kind=asked["kind"] or None,
        campaign=asked["campaign"] or None,
        mapping=asked["mapping"] or None,
        seen_after_ms=when(asked, "since"),
        seen_before_ms=when(asked, "until"),
    )
    if asked["person"] or asked["event_id"]:
        of = await _died_of(request, filter_of(asked))
        groups = await store.get([mark for mark, _ in of.most_common(limit)])
        return Causes([group for group in groups if wanted.wants(group)], None, of)
    try:
        groups, cursor = await store.whole_page(wanted, given.get("before", ""), limit, order)
    except ValueError:
        raise web.HTTPBadRequest(text="This is no place in the list.") from None
    return Causes(groups, cursor, Counter())


async def _died_of(request: web.Request, wanted: Filter) -> Counter[str]:
    letters = DeadLetters(request.app[CONSOLE].redis)
    found, _ = await letters.whole_page(wanted, "", _OF_ONE)
    return Counter(letter.fingerprint for letter in found)
