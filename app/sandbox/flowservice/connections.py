"""The calls about base, source and target connections (platform.md sections 1.1, 1.4, 1.9, 1.10).

A change of a source or target connection is kept, and no flow ever hears of it (section 1.10).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from aiohttp import web

from app.sandbox.config import Inlet
from app.sandbox.flowservice.connection import (
    Check,
    check_base,
    check_read_only,
    check_source,
    check_target,
)
from app.sandbox.flowservice.listing import listed
from app.sandbox.flowservice.specs import CONNECTION_SPECS, FLOW_SPECS
from app.sandbox.gateway.errors import api_error, json_answer
from app.sandbox.gateway.view import View
from app.sandbox.plane.body import client_of, json_of, object_of, patched, refused
from app.sandbox.plane.document import Document
from app.sandbox.state import Sandbox

Table = Literal["connections", "sources", "targets"]
_PATCHES: Final = ("add", "replace", "remove")


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the three. `path`: its name in paths; `table`: where the plane keeps it."""

    path: str
    table: Table
    check: Check

    def all(self, view: View) -> dict[str, Document]:
        found: dict[str, Document] = getattr(view.sandbox.plane, self.table)
        return found

    async def create(self, request: web.Request, view: View) -> web.StreamResponse:
        """201 with id and etag."""
        body = await object_of(request, view)
        self.check(view, body)
        sandbox = view.sandbox
        document = Document.new(sandbox, sandbox.mint.uuid(), body, client_of(request))
        if self.table == "connections":
            open_inlet(sandbox, document)
        self.all(view)[document.id] = document
        return json_answer(_id_and_etag(document), 201)

    async def show(self, request: web.Request, view: View) -> web.StreamResponse:
        return json_answer({"items": [self._shown(request, view, self._wanted(request, view))]})

    async def list(self, request: web.Request, view: View) -> web.StreamResponse:
        items = [self._shown(request, view, each) for each in self.all(view).values()]
        return listed(request, view, items, f"/{self.path}")

    async def update(self, request: web.Request, view: View) -> web.StreamResponse:
        """JSON Patch under the etag that was read last; the answer has the next one."""
        document = self._wanted(request, view)
        check_etag(request, view, document)
        body = patched_body(view, document.body, await json_of(request, view))
        check_read_only(view, document.body, body)
        self.check(view, body)
        if self.table == "connections":
            keep_inlet(view, document.body, body)
        document.change(view.sandbox, body, client_of(request))
        return json_answer(_id_and_etag(document))

    async def delete(self, request: web.Request, view: View) -> web.StreamResponse:
        """204; 400 while a flow uses it."""
        document = self._wanted(request, view)
        check_unused(view, self.table, document.id)
        if self.table == "connections":
            view.sandbox.inlets.close(document.body["auth"]["params"]["inletId"])
        del self.all(view)[document.id]
        return web.Response(status=204)

    def _wanted(self, request: web.Request, view: View) -> Document:
        found = self.all(view).get(request.match_info["id"])
        if found is None:
            raise not_found(view)
        return found

    def _shown(self, request: web.Request, view: View, document: Document) -> dict[str, Any]:
        shown = shown_of(view.sandbox, document)
        if self.table == "connections":
            auth = shown["auth"]
            params = {**auth["params"], "inletUrl": inlet_url(request, auth["params"]["inletId"])}
            shown["auth"] = {**auth, "params": params}
        return {**shown, "state": "enabled"}


BASE: Final = Kind("connections", "connections", check_base)
SOURCE: Final = Kind("sourceConnections", "sources", check_source)
TARGET: Final = Kind("targetConnections", "targets", check_target)


def open_inlet(sandbox: Sandbox, base: Document, inlet_id: str = "") -> None:
    """Give a base connection its inlet (section 1.9, step 2). It feeds no flow yet."""
    params = base.body["auth"]["params"]
    inlet_id = inlet_id or sandbox.mint.hex(64)
    given = {"sourceId": params.get("name") or base.body["name"], "authenticationRequired": False}
    params = {**given, **params, "inletId": inlet_id}
    base.body = {**base.body, "auth": {**base.body["auth"], "params": params}}
    org_id = sandbox.config.ims_clients[0].org_id if sandbox.config.ims_clients else ""
    required = params["authenticationRequired"]
    sandbox.inlets.add(
        Inlet(inlet_id, org_id, "", "", "", "", params["dataType"], authenticated=required)
    )


def keep_inlet(view: View, before: dict[str, Any], after: dict[str, Any]) -> None:
    """A base connection keeps its inlet, and how it is used. Raises Turned."""
    for key in ("inletId", "dataType", "authenticationRequired"):
        old = before["auth"]["params"][key]
        if after["auth"]["params"].setdefault(key, old) != old:
            raise refused(view, f"auth.params.{key} cannot be updated")


def inlet_url(request: web.Request, inlet_id: str) -> str:
    """The sandbox itself is the collection service: the host that the request came to."""
    return f"{request.url.origin()}/collection/{inlet_id}"


def shown_of(sandbox: Sandbox, document: Document) -> dict[str, Any]:
    """What every object of Flow Service shows beside what it was told."""
    return {
        **document.body,
        "id": document.id,
        "createdAt": document.created_ms,
        "updatedAt": document.updated_ms,
        "createdBy": document.created_by,
        "updatedBy": document.updated_by,
        "createdClient": document.created_by,
        "updatedClient": document.updated_by,
        "sandboxId": sandbox.sandbox_id,
        "sandboxName": sandbox.config.sandbox_name,
        "imsOrgId": sandbox.config.ims_clients[0].org_id if sandbox.config.ims_clients else "",
        "version": document.etag,
        "etag": document.etag,
    }


def check_etag(request: web.Request, view: View, document: Document) -> None:
    """Raises Turned: 1403-400 without If-Match, 1404-412 with an old one."""
    given = request.headers.get("If-Match")
    if not given:
        text = "The header 'If-Match' is missing in the request. Please provide the header"
        raise refused(view, text, "1403-400")
    if given != document.etag:
        text = f"The supplied version {given} does not match the current version on entity."
        raise api_error(view.sandbox, view.side, 412, text, "1404-412")


def patched_body(view: View, body: dict[str, Any], patch: Any) -> dict[str, Any]:
    """A body after a patch of add, replace and remove only. Raises Turned."""
    for operation in patch if isinstance(patch, list) else []:
        name = operation.get("op") if isinstance(operation, dict) else None
        if name not in _PATCHES:
            raise refused(view, f"Unsupported operation '{name}' received.", "1434-400")
    if patch == []:
        text = "The request body cannot be null or empty. Please provide a request body"
        raise refused(view, text, "1405-400")
    return patched(view, body, patch, "1455-400")


def check_unused(view: View, table: Table, id: str) -> None:
    """Raises Turned: 1418-400 for a base, 1447-400 for a source or target in use."""
    plane = view.sandbox.plane
    if table == "connections":
        sources = {each.id for each in plane.sources.values() if _on(each) == id}
        if any(flow.source_id in sources for flow in plane.flows.values()):
            text = f"The base connection with the ID {id} cannot be deleted because the base "
            raise refused(view, f"{text}connection is being used in one or more flows.", "1418-400")
        return
    if any(id in (flow.source_id, flow.target_id) for flow in plane.flows.values()):
        raise refused(view, f"Found active flows containing id {id}.", "1447-400")


def _on(source: Document) -> Any:
    return source.body.get("baseConnectionId")


def not_found(view: View) -> Exception:
    """1101-404: what the path names is not there."""
    text = "The requested resource is not found. Resource with given id does not exist."
    return api_error(view.sandbox, view.side, 404, text, "1101-404")


def _id_and_etag(document: Document) -> dict[str, str]:
    return {"id": document.id, "etag": document.etag}


async def list_connection_specs(request: web.Request, view: View) -> web.StreamResponse:
    return _specs(request, view, CONNECTION_SPECS.values(), "/connectionSpecs")


async def list_flow_specs(request: web.Request, view: View) -> web.StreamResponse:
    return _specs(request, view, (spec.shown() for spec in FLOW_SPECS.values()), "/flowSpecs")


async def show_connection_spec(request: web.Request, view: View) -> web.StreamResponse:
    found = CONNECTION_SPECS.get(request.match_info["id"])
    if found is None:
        raise not_found(view)
    return json_answer({"items": [found]})


async def show_flow_spec(request: web.Request, view: View) -> web.StreamResponse:
    found = FLOW_SPECS.get(request.match_info["id"])
    if found is None:
        raise not_found(view)
    return json_answer({"items": [found.shown()]})


def _specs(
    request: web.Request, view: View, specs: Iterable[dict[str, Any]], path: str
) -> web.Response:
    return listed(request, view, list(specs), path)
