"""Lists of the Schema Registry: filters, order, pages (platform.md section 5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from aiohttp import web

from app.sandbox.gateway.view import View
from app.sandbox.plane.body import refused

_FILTER: Final = re.compile(r"([^=!<>]+?)(==|!=|<=|>=|<|>)(.*)", re.DOTALL)
_LIMIT_MAX: Final = 500
# How many come when no limit is asked for (help/xdm/api/schemas.md).
_LIMIT: Final = 300


def listed(
    request: web.Request, view: View, items: Sequence[dict[str, Any]], name: str
) -> dict[str, Any]:
    """The body of a list. Raises Turned."""
    query = request.query
    found = [item for item in items if all(_takes(t, item) for t in query.getall("property", []))]
    order = query.get("orderby", "")
    if not order and ("limit" in query or "start" in query):
        raise refused(view, "limit and start can only be used with orderby")
    limit = _limit(request, view)
    key = order.split(",")[0].lstrip("+- ")
    if order:
        found.sort(key=lambda item: str(item.get(key, "")), reverse=order.startswith("-"))
    if "start" in query:
        found = _after(found, key, query["start"], order.startswith("-"))
    page = list(view.page(found[:limit]))
    more = len(found) > limit
    following = str(page[-1].get(key, "")) if more and page else None
    url = request.url.origin().join(request.url.with_query(None))
    link = None
    if following is not None:
        href = url.with_query({**query, "start": following, "limit": str(limit)})
        link = {"href": str(href)}
    return {
        "results": page,
        "_page": {"orderby": order or "updated", "next": following, "count": len(page)},
        "_links": {"next": link, f"global_{name}": {"href": str(url).replace("tenant", "global")}},
    }


def _after(
    items: list[dict[str, Any]], key: str, start: str, downwards: bool
) -> list[dict[str, Any]]:
    """`start` is the last value of the page before, not a position."""
    if downwards:
        return [item for item in items if str(item.get(key, "")) < start]
    return [item for item in items if str(item.get(key, "")) > start]


def _limit(request: web.Request, view: View) -> int:
    text = request.query.get("limit", str(_LIMIT))
    if not (text.isascii() and text.isdigit() and int(text) <= _LIMIT_MAX):
        raise refused(view, f"limit must be 0 to {_LIMIT_MAX}")
    return int(text)


def _takes(text: str, item: dict[str, Any]) -> bool:
    """Whether a filter holds; a bare name asks whether the property exists."""
    found = _FILTER.fullmatch(text)
    if found is None:
        return text in item
    key, operator, wanted = found.groups()
    value = item.get(key)
    if operator == "==":
        return _equals(value, wanted)
    if operator == "!=":
        return not _equals(value, wanted)
    if value is None:
        return False
    return _compares(value, operator, wanted)


def _equals(value: Any, wanted: str) -> bool:
    if isinstance(value, list):
        return any(_equals(each, wanted) for each in value)
    return value is not None and str(value) == wanted


def _compares(value: Any, operator: str, wanted: str) -> bool:
    pair: tuple[Any, Any] = (str(value), wanted)
    with suppress(TypeError, ValueError):
        pair = (float(value), float(wanted))
    one, other = pair
    return bool(
        {"<": one < other, ">": one > other, "<=": one <= other, ">=": one >= other}[operator]
    )
