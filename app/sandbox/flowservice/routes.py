"""The paths of Flow Service, but for the flow runs, which are the gateway's."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from app.sandbox.flowservice import connections, flows
from app.sandbox.flowservice.actions import act_on_flow
from app.sandbox.gateway.entry import behind_gateway

_BASE: Final = "/data/foundation/flowservice"


def flow_service_routes() -> list[web.RouteDef]:
    found: list[web.RouteDef] = []
    for kind in (connections.BASE, connections.SOURCE, connections.TARGET):
        path = f"{_BASE}/{kind.path}"
        found += [
            web.post(path, behind_gateway("connections", kind.create)),
            web.get(path, behind_gateway("connections", kind.list)),
            web.get(f"{path}/{{id}}", behind_gateway("connections", kind.show)),
            web.patch(f"{path}/{{id}}", behind_gateway("connections", kind.update)),
            web.delete(f"{path}/{{id}}", behind_gateway("connections", kind.delete)),
        ]
    return [*found, *_spec_routes(), *_flow_routes()]


def _flow_routes() -> list[web.RouteDef]:
    path = f"{_BASE}/flows"
    return [
        web.post(path, behind_gateway("flows", flows.create_flow)),
        web.get(path, behind_gateway("flows", flows.list_flows)),
        web.get(f"{path}/{{id}}", behind_gateway("flows", flows.show_flow)),
        web.patch(f"{path}/{{id}}", behind_gateway("flows", flows.update_flow)),
        web.delete(f"{path}/{{id}}", behind_gateway("flows", flows.delete_flow)),
        web.post(f"{path}/{{id}}/action", behind_gateway("flows", act_on_flow)),
    ]


def _spec_routes() -> list[web.RouteDef]:
    side: Final = "connections"
    return [
        web.get(
            f"{_BASE}/connectionSpecs", behind_gateway(side, connections.list_connection_specs)
        ),
        web.get(
            f"{_BASE}/connectionSpecs/{{id}}",
            behind_gateway(side, connections.show_connection_spec),
        ),
        web.get(f"{_BASE}/flowSpecs", behind_gateway(side, connections.list_flow_specs)),
        web.get(f"{_BASE}/flowSpecs/{{id}}", behind_gateway(side, connections.show_flow_spec)),
    ]
