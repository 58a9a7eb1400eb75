"""The paths of the Schema Registry."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from app.sandbox.gateway.entry import Shown, behind_gateway
from app.sandbox.registry import descriptors, resources

_BASE: Final = "/data/foundation/schemaregistry"
_KINDS: Final = "{kind:classes|fieldgroups|mixins|schemas}"


def registry_routes() -> list[web.RouteDef]:
    one = f"{_BASE}/tenant/{_KINDS}/{{id}}"
    own = f"{_BASE}/tenant/descriptors"
    anywhere = f"{_BASE}/{{container:global|tenant}}/{_KINDS}"
    return [
        _route("GET", f"{_BASE}/stats", resources.show_stats),
        _route("GET", own, descriptors.list_descriptors),
        _route("POST", own, descriptors.create_descriptor),
        _route("GET", f"{own}/{{id}}", descriptors.show_descriptor),
        _route("PUT", f"{own}/{{id}}", descriptors.replace_descriptor),
        _route("DELETE", f"{own}/{{id}}", descriptors.delete_descriptor),
        _route("GET", anywhere, resources.list_resources),
        _route("GET", f"{anywhere}/{{id}}", resources.show_resource),
        _route("POST", f"{_BASE}/tenant/{_KINDS}", resources.create_resource),
        _route("PUT", one, resources.replace_resource),
        _route("PATCH", one, resources.patch_resource),
        _route("DELETE", one, resources.delete_resource),
    ]


def _route(method: str, path: str, handler: Shown) -> web.RouteDef:
    return web.route(method, path, behind_gateway("registry", handler))
