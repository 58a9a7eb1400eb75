"""The calls about mapping sets (platform.md section 4.1). No page says how to delete one."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from app.sandbox.dataprep.stored import (
    destination_of,
    kind_of,
    mappings_of,
    source_of,
    stamp,
    stored,
)
from app.sandbox.gateway.errors import api_error, json_answer
from app.sandbox.gateway.view import View
from app.sandbox.plane.body import client_of, object_of, refused
from app.sandbox.plane.document import Document
from app.sandbox.plane.media import Media

_ORDERS: Final = ("createdDate", "updatedDate")
_KINDS: Final = ("text/x.schema-path", "text/x.aep-xl", "text/plain")
# The registry's own; a set may come back with what Platform gave it.
_SAID: Final = ("name", "inputSchema", "outputSchema", "mappings", "allowNullValues", "tags")


async def create_set(request: web.Request, view: View) -> web.StreamResponse:
    """200 with id and version 0; a set that cannot be read is 400."""
    body = checked_set(view, await object_of(request, view))
    sandbox = view.sandbox
    document = Document.new(sandbox, sandbox.mint.hex(32), body, client_of(request))
    sandbox.plane.mapping_sets[document.id] = [document]
    return json_answer(stamp(document, 0))


async def replace_set(request: web.Request, view: View) -> web.StreamResponse:
    """PUT: the whole set anew, one version further; flows stay on the old one (section 1.10)."""
    versions = _wanted(request, view)
    body = checked_set(view, await object_of(request, view))
    document = Document.new(view.sandbox, versions[0].id, body, client_of(request))
    document.created_ms, document.created_by = versions[0].created_ms, versions[0].created_by
    versions.append(document)
    return json_answer(stored(document, len(versions) - 1))


async def list_sets(request: web.Request, view: View) -> web.StreamResponse:
    """The newest version of each; limit and start are both required."""
    query = request.query
    limit, start = _number(request, view, "limit"), _number(request, view, "start")
    found = list(view.sandbox.plane.mapping_sets.values())
    if "name" in query:
        found = [each for each in found if each[-1].body.get("name") == query["name"]]
    order = query.get("orderBy", "-createdDate")
    field = order.lstrip("+- ")
    if field not in _ORDERS:
        raise refused(view, f"orderBy must be + or -, then one of {', '.join(_ORDERS)}")
    key = "created_ms" if field == "createdDate" else "updated_ms"
    found.sort(key=lambda each: getattr(each[-1], key), reverse=order.startswith("-"))
    page = [stored(each[-1], len(each) - 1) for each in found[start : start + limit]]
    body = {"data": list(view.page(page)), "_page": {"count": len(found), "limit": limit}}
    return json_answer(body)


async def show_set(request: web.Request, view: View) -> web.StreamResponse:
    document, version = _version(request, view)
    return json_answer(stored(document, version))


async def show_mappings(request: web.Request, view: View) -> web.StreamResponse:
    document, version = _version(request, view)
    return json_answer(mappings_of(document, version))


async def show_mapping(request: web.Request, view: View) -> web.StreamResponse:
    document, version = _version(request, view)
    for mapping in mappings_of(document, version):
        if mapping["id"] == request.match_info["mapping"]:
            return json_answer(mapping)
    raise api_error(view.sandbox, view.side, 404, "There is no such mapping")


def checked_set(view: View, given: dict[str, Any]) -> dict[str, Any]:
    """What of a set is kept. Raises Turned: its form, its schema, or what it says is wrong."""
    body = {key: given[key] for key in _SAID if given.get(key) is not None}
    check_rows(view, body.get("mappings"))
    output = body.get("outputSchema")
    # Older sets have it on top (help/data-prep/api/mapping-set.md).
    reference = output.get("schemaRef") if isinstance(output, dict) else given.get("schemaRef")
    if not isinstance(reference, dict) or Media.parse(reference.get("contentType")) is None:
        text = "outputSchema.schemaRef needs id and contentType such as "
        raise refused(view, f"{text}application/vnd.adobe.xed-full+json;version=1")
    schema = view.sandbox.plane.resources.get(str(reference.get("id")))
    if schema is None or schema.kind != "schemas":
        raise refused(view, f"outputSchema: there is no schema {reference.get('id')}")
    body["outputSchema"] = {"schemaRef": reference}
    if faults := view.sandbox.judge.unreadable(body):
        raise refused(view, faults[0])
    return body


def check_rows(view: View, rows: Any) -> None:
    """Raises Turned: every row needs a type, a source and a destination."""
    if not isinstance(rows, list) or not rows:
        raise refused(view, "mappings must be a list with at least one mapping")
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise refused(view, f"mappings[{number}] must be an object")
        if kind_of(row) not in _KINDS:
            raise refused(view, f"mappings[{number}].sourceType {row['sourceType']} is unknown")
        if source_of(row) is None or not isinstance(destination_of(row), str):
            raise refused(view, f"mappings[{number}] needs source and destination")


def _wanted(request: web.Request, view: View) -> list[Document]:
    found = view.sandbox.plane.mapping_sets.get(request.match_info["id"])
    if found is None:
        text = f"Mapping set {request.match_info['id']} not found"
        raise api_error(view.sandbox, view.side, 404, text)
    return found


def _version(request: web.Request, view: View) -> tuple[Document, int]:
    versions = _wanted(request, view)
    if "version" not in request.query:
        return versions[-1], len(versions) - 1
    version = _number(request, view, "version")
    if version >= len(versions):
        raise api_error(view.sandbox, view.side, 404, f"There is no version {version}")
    return versions[version], version


def _number(request: web.Request, view: View, name: str) -> int:
    text = request.query.get(name, "")
    if not (text.isascii() and text.isdigit()):
        raise refused(view, f"{name} is required and must be a whole number")
    return int(text)
