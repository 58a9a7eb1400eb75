"""The calls about datasets (platform.md section 5.3)."""

from __future__ import annotations

import re
from typing import Any, Final

from aiohttp import web

from app.sandbox.gateway.errors import api_error, json_answer
from app.sandbox.gateway.view import View
from app.sandbox.plane.body import client_of, json_of, object_of, patched, refused, text_in
from app.sandbox.plane.document import Document
from app.sandbox.plane.media import Media

_LIMIT: Final = 20
_LIMIT_MAX: Final = 100
_JSON_PATCH: Final = "application/json-patch+json"
_PROFILE_TAGS: Final = ("unifiedProfile", "unifiedIdentity")
_READ_ONLY: Final = ("id", "created", "updated", "imsOrg", "version", "createdUser")
# ISO 8601, as the reference's P3Y is.
_PERIOD: Final = re.compile(r"P(?=\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?", re.ASCII)


async def create_dataset(request: web.Request, view: View) -> web.StreamResponse:
    """201 with a list of one reference."""
    body = await object_of(request, view)
    for key in _READ_ONLY:
        body.pop(key, None)
    _check(view, body)
    # There always: the reference adds `/tags/unifiedProfile` to a dataset as it is.
    body.setdefault("tags", {})
    sandbox = view.sandbox
    document = Document.new(sandbox, sandbox.mint.hex(24), body, client_of(request))
    sandbox.plane.datasets[document.id] = document
    return json_answer([f"@/dataSets/{document.id}"], 201)


async def list_datasets(request: web.Request, view: View) -> web.StreamResponse:
    """An object keyed by dataset id, newest first."""
    query = request.query
    limit, start = _number(request, view, "limit", _LIMIT), _number(request, view, "start", 0)
    if not 1 <= limit <= _LIMIT_MAX:
        raise refused(view, f"limit must be 1 to {_LIMIT_MAX}")
    found = [_shown(request, view, each) for each in view.sandbox.plane.datasets.values()]
    if "name" in query:
        found = [each for each in found if each["name"] in query["name"].split(",")]
    for text in query.getall("property", []):
        found = [each for each in found if _takes(view, text, each)]
    direction, _, field = query.get("orderBy", "desc:created").rpartition(":")
    if direction not in ("asc", "desc", ""):
        raise refused(view, "orderBy must be asc or desc, then :created")
    found.sort(key=lambda each: str(each.get(field, "")), reverse=direction == "desc")
    page = view.page(found[start : start + limit])
    return json_answer({each["id"]: _only(request, each) for each in page})


async def show_dataset(request: web.Request, view: View) -> web.StreamResponse:
    """An object with the one dataset, keyed by its id."""
    document = _wanted(request, view)
    return json_answer({document.id: _only(request, _shown(request, view, document))})


async def update_dataset(request: web.Request, view: View) -> web.StreamResponse:
    """Fields as JSON, or a JSON Patch under the Content-Type of its own."""
    document = _wanted(request, view)
    given = await json_of(request, view, "application/json", _JSON_PATCH)
    if request.content_type == _JSON_PATCH:
        # The reference shows a single operation as well as a list.
        body = patched(view, document.body, given if isinstance(given, list) else [given])
    elif isinstance(given, dict):
        body = {**document.body, **given}
    else:
        raise refused(view, f"A JSON Patch needs the Content-Type {_JSON_PATCH}")
    return _take(request, view, document, body)


async def update_expiry(request: web.Request, view: View) -> web.StreamResponse:
    """PATCH /v2/dataSets/{id}: fields are merged into what is there, level by level."""
    document = _wanted(request, view)
    return _take(request, view, document, _merged(document.body, await object_of(request, view)))


async def delete_dataset(request: web.Request, view: View) -> web.StreamResponse:
    """200 with what was deleted: nothing, when nothing was there (help/catalog/api)."""
    found = view.sandbox.plane.datasets.pop(request.match_info["id"], None)
    return json_answer([] if found is None else [f"@/dataSets/{found.id}"])


def _take(
    request: web.Request, view: View, document: Document, body: dict[str, Any]
) -> web.StreamResponse:
    for key in _READ_ONLY:
        if key in body:
            raise refused(view, f"{key} cannot be updated")
    if body.get("schemaRef") != document.body["schemaRef"]:
        raise refused(view, "schemaRef cannot be updated")
    _check(view, body)
    document.change(view.sandbox, body, client_of(request))
    return json_answer([f"@/dataSets/{document.id}"])


def _check(view: View, body: dict[str, Any]) -> None:
    text_in(view, body, "name")
    reference = body.get("schemaRef")
    if not isinstance(reference, dict):
        raise refused(view, "schemaRef is required and must be an object")
    media = Media.parse(reference.get("contentType"))
    if media is None or not media.version:
        text = "must be like application/vnd.adobe.xed-full+json;version=1"
        raise refused(view, f"schemaRef.contentType {text}")
    schema = view.sandbox.plane.resources.get(str(reference.get("id")))
    if schema is None or schema.kind != "schemas" or media.major != "1":
        raise refused(view, f"schemaRef: there is no schema {reference.get('id')} in that version")
    if _profile(view, body) and not schema.union:
        raise refused(view, "To enable profile datasets the schema should be valid")
    _check_expiry(view, body)


def _profile(view: View, body: dict[str, Any]) -> bool:
    """Whether Profile or Identity is switched on. Raises Turned."""
    tags = body.get("tags", {})
    values = tags.values() if isinstance(tags, dict) else [None]
    if not all(isinstance(each, list) and all(isinstance(t, str) for t in each) for each in values):
        raise refused(view, "tags must be an object of lists of texts")
    return any("enabled:true" in tags.get(name, []) for name in _PROFILE_TAGS)


def _check_expiry(view: View, body: dict[str, Any]) -> None:
    here: Any = body
    for name in ("extensions", "adobe_lakeHouse", "rowExpiration"):
        here = here.get(name, {}) if isinstance(here, dict) else {}
    period = here.get("ttlValue") if isinstance(here, dict) else None
    if period is not None and (not isinstance(period, str) or not _PERIOD.fullmatch(period)):
        text = "must be a period such as P3Y"
        raise refused(view, f"extensions.adobe_lakeHouse.rowExpiration.ttlValue {text}")


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}


def _wanted(request: web.Request, view: View) -> Document:
    found = view.sandbox.plane.datasets.get(request.match_info["id"])
    if found is None:
        text = f"Dataset {request.match_info['id']} not found"
        raise api_error(view.sandbox, view.side, 404, text)
    return found


def _shown(request: web.Request, view: View, document: Document) -> dict[str, Any]:
    return {
        **document.body,
        "id": document.id,
        "imsOrg": request.headers["x-gw-ims-org-id"],
        "created": document.created_ms,
        "updated": document.updated_ms,
        "createdUser": document.created_by,
        "version": document.etag.strip('"'),
        "state": "ACTIVE",
    }


def _only(request: web.Request, shown: dict[str, Any]) -> dict[str, Any]:
    """The properties that were asked for."""
    if "properties" not in request.query:
        return shown
    wanted = request.query["properties"].split(",")
    return {key: value for key, value in shown.items() if key in wanted}


def _takes(view: View, text: str, shown: dict[str, Any]) -> bool:
    path, equals, wanted = text.partition("==")
    if not equals:
        raise refused(view, f"property={text}: wanted path==value")
    here: Any = shown
    for name in path.split("."):
        here = here.get(name) if isinstance(here, dict) else None
    return here is not None and str(here) == wanted


def _number(request: web.Request, view: View, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise refused(view, f"{name} must be a whole number")
    return int(text)
