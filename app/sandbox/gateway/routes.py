"""The paths of the gateway (platform.md section 0)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from app.sandbox.catalog.routes import catalog_routes
from app.sandbox.control.calls import logged
from app.sandbox.dataprep.routes import data_prep_routes
from app.sandbox.flowservice.routes import flow_service_routes
from app.sandbox.gateway.batches import list_batches, show_batch
from app.sandbox.gateway.entry import behind_gateway
from app.sandbox.gateway.errors import gateway_error
from app.sandbox.gateway.files import show_failed, show_meta
from app.sandbox.gateway.metrics import show_metrics
from app.sandbox.gateway.runs import EXPORT, list_runs
from app.sandbox.identity.namespaces import namespace_routes
from app.sandbox.registry.routes import registry_routes

_FLOWS: Final = "/data/foundation/flowservice"
_CATALOG: Final = "/data/foundation/catalog"
_INSIGHTS: Final = "/data/infrastructure/observability/insights"


def gateway_routes() -> list[web.RouteDef]:
    """What became of the data, then the control plane, then the refusal of all other paths."""
    return [
        web.get(f"{_FLOWS}/runs", behind_gateway("runs", list_runs)),
        web.get(f"{_CATALOG}/batches", behind_gateway("batches", list_batches)),
        web.get(f"{_CATALOG}/batches/{{batch}}", behind_gateway("batches", show_batch)),
        web.get(f"{EXPORT}/{{batch}}/failed", behind_gateway("files", show_failed)),
        web.get(f"{EXPORT}/{{batch}}/meta", behind_gateway("files", show_meta)),
        web.post(f"{_INSIGHTS}/metrics", behind_gateway("metrics", show_metrics)),
        *flow_service_routes(),
        *registry_routes(),
        *catalog_routes(),
        *data_prep_routes(),
        *namespace_routes(),
        web.route("*", "/data/{unknown:.*}", logged(_refuse)),
    ]


async def _refuse(_request: web.Request) -> web.StreamResponse:
    """A path that the reference does not have; it is in the log of calls all the same."""
    return gateway_error("404000").answer
