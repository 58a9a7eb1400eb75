"""The calls about flows (platform.md sections 1.6, 1.7 and 1.10)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from aiohttp import web

from app.sandbox.flowservice.connections import check_etag, not_found, patched_body
from app.sandbox.flowservice.flow import Flow
from app.sandbox.flowservice.listing import listed
from app.sandbox.flowservice.wiring import dataset_named, flow_spec, mapping_of, wire
from app.sandbox.gateway.errors import json_answer
from app.sandbox.gateway.view import View
from app.sandbox.plane.body import client_of, json_of, object_of, refused, text_in
from app.sandbox.plane.document import Document

_CHANGEABLE: Final = ("name", "description", "transformations")


async def create_flow(request: web.Request, view: View) -> web.StreamResponse:
    """201 with id and etag; its inlet takes data at once, and loses them for five minutes."""
    body = await object_of(request, view)
    if "state" in body:
        raise refused(view, "`State` is not allowed in the create flow request.", "1410-400")
    text_in(view, body, "name")
    wiring = wire(view, body)
    sandbox = view.sandbox
    document = Document.new(sandbox, sandbox.mint.uuid(), body, client_of(request))
    inlet = wiring.inlet(view, document.id)
    now = sandbox.clock()
    flow = Flow(
        document,
        wiring.source.id,
        wiring.target.id,
        inlet,
        wiring.mapping,
        now + sandbox.config.settle_seconds,
        operation_at(now, "enable"),
    )
    sandbox.plane.flows[flow.id] = flow
    sandbox.inlets.add(inlet)
    return json_answer({"id": flow.id, "etag": document.etag}, 201)


async def show_flow(request: web.Request, view: View) -> web.StreamResponse:
    return json_answer({"items": [wanted(request, view).shown(request, view.sandbox)]})


async def list_flows(request: web.Request, view: View) -> web.StreamResponse:
    flows = view.sandbox.plane.flows.values()
    return listed(request, view, [each.shown(request, view.sandbox) for each in flows], "/flows")


async def update_flow(request: web.Request, view: View) -> web.StreamResponse:
    """JSON Patch of name, description or mapping; the five minutes begin again."""
    flow, sandbox = wanted(request, view), view.sandbox
    check_etag(request, view, flow.document)
    now = sandbox.clock()
    if doing := flow.transition(now):
        raise _in_transition(view, doing)
    before = flow.document.body
    after = patched_body(view, before, await json_of(request, view))
    for key in before.keys() | after.keys():
        if before.get(key) != after.get(key) and key not in _CHANGEABLE:
            raise refused(view, f"{key} cannot be updated")
    text_in(view, after, "name")
    if before.get("transformations") != after.get("transformations"):
        dataset = dataset_named(view, flow.inlet.dataset_id)
        flow.mapping = mapping_of(view, flow_spec(view, after), after, dataset)
    flow.document.change(sandbox, after, client_of(request))
    flow.settles = now + sandbox.config.settle_seconds
    if sandbox.config.patch_is_operation:
        flow.operation = operation_at(now, "update")
    return json_answer({"id": flow.id, "etag": flow.document.etag})


async def delete_flow(request: web.Request, view: View) -> web.StreamResponse:
    """204. An inlet that was made for it is gone with it."""
    flow, sandbox = wanted(request, view), view.sandbox
    if doing := flow.transition(sandbox.clock()):
        text = f"Operation delete cannot be applied in state {doing}."
        raise refused(view, text, "1458-400")
    del sandbox.plane.flows[flow.id]
    drop_flow(view, flow)
    return web.Response(status=204)


def drop_flow(view: View, flow: Flow) -> None:
    """Take a flow from its inlet; a base connection's inlet stays, and feeds one flow less."""
    inlets = view.sandbox.inlets
    based = "baseConnectionId" in view.sandbox.plane.sources[flow.source_id].body
    if not based:
        inlets.close(flow.inlet.id)
        return
    inlets.part(flow.inlet)
    if inlets.get(flow.inlet.id) is None:
        inlets.add(replace(flow.inlet, flow_id="", dataset_id="", schema_id=""))


def wanted(request: web.Request, view: View) -> Flow:
    """The flow that the path names. Raises Turned (404)."""
    found = view.sandbox.plane.flows.get(request.match_info["id"])
    if found is None:
        raise not_found(view)
    return found


def operation_at(now: float, name: str) -> dict[str, Any]:
    """`lastOperation` (section 1.7)."""
    at = int(now * 1000)
    return {"started": at, "updated": at, "operation": name}


def _in_transition(view: View, doing: str) -> Exception:
    """The page has two texts for the same: each state gets one of them."""
    if doing == "enabling":
        text = f"Operation update cannot be applied in state {doing}."
        return refused(view, text, "1457-400")
    return refused(view, f"The current state {doing} cannot be updated.", "1420-400")
