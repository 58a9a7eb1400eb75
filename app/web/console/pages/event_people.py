"""Events of one person, as far as anything here knows whom an event is about.

Dead letters have an index of people; of what was delivered only the sample of recent events has the
bodies. Whom somebody asked for stands in no address, and is not written down; that they asked is.
"""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

from aiohttp import web

from app.core.dead_letter import is_about
from app.core.event import peek_event
from app.store.dead_letters import DeadLetters, Filter
from app.store.samples import Sample
from app.web.console import look
from app.web.console.config import CONSOLE, Console
from app.web.console.forms import read_form
from app.web.console.trail import note

SHOWN: Final = 50
_PERSON_MAX: Final = 320


class Known(NamedTuple):
    """One event. `letter`: its dead letter, 0 = it is in the sample."""

    at_ms: int
    connection: str
    kind: str
    event_id: str
    letter: int = 0


class Events(NamedTuple):
    """The latest of a person. `more`: there are further dead letters."""

    known: list[Known]
    more: bool


async def page(request: web.Request) -> web.Response:
    """POST /events/person: person."""
    console = request.app[CONSOLE]
    person = (await read_form(request)).get("person", "").strip()
    if not 0 < len(person) <= _PERSON_MAX:
        raise web.HTTPBadRequest(text=f"A person has 1 to {_PERSON_MAX} characters.")
    await note(request, "events.person")
    panel = await console.panels.show("person", lambda: _events(console, person), keep=False)
    return look.render(request, "event_people.html", {"panel": panel, "found": panel.data})


async def _events(console: Console, person: str) -> Events:
    letters, cursor = await DeadLetters(console.redis).whole_page(Filter(person=person), "", SHOWN)
    known = [
        Known(each.dead_ms, each.connection, each.kind, each.event_id, each.number)
        for each in letters
    ]
    for name in sorted(await console.lane_views.known()):
        samples = await console.samples.recent(name, console.samples.keep_events)
        known += await asyncio.to_thread(_among, name, samples, person)
    known.sort(key=lambda each: -each.at_ms)
    return Events(known[: 2 * SHOWN], cursor is not None)


def _among(connection: str, samples: list[Sample], person: str) -> list[Known]:
    found = []
    for sample in samples:
        if is_about(sample.body, person):
            event_id, kind = peek_event(sample.body)
            found.append(Known(sample.received_ms, connection, kind, event_id))
    return found
