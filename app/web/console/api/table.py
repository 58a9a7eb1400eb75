"""Every address of /api/v1, who may call it, and what it is for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from aiohttp import web

from app.store.users import Role
from app.web.console import look
from app.web.console.api import acts, books, exchange, groups, letters, recipes, runs
from app.web.console.pages import overview
from app.web.console.route import FORM_BYTES, Route

BASE: Final = "/api/v1"
# A body of a megabyte, as a patch that puts all of it anew.
_EDIT_BYTES: Final = 4_000_000


class Entry(NamedTuple):
    """`about`: for people who write a program."""

    method: str
    path: str
    wants: Role
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    about: str
    body_bytes: int = FORM_BYTES


_V, _O = Role.VIEWER, Role.OPERATOR

ENTRIES: Final = (
    Entry("GET", "/overview", _V, overview.document, "the pipeline now: stages, rates, forecast"),
    Entry("GET", "/ledger", _V, books.ledger, "?connection=&hours=1"),
    Entry("GET", "/lanes", _V, books.lanes, "each lane"),
    Entry("POST", "/lanes/{name}/pause", _O, books.pause,
          '{"reason": text, "for": "10m"}; without `for` until it is resumed'),
    Entry("POST", "/lanes/{name}/resume", _O, books.resume, "whatever held it back"),
    Entry("GET", "/events/{event_id:.+}", _V, books.event,
          "what is known of one event; ?connection=&timestamp="),
    Entry("GET", "/audit", _O, books.audit, "who did what; ?cursor=&limit="),
    Entry("GET", "/dead-letters", _V, letters.listed,
          "?connection=&failure=&kind=&code=&event_id=&mapping=&campaign=&fingerprint=&text=&run=&"
          "died_after_ms=&died_before_ms=&cursor=&limit=, or ?numbers=1,2,3"),
    Entry("POST", "/dead-letters/list", _O, letters.listed,
          'the same in JSON, and {"person": id, address or cio_id}; written down'),
    Entry("POST", "/dead-letters/find", _O, letters.found,
          '{"word": event id, person, campaign, cause or error, "wanted": {}, "limit": 50}'),
    Entry("POST", "/dead-letters/search", _O, letters.searched,
          '{"text": what bodies hold, "wanted": {}, "cursor": ""}: some seconds'),
    Entry("POST", "/dead-letters/try", _O, acts.try_out,
          '{"wanted": {...}, "sample": 200}: what a replay would do'),
    Entry("POST", "/dead-letters/replay", _O, acts.replay, '{"numbers": [...]}: at once'),
    Entry("POST", "/dead-letters/discard", _O, acts.discard,
          '{"numbers": [...], "reason": text}: for good'),
    Entry("POST", "/dead-letters/export", _O, exchange.export,
          '{"wanted": {...}, "up_to": 0, "cursor": ""}: NDJSON; Sluice-Cursor and Sluice-Up-To go '
          "on, Sluice-Unread could not be read; written down"),
    Entry("POST", "/dead-letters/import", _O, exchange.import_,
          "NDJSON of an export; ?dry=1 takes none in", exchange.IMPORT_BYTES),
    Entry("GET", "/dead-letters/groups", _V, groups.listed,
          "causes; ?connection=&failure=&kind=&campaign=&mapping=&text=&state=&seen_after_ms=&"
          "seen_before_ms=&order=&empty=1&cursor=&limit=, or ?begins=3fa9"),
    Entry("GET", "/dead-letters/groups/{mark}", _V, groups.one, "one cause"),
    Entry("PUT", "/dead-letters/groups/{mark}/note", _O, groups.write, '{"text": ...}'),
    Entry("PUT", "/dead-letters/groups/{mark}/state", _O, groups.turn,
          '{"state": "known", "resolved" or "reopened"}'),
    Entry("GET", "/dead-letters/{number}", _V, letters.one,
          "values masked; with ?whole=1, for operators, as they are; written down"),
    Entry("PUT", "/dead-letters/{number}/edit", _O, acts.edit,
          '{"patch": [...]}, RFC 6902: what a replay sends instead', _EDIT_BYTES),
    Entry("DELETE", "/dead-letters/{number}/edit", _O, acts.undo, "a replay sends the body again"),
    Entry("GET", "/replays", _V, runs.listed, "bulk replays, newest first; ?limit="),
    Entry("POST", "/replays", _O, runs.freeze,
          '{"wanted": {...}, "rate": 500, "stop_at": 0.2, "stop_least": 100} or {"recipe": NAME}: '
          "frozen, not started"),
    Entry("GET", "/replays/{number}", _V, runs.one, "one of them"),
    Entry("POST", "/replays/{number}/start", _O, runs.start, '{"expected": its `frozen`}'),
    Entry("POST", "/replays/{number}/pause", _O, runs.turn, '{"reason": text}'),
    Entry("POST", "/replays/{number}/resume", _O, runs.turn, '{"rate": 500}'),
    Entry("POST", "/replays/{number}/cancel", _O, runs.turn, '{"reason": text}'),
    Entry("GET", "/recipes", _V, recipes.listed, "saved repairs"),
    Entry("POST", "/recipes/dry-run", _O, recipes.try_out,
          '{"text": YAML or "recipe": NAME, "sample": 200, "shown": 5}', recipes.RECIPE_BYTES),
    Entry("POST", "/recipes/unfit", _O, recipes.unfit,
          '{"text": YAML, "connections": [...]}: those mapped by another version than it wants',
          recipes.RECIPE_BYTES),
    Entry("GET", "/recipes/{name}", _V, recipes.one, "one of them"),
    Entry("PUT", "/recipes/{name}", _O, recipes.save, '{"text": YAML}', recipes.RECIPE_BYTES),
    Entry("DELETE", "/recipes/{name}", _O, recipes.delete, "runs that follow it go on"),
)  # fmt: skip


async def index(request: web.Request) -> web.Response:
    """GET /api/v1: this table."""
    told = [
        {"method": x.method, "path": BASE + x.path.replace(":.+", ""), "role": x.wants,
         "about": x.about}
        for x in ENTRIES
    ]  # fmt: skip
    return look.json_response({"about": _ABOUT, "addresses": told})


_ABOUT: Final = (
    "Authorization: Bearer TOKEN (sluice users token add). Bodies are JSON. Lists are pages: "
    "`cursor` goes on, null = that was all; a page may be short. Refusals are "
    '{"error": text}. Times are Unix ms. '
    "`wanted` has the filters of GET dead-letters, and `person`; {} is all."
)

API_ROUTES: Final = (
    Route("GET", BASE, _V, index),
    *(Route(x.method, BASE + x.path, x.wants, x.handler, x.body_bytes) for x in ENTRIES),
)
