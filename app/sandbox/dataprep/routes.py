"""The paths of Data Prep."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from app.sandbox.dataprep import language, sets, trying
from app.sandbox.gateway.entry import Shown, behind_gateway

_BASE: Final = "/data/foundation/conversion"


def data_prep_routes() -> list[web.RouteDef]:
    path = f"{_BASE}/mappingSets"
    return [
        _route("POST", path, sets.create_set),
        _route("GET", path, sets.list_sets),
        _route("POST", f"{path}/validate", trying.validate_set),
        _route("POST", f"{path}/preview", trying.preview_set),
        _route("GET", f"{path}/{{id}}", sets.show_set),
        _route("PUT", f"{path}/{{id}}", sets.replace_set),
        _route("GET", f"{path}/{{id}}/mappings", sets.show_mappings),
        _route("GET", f"{path}/{{id}}/mappings/{{mapping}}", sets.show_mapping),
        _route("POST", f"{_BASE}/languages/el/validate", language.validate_expression),
        _route("GET", f"{_BASE}/languages/el/functions", language.list_functions),
        _route("GET", f"{_BASE}/languages/el/operators", language.list_operators),
    ]


def _route(method: str, path: str, handler: Shown) -> web.RouteDef:
    return web.route(method, path, behind_gateway("mappings", handler))
