"""Events as they come: a sample of what was mapped lately, by connection and kind.

Which events there were is for everybody; what is in one is somebody's personal data, so only
operators may look, and their looking is written down.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from aiohttp import web

from app.core.event import peek_event
from app.core.moments import moment
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.trail import note

SHOWN: Final = 50

# Read of each connection: so many at most lie between two of a rare kind.
_LOOKED_AT: Final = 500


class Seen(NamedTuple):
    """One event of the sample, without what is in it."""

    at_ms: int
    connection: str
    kind: str
    event_id: str


class Tail(NamedTuple):
    """The latest events, and by what they can be chosen."""

    events: list[Seen]
    connections: list[str]
    kinds: list[str]


async def page(request: web.Request) -> web.Response:
    """GET /tail?connection=&kind=."""
    connection, kind = _asked(request)
    panel = await request.app[CONSOLE].panels.show(
        ("tail", connection, kind), lambda: _tail(request)
    )
    context = {"panel": panel, "connection": connection, "kind": kind}
    kept = request.app[CONSOLE].samples.keep_events
    return look.render(request, "tail.html", {**context, "off": kept == 0})


async def document(request: web.Request) -> web.Response:
    """GET /api/tail?connection=&kind=."""
    tail = await _tail(request)
    return look.json_response([{**e._asdict(), "at": moment(e.at_ms)} for e in tail.events])


async def body_page(request: web.Request) -> web.Response:
    """GET /tail/body?connection=&event_id=: the body, while it is in the sample."""
    console = request.app[CONSOLE]
    name = request.query.get("connection", "")
    event_id = request.query.get("event_id", "")

    async def find() -> bytes | None:
        for sample in await console.samples.recent(name, console.samples.keep_events):
            if peek_event(sample.body)[0] == event_id:
                await note(request, "events.open", event_id)
                return sample.body
        return None

    panel = await console.panels.show(("body", name, event_id), find, keep=False)
    status = 404 if panel.data is None and not panel.fault else 200
    context = {"panel": panel, "name": name, "event_id": event_id}
    return look.render(request, "event_body.html", context, status=status)


async def _tail(request: web.Request) -> Tail:
    console = request.app[CONSOLE]
    wanted, kind = _asked(request)
    names = sorted(await console.lane_views.known())
    seen: list[Seen] = []
    for name in names:
        if wanted in ("", name):
            for sample in await console.samples.recent(name, _LOOKED_AT):
                event_id, found = peek_event(sample.body)
                seen.append(Seen(sample.received_ms, name, found, event_id))
    seen.sort(key=lambda event: -event.at_ms)
    kinds = sorted({event.kind for event in seen})
    return Tail([e for e in seen if kind in ("", e.kind)][:SHOWN], names, kinds)


def _asked(request: web.Request) -> tuple[str, str]:
    return request.query.get("connection", ""), request.query.get("kind", "")
