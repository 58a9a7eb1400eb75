"""What dead letters died of: causes, the latest first, and how many died of each."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, NamedTuple

from aiohttp import web

from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.groups import Group, GroupFilter, Groups, Order, State, group_document
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.pages.dead_letters.asked import asked_in, filter_of, may_ask, query_of

SHOWN: Final = 50
# Letters of one person that are looked at, to say what they died of.
_OF_A_PERSON: Final = 1_000
_STATES: Final = {"new": State.NEW, **{each.value: each for each in State if each.value}}


class Causes(NamedTuple):
    """A page of groups. `cursor`: the next; `of`: letters of the person asked for, by group."""

    groups: list[Group]
    cursor: str | None
    of: Counter[str]


async def page(request: web.Request) -> web.Response:
    """GET /dead-letters?connection=&failure=&kind=&campaign=&person=&text=&state=&by=&before="""
    asked, (state, order) = asked_in(request.query), _how(request)
    await may_ask(request, asked)
    key = ("causes", state, order, request.query.get("before", ""), *asked.values())
    panel = await request.app[CONSOLE].panels.show(
        key, lambda: _causes(request), keep=not asked["person"]
    )
    found = panel.data or Causes([], None, Counter())
    more = query_of(asked, state=state, by=order.value, before=found.cursor or "")
    context = {
        "panel": panel,
        "groups": found.groups,
        "of": found.of,
        "asked": asked,
        "state_asked": state,
        "states": list(_STATES),
        "order": order.value,
        "more": found.cursor and more,
        "letters": query_of(asked),
    }
    return look.render(request, "causes.html", context)


async def document(request: web.Request) -> web.Response:
    """GET /api/dead-letters/groups, the groups of `sluice dead-letters groups --json`."""
    await may_ask(request, asked_in(request.query))
    found = await _causes(request)
    told: dict[str, Any] = {"groups": [group_document(each) for each in found.groups]}
    return look.json_response({**told, "cursor": found.cursor})


def _how(request: web.Request) -> tuple[str, Order]:
    state, by = request.query.get("state", ""), request.query.get("by", "")
    return state if state in _STATES else "", Order.LIVE if by == Order.LIVE else Order.LAST


async def _causes(request: web.Request) -> Causes:
    asked, (state, order) = asked_in(request.query), _how(request)
    store = Groups(request.app[CONSOLE].redis)
    wanted = GroupFilter(
        asked["connection"] or None,
        asked["failure"] or None,
        _STATES.get(state),
        asked["text"] or None,
        kind=asked["kind"] or None,
        campaign=asked["campaign"] or None,
    )
    if asked["person"]:
        of = await _died_of(request, filter_of(asked))
        groups = await store.get([mark for mark, _ in of.most_common(SHOWN)])
        return Causes([group for group in groups if wanted.wants(group)], None, of)
    try:
        groups, cursor = await store.whole_page(
            wanted, request.query.get("before", ""), SHOWN, order
        )
    except ValueError:
        raise web.HTTPBadRequest(text="This is no place in the list.") from None
    return Causes(groups, cursor, Counter())


async def _died_of(request: web.Request, wanted: Filter) -> Counter[str]:
    letters = DeadLetters(request.app[CONSOLE].redis)
    found, _ = await letters.whole_page(wanted, "", _OF_A_PERSON)
    return Counter(letter.fingerprint for letter in found)
