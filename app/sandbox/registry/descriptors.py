"""Identity descriptors (platform.md section 5.1, step 3)."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from app.sandbox.gateway.errors import api_error, json_answer
from app.sandbox.gateway.view import View
from app.sandbox.plane.body import client_of, object_of, refused
from app.sandbox.plane.document import Document
from app.sandbox.registry.accept import DESCRIPTOR_FORMS, accepted, descriptor_accepted
from app.sandbox.registry.compose import at_path, composed

_IDENTITY: Final = "xdm:descriptorIdentity"
_MOST: Final = 4_000


async def create_descriptor(request: web.Request, view: View) -> web.StreamResponse:
    """201 with the descriptor and its `@id`."""
    body = await object_of(request, view)
    _check(view, body, "")
    sandbox = view.sandbox
    if len(sandbox.plane.descriptors) >= _MOST:
        raise refused(view, f"A sandbox takes at most {_MOST} descriptors")
    body.pop("@id", None)
    document = Document.new(sandbox, sandbox.mint.hex(40), body, client_of(request))
    sandbox.plane.descriptors[document.id] = document
    sandbox.plane.revision += 1
    return json_answer(_shown(document), 201)


async def list_descriptors(request: web.Request, view: View) -> web.StreamResponse:
    """By type; what each entry is, the `Accept` says: an id, a path, or the whole."""
    form = accepted(request, view, *DESCRIPTOR_FORMS).form
    found: dict[str, list[Any]] = {}
    for document in view.sandbox.plane.descriptors.values():
        entry: Any = _shown(document)
        if form == "xdm-id":
            entry = document.id
        elif form == "xdm-link":
            entry = f"/tenant/descriptors/{document.id}"
        found.setdefault(document.body["@type"], []).append(entry)
    return json_answer(found)


async def show_descriptor(request: web.Request, view: View) -> web.StreamResponse:
    descriptor_accepted(request, view)
    return json_answer(_shown(_wanted(request, view)))


async def replace_descriptor(request: web.Request, view: View) -> web.StreamResponse:
    """201 with its `@id`, as the guide says."""
    document = _wanted(request, view)
    body = await object_of(request, view)
    _check(view, body, document.id)
    _check_primary_stays(view, document)
    body.pop("@id", None)
    document.change(view.sandbox, body, client_of(request))
    view.sandbox.plane.revision += 1
    return json_answer({"@id": document.id}, 201)


async def delete_descriptor(request: web.Request, view: View) -> web.StreamResponse:
    document = _wanted(request, view)
    _check_primary_stays(view, document)
    del view.sandbox.plane.descriptors[document.id]
    view.sandbox.plane.revision += 1
    return web.Response(status=204)


def _shown(document: Document) -> dict[str, Any]:
    return {**document.body, "meta:containerId": "tenant", "@id": document.id}


def _wanted(request: web.Request, view: View) -> Document:
    found = view.sandbox.plane.descriptors.get(request.match_info["id"])
    if found is None:
        text = f"Descriptor {request.match_info['id']} not found"
        raise api_error(view.sandbox, view.side, 404, text, "XDM-1012-404", "Resource not found")
    return found


def _check_primary_stays(view: View, document: Document) -> None:
    """Raises Turned: not after data came in, in a schema that is enabled for Profile."""
    schema = view.sandbox.plane.resources[document.body["xdm:sourceSchema"]]
    if not (document.body.get("xdm:isPrimary") and schema.union):
        return
    datasets = view.sandbox.plane.datasets.values()
    ids = {each.id for each in datasets if each.body["schemaRef"]["id"] == schema.id}
    if any(cut.landed for cut in view.sandbox.lake.cuts.values() if cut.dataset_id in ids):
        raise refused(view, "The primary identity cannot be changed: there are data already")


def _check(view: View, body: dict[str, Any], own_id: str) -> None:
    if body.get("@type") != _IDENTITY:
        raise refused(view, f"@type must be {_IDENTITY}, the only one that this sandbox has")
    plane = view.sandbox.plane
    schema = plane.resources.get(str(body.get("xdm:sourceSchema")))
    if schema is None or schema.kind != "schemas":
        raise refused(view, "xdm:sourceSchema: there is no such schema")
    if body.get("xdm:sourceVersion") != 1:
        raise refused(view, "xdm:sourceVersion must be 1, the schema's major version")
    _check_path(view, body, composed(schema, plane.resources))
    _check_namespace(view, body)
    primary = body.get("xdm:isPrimary", False)
    if not isinstance(primary, bool):
        raise refused(view, "xdm:isPrimary must be true or false")
    for other in plane.descriptors.values():
        same = other.id != own_id and other.body["xdm:sourceSchema"] == schema.id
        if same and other.body["xdm:sourceProperty"] == body["xdm:sourceProperty"]:
            raise refused(view, "There is an identity descriptor on this field already")
        if same and primary and other.body.get("xdm:isPrimary"):
            raise refused(view, "A schema has one primary identity at most")


def _check_path(view: View, body: dict[str, Any], schema: dict[str, Any]) -> None:
    path = body.get("xdm:sourceProperty")
    good = isinstance(path, str) and path.startswith("/") and not path.endswith("/")
    if not isinstance(path, str) or not good or "properties" in path.split("/"):
        text = "must start with /, not end with one, and name no properties"
        raise refused(view, f"xdm:sourceProperty {text}")
    field = at_path(schema, path)
    if field is None:
        raise refused(view, f"xdm:sourceProperty: the schema has no field {path}")
    if field.get("type") != "string":
        raise refused(view, f"xdm:sourceProperty: {path} is no string")


def _check_namespace(view: View, body: dict[str, Any]) -> None:
    wanted, kind = body.get("xdm:namespace"), body.get("xdm:property")
    if kind not in ("xdm:code", "xdm:id"):
        raise refused(view, "xdm:property must be xdm:code or xdm:id")
    key = "code" if kind == "xdm:code" else "id"
    known = [each.body[key] for each in view.sandbox.plane.namespaces.values()]
    if wanted not in known:
        raise refused(view, f"xdm:namespace: there is no identity namespace {wanted}")
