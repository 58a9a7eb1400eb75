"""The paths of the gateway (platform.md section 0)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from app.sandbox.gateway.batches import list_batches, show_batch
from app.sandbox.gateway.entry import behind_gateway
from app.sandbox.gateway.files import show_failed, show_meta
from app.sandbox.gateway.metrics import show_metrics
from app.sandbox.gateway.runs import EXPORT, list_runs, show_flow

_FLOWS: Final = "/data/foundation/flowservice"
_CATALOG: Final = "/data/foundation/catalog"
_INSIGHTS: Final = "/data/infrastructure/observability/insights"


def gateway_routes() -> list[web.RouteDef]:
    """Everything that is known of what became of the data."""
    return [
        web.get(f"{_FLOWS}/runs", behind_gateway("runs", list_runs)),
        web.get(f"{_FLOWS}/flows/{{flow}}", behind_gateway("flows", show_flow)),
        web.get(f"{_CATALOG}/batches", behind_gateway("batches", list_batches)),
        web.get(f"{_CATALOG}/batches/{{batch}}", behind_gateway("batches", show_batch)),
        web.get(f"{EXPORT}/{{batch}}/failed", behind_gateway("files", show_failed)),
        web.get(f"{EXPORT}/{{batch}}/meta", behind_gateway("files", show_meta)),
        web.post(f"{_INSIGHTS}/metrics", behind_gateway("metrics", show_metrics)),
    ]
