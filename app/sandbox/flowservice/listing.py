"""Lists of Flow Service: `property=`, `orderby`, `count`, pages (platform.md section 1.10)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from app.sandbox.gateway.errors import Turned, api_error, json_answer
from app.sandbox.gateway.filters import BadFilter, Filter, ordered
from app.sandbox.gateway.view import View

# Neither is documented: ours.
_LIMIT: Final = 20
_LIMIT_MAX: Final = 100


def listed(
    request: web.Request, view: View, items: Sequence[dict[str, Any]], path: str
) -> web.Response:
    """The items that all filters take, newest first when no order is asked for. Raises Turned."""
    query = request.query
    if "limit" in query and "count" in query:
        text = "The limit and count parameters cannot be given together in the same request."
        raise api_error(view.sandbox, view.side, 400, text, "1401-400")
    try:
        filters = [Filter.parse(text) for text in query.getall("property", [])]
        found = [item for item in items if all(f.takes(item) for f in filters)]
        found = ordered(found, query.get("orderby") or query.get("orderBy") or "-createdAt")
    except BadFilter as fault:
        raise api_error(view.sandbox, view.side, 400, fault.text, fault.code) from None
    if query.get("count") == "true":
        return json_answer({"count": len(found)})
    limit, start = _limit(request, view), _start(request, view)
    body: dict[str, Any] = {"items": view.page(found[start : start + limit]), "_links": {}}
    if start + limit < len(found):
        body["_links"] = {"next": {"href": _next(request, path, limit, start + limit)}}
    return json_answer(body)


def _limit(request: web.Request, view: View) -> int:
    text = request.query.get("limit", str(_LIMIT))
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise api_error(view.sandbox, view.side, 400, f"Invalid value {text} for limit", "1452-400")
    return min(int(text), _LIMIT_MAX)


def _start(request: web.Request, view: View) -> int:
    token = request.query.get("continuationToken", "")
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error):
        raise _bad_token(view) from None


def _bad_token(view: View) -> Turned:
    text = "Invalid params continuationToken provided in query params."
    return api_error(view.sandbox, view.side, 400, text, "1451-400")


def _next(request: web.Request, path: str, limit: int, start: int) -> str:
    kept = [(k, v) for k, v in request.query.items() if k not in ("continuationToken", "limit")]
    token = base64.urlsafe_b64encode(str(start).encode()).decode()
    return f"{path}?{urlencode([*kept, ('limit', limit), ('continuationToken', token)])}"
