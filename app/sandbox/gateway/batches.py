"""Catalog: GET /batches and /batches/{id} (platform.md sections 5.3 and 6.2)."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from app.sandbox.gateway.batch import batch_of
from app.sandbox.gateway.errors import api_error, json_answer
from app.sandbox.gateway.runs import EXPORT
from app.sandbox.gateway.view import View

# The default is not documented: ours.
_LIMIT: Final = 20
_LIMIT_MAX: Final = 100
_ORDERS: Final = ("created", "updated")


async def list_batches(request: web.Request, view: View) -> web.StreamResponse:
    """An object keyed by batch id, in the order asked for; newest first by default."""
    query = request.query
    limit = number(request, view, "limit", _LIMIT)
    if not 1 <= limit <= _LIMIT_MAX:
        raise api_error(view.sandbox, view.side, 400, f"limit must be 1 to {_LIMIT_MAX}")
    start = number(request, view, "start", 0)
    after = number(request, view, "createdAfter", -1)
    before = number(request, view, "createdBefore", 1 << 62)
    statuses = query["status"].split(",") if "status" in query else None
    found = [
        batch
        for batch in _batches(request, view)
        if after < batch["created"] < before
        and (statuses is None or batch["status"] in statuses)
        and query.get("dataSet") in (None, batch["relatedObjects"][0]["id"])
    ]
    direction, field = _order(request, view)
    found.sort(key=lambda batch: batch[field], reverse=direction == "desc")
    page = view.page(found[start : start + limit])
    return json_answer({batch["id"]: batch for batch in page})


async def show_batch(request: web.Request, view: View) -> web.StreamResponse:
    """An object with the one batch, keyed by its id."""
    wanted = request.match_info["batch"]
    for batch in _batches(request, view):
        if batch["id"] == wanted:
            return json_answer({wanted: batch})
    raise api_error(view.sandbox, view.side, 404, f"batch {wanted} not found")


def number(request: web.Request, view: View, name: str, default: int) -> int:
    """A whole number of the query. Raises Turned (400)."""
    text = request.query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise api_error(view.sandbox, view.side, 400, f"{name} must be a whole number")
    return int(text)


def _batches(request: web.Request, view: View) -> list[dict[str, Any]]:
    url = f"{request.url.origin()}{EXPORT}"
    return [batch_of(cut, kind, url) for cut in view.cuts() for kind in cut.kinds()]


def _order(request: web.Request, view: View) -> tuple[str, str]:
    text = request.query.get("orderBy", "desc:created")
    direction, _, field = text.partition(":")
    if direction not in ("asc", "desc") or field not in _ORDERS:
        raise api_error(view.sandbox, view.side, 400, "orderBy must be asc or desc, then :created")
    return direction, field
