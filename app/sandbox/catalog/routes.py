"""The paths of Catalog's datasets."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from app.sandbox.catalog import datasets
from app.sandbox.gateway.entry import Shown, behind_gateway

_BASE: Final = "/data/foundation/catalog"


def catalog_routes() -> list[web.RouteDef]:
    one = f"{_BASE}/dataSets/{{id}}"
    return [
        _route("POST", f"{_BASE}/dataSets", datasets.create_dataset),
        _route("GET", f"{_BASE}/dataSets", datasets.list_datasets),
        _route("GET", one, datasets.show_dataset),
        _route("PATCH", one, datasets.update_dataset),
        _route("DELETE", one, datasets.delete_dataset),
        _route("PATCH", f"{_BASE}/v2/dataSets/{{id}}", datasets.update_expiry),
    ]


def _route(method: str, path: str, handler: Shown) -> web.RouteDef:
    return web.route(method, path, behind_gateway("datasets", handler))
