"""The sandbox's own /customerio: what a person sees in Customer.io's UI, and who called its API."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from app.sandbox.customerio.appapi.workspace import LiveWorkspace
from app.sandbox.customerio.state import CUSTOMERIO


def customerio_routes() -> list[web.RouteDef]:
    return [
        web.get("/customerio", list_workspaces),
        web.get("/customerio/workspaces/{workspace}", show_workspace),
        web.get("/customerio/calls", show_calls),
        web.delete("/customerio/calls", forget_calls),
    ]


async def list_workspaces(request: web.Request) -> web.StreamResponse:
    workspaces = request.app[CUSTOMERIO].workspaces.by_name
    return _json({"workspaces": list(workspaces)})


async def show_workspace(request: web.Request) -> web.StreamResponse:
    """The page from which a person copies the signing key."""
    return _json(_page(_workspace(request)))


async def show_calls(request: web.Request) -> web.StreamResponse:
    """The newest calls to the App API, oldest first; `after`: those with a higher number."""
    after = request.query.get("after", "0")
    if not after.isascii() or not after.isdigit():
        raise web.HTTPBadRequest(text="after must be a whole number\n")
    calls = request.app[CUSTOMERIO].calls.after(int(after))
    return _json({"calls": [call.as_dict() for call in calls]})


async def forget_calls(request: web.Request) -> web.StreamResponse:
    return _json({"removed": request.app[CUSTOMERIO].calls.clear()})


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
        "webhooks": [webhook.as_dict() for webhook in workspace.webhooks.values()],
    }


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
