"""The calls about classes, field groups and schemas (platform.md section 5.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from aiohttp import web

from app.sandbox.gateway.errors import api_error, json_answer
from app.sandbox.gateway.view import View
from app.sandbox.plane.body import client_of, json_of, object_of, patched, refused
from app.sandbox.plane.document import Document
from app.sandbox.plane.media import Media
from app.sandbox.registry.accept import LIST_FORMS, accepted, accepted_version
from app.sandbox.registry.compose import class_of, composed, full
from app.sandbox.registry.evolution import breaks
from app.sandbox.registry.listing import listed
from app.sandbox.registry.resource import (
    ID_NAMES,
    NS,
    SAID,
    Container,
    Kind,
    Resource,
    without_texts,
)
from app.sandbox.registry.rules import check_resource, check_union, kind_of

_RAW: Final = ("xed", "xed-notext")


async def show_stats(request: web.Request, view: View) -> web.StreamResponse:
    """GET /stats: the tenant's name, which nothing else tells."""
    accepted(request, view, *LIST_FORMS)
    sandbox = view.sandbox
    counts = {
        ID_NAMES[kind]: sum(
            each.kind == kind and each.container == "tenant"
            for each in sandbox.plane.resources.values()
        )
        for kind in ID_NAMES
    }
    org_id = request.headers["x-gw-ims-org-id"]
    return json_answer({"imsOrg": org_id, "tenantId": sandbox.config.tenant, "counts": counts})


async def list_resources(request: web.Request, view: View) -> web.StreamResponse:
    container, kind = _place(request, view)
    media = accepted(request, view, *LIST_FORMS)
    found = [
        each
        for each in view.sandbox.plane.resources.values()
        if each.kind == kind and each.container == container
    ]
    # Filters see everything of a resource, whatever of it is shown then.
    body = listed(request, view, [_shown(request, view, each) for each in found], kind)
    if media.form == "xed-id":
        by_id = {each.id: each.summary() for each in found}
        body["results"] = [by_id[item["$id"]] for item in body["results"]]
    return json_answer(body)


async def show_resource(request: web.Request, view: View) -> web.StreamResponse:
    media = accepted_version(request, view)
    resource = _wanted(request, view)
    if media.major != "1":
        raise _not_found(view, resource.id, media.version)
    return json_answer(_form(request, view, resource, media))


async def create_resource(request: web.Request, view: View) -> web.StreamResponse:
    """201 with the whole resource. `$id`, `meta:altId` and `version` are the registry's."""
    _, kind = _place(request, view)
    sandbox = view.sandbox
    given = await object_of(request, view)
    id = f"{NS}{sandbox.config.tenant}/{ID_NAMES[kind]}/{sandbox.mint.hex(32)}"
    body = {key: given[key] for key in SAID if key in given}
    resource = Resource(Document.new(sandbox, id, body, client_of(request)), kind, "tenant")
    check_resource(view, resource)
    sandbox.plane.resources[id] = resource
    sandbox.plane.revision += 1
    return json_answer(_shown(request, view, resource), 201)


async def replace_resource(request: web.Request, view: View) -> web.StreamResponse:
    """PUT: everything anew, in the same place."""
    given = await object_of(request, view)
    resource = _wanted(request, view)
    return _take(request, view, resource, {key: given[key] for key in SAID if key in given})


async def patch_resource(request: web.Request, view: View) -> web.StreamResponse:
    """JSON Patch on what its maker said."""
    patch = await json_of(request, view)
    resource = _wanted(request, view)
    operations = (
        [each for each in patch if isinstance(each, dict)] if isinstance(patch, list) else []
    )
    for operation in operations:
        root = str(operation.get("path", "")).split("/")[1:2]
        if root and root[0] not in SAID:
            raise refused(view, f"/{root[0]} is read-only or unknown")
    # An empty list that is not there yet is one that can be added to.
    body = {"allOf": [], **resource.document.body}
    return _take(request, view, resource, patched(view, body, patch))


async def delete_resource(request: web.Request, view: View) -> web.StreamResponse:
    """204; 400 while a schema or a dataset is made of it."""
    resource, plane = _wanted(request, view), view.sandbox.plane
    if users := [each.title for each in plane.resources.values() if resource.id in each.refs()]:
        raise refused(view, f"It is used by the schema {users[0]}")
    if used_by_dataset(view, resource.id):
        raise refused(view, "It is used by a dataset")
    del plane.resources[resource.id]
    for id, descriptor in list(plane.descriptors.items()):
        if descriptor.body["xdm:sourceSchema"] == resource.id:
            del plane.descriptors[id]
    plane.revision += 1
    return web.Response(status=204)


def used_by_dataset(view: View, schema_id: str) -> bool:
    datasets = view.sandbox.plane.datasets.values()
    return any(each.body["schemaRef"]["id"] == schema_id for each in datasets)


def _take(
    request: web.Request, view: View, resource: Resource, body: dict[str, Any]
) -> web.StreamResponse:
    """Let a resource become `body`, with all schemas that are made of it. Raises Turned."""
    plane = view.sandbox.plane
    document = replace(resource.document, body=body)
    changed = replace(resource, document=document, minor=resource.minor + 1)
    check_resource(view, changed)
    check_union(view, resource, changed)
    after = {**plane.resources, changed.id: changed}
    for schema in plane.resources.values():
        touched = schema.id == changed.id or changed.id in schema.refs()
        frozen = schema.union or used_by_dataset(view, schema.id)
        if schema.kind == "schemas" and touched and frozen:
            old, new = composed(schema, plane.resources), composed(after[schema.id], after)
            if fault := breaks(old, new):
                text = f"The schema {schema.title} is in use and allows additions only: {fault}"
                raise refused(view, text)
    document.touch(view.sandbox, client_of(request))
    plane.resources[changed.id] = changed
    plane.revision += 1
    return json_answer(_shown(request, view, changed))


def _place(request: web.Request, view: View) -> tuple[Container, Kind]:
    kind = kind_of(request.match_info["kind"])
    if kind is None:
        raise _not_found(view, request.match_info["kind"], "1")
    tenant = request.match_info.get("container", "tenant") == "tenant"
    return ("tenant" if tenant else "global"), kind


def _wanted(request: web.Request, view: View) -> Resource:
    """By `$id`, which comes URL-encoded, or by `meta:altId`. Raises Turned."""
    container, kind = _place(request, view)
    asked = request.match_info["id"]
    for each in view.sandbox.plane.resources.values():
        if asked in (each.id, each.alt_id) and (each.kind, each.container) == (kind, container):
            return each
    raise _not_found(view, asked, "1")


def _form(request: web.Request, view: View, resource: Resource, media: Media) -> dict[str, Any]:
    shown = _shown(request, view, resource)
    if media.form not in _RAW:
        shown = full(shown, resource, view.sandbox.plane.resources)
    if media.form == "xed-full-desc":
        shown["meta:descriptors"] = [
            {"@id": each.id, **each.body}
            for each in view.sandbox.plane.descriptors.values()
            if each.body["xdm:sourceSchema"] == resource.id
        ]
    if media.form.endswith("notext"):
        found: dict[str, Any] = without_texts(shown)
        return found
    return shown


def _shown(request: web.Request, view: View, resource: Resource) -> dict[str, Any]:
    sandbox = view.sandbox
    class_id = class_of(resource, sandbox.plane.resources)
    org_id = request.headers["x-gw-ims-org-id"]
    return resource.shown(sandbox.config.tenant, org_id, class_id)


def _not_found(view: View, asked: str, version: str) -> Exception:
    text = f"Object {asked} with version {version} not found"
    return api_error(view.sandbox, view.side, 404, text, "XDM-1012-404", "Resource not found")
