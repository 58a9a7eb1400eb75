"""/calls and /objects: what was asked of the control plane, and what exists in it."""

from __future__ import annotations

from typing import Any, Final

import orjson
from aiohttp import web

from app.sandbox.plane.seeds import plant
from app.sandbox.state import SANDBOX, Sandbox

_PAGE: Final = 1_000


def plane_routes() -> list[web.RouteDef]:
    return [
        web.get("/calls", show_calls),
        web.delete("/calls", forget_calls),
        web.get("/objects", show_objects),
        web.delete("/objects", forget_objects),
        web.post("/objects/settle", settle_flows),
    ]


async def show_calls(request: web.Request) -> web.StreamResponse:
    """Calls to IMS, the gateway and the App API, oldest first; `?after=` a number, `?limit=`."""
    after, limit = _number(request, "after", 0), _number(request, "limit", _PAGE)
    return _json({"calls": list(request.app[SANDBOX].calls.after(after, limit))})


async def forget_calls(request: web.Request) -> web.StreamResponse:
    calls = request.app[SANDBOX].calls
    calls.clear()
    return _json({"last": calls.number})


async def show_objects(request: web.Request) -> web.StreamResponse:
    """How many objects of each kind were made, and the list of all that exist."""
    return _json(_objects(request.app[SANDBOX]))


async def forget_objects(request: web.Request) -> web.StreamResponse:
    """Back to the first state: only Adobe's own and the configured inlets. What there was."""
    sandbox = request.app[SANDBOX]
    there = _objects(sandbox)
    plant(sandbox)
    return _json(there)


async def settle_flows(request: web.Request) -> web.StreamResponse:
    """End the five minutes of all flows; how many had not settled."""
    sandbox = request.app[SANDBOX]
    now = sandbox.clock()
    fresh = [flow for flow in sandbox.plane.flows.values() if now < flow.settles]
    for flow in fresh:
        flow.settles = now
    return _json({"settled": len(fresh)})


def _objects(sandbox: Sandbox) -> dict[str, Any]:
    """`counts` leaves out what was there from the start."""
    listing = sandbox.plane.listing()
    counts = {
        kind: sum(not each["seeded"] for each in objects) for kind, objects in listing.items()
    }
    return {"counts": counts, "objects": listing}


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise web.HTTPBadRequest(text=f"{name} must be a whole number\n")
    return int(text)


def _json(body: dict[str, Any]) -> web.Response:
    return web.Response(body=orjson.dumps(body), content_type="application/json")
