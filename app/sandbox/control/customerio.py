"""The sandbox's own /customerio: what a person sees and presses in Customer.io's UI, and what
happens in a workspace."""

from __future__ import annotations

from typing import Any, Final

import orjson
from aiohttp import web
from pydantic import ValidationError

from app.core.event import SEND_TEST_EVENT_ID
from app.sandbox.control.api import faults_in
from app.sandbox.customerio.reporting.play import Order
from app.sandbox.customerio.state import CUSTOMERIO
from app.sandbox.customerio.workspace import LiveWorkspace

_WORKSPACE: Final = "/customerio/workspaces/{workspace}"


def customerio_routes() -> list[web.RouteDef]:
    return [
        web.get("/customerio", list_workspaces),
        web.get(_WORKSPACE, show_workspace),
        web.post(f"{_WORKSPACE}/play", play),
        web.post(f"{_WORKSPACE}/webhooks/{{webhook}}/test", send_test),
    ]


async def list_workspaces(request: web.Request) -> web.StreamResponse:
    workspaces = request.app[CUSTOMERIO].workspaces.by_name
    return _json({"workspaces": list(workspaces)})


async def show_workspace(request: web.Request) -> web.StreamResponse:
    """The page from which a person copies the signing key, and how each webhook fares.

    `settle=true`: answer when everything has happened and nothing waits any more."""
    workspace = _workspace(request)
    if request.query.get("settle") == "true":
        await workspace.settled()
    return _json(_page(workspace))


async def play(request: web.Request) -> web.StreamResponse:
    """Let the events of an Order happen; answered as they begin to."""
    workspace = _workspace(request)
    try:
        order = Order.model_validate_json(await request.read())
    except ValidationError as fault:
        return _json({"errors": faults_in(fault)}, 400)
    return _json(workspace.play(order).as_dict(), 202)


async def send_test(request: web.Request) -> web.StreamResponse:
    """Press *Send Test*: what the endpoint answered to it."""
    workspace = _workspace(request)
    number = request.match_info["webhook"]
    found = [known for known in workspace.webhooks.values() if str(known.webhook.id) == number]
    if not found:
        raise web.HTTPNotFound(text=f"no webhook {number} in this workspace\n")
    answered = await workspace.send_test(found[0].webhook)
    return _json({"event_id": SEND_TEST_EVENT_ID, **answered.as_dict()})


def _workspace(request: web.Request) -> LiveWorkspace:
    name = request.match_info["workspace"]
    workspace = request.app[CUSTOMERIO].workspaces.by_name.get(name)
    if workspace is None:
        raise web.HTTPNotFound(text=f"no workspace {name}; GET /customerio lists them\n")
    return workspace


def _page(workspace: LiveWorkspace) -> dict[str, Any]:
    config = workspace.config
    return {
        "name": config.name,
        "region": config.region,
        "app_keys": list(config.app_keys),
        "signing_key": config.signing_key,
        "webhooks": [known.stream.as_dict() for known in workspace.webhooks.values()],
        "plays": [begun.as_dict() for begun in workspace.plays],
    }


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
