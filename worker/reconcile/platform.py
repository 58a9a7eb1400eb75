"""The services of one connection's Platform, and whom they are asked about."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from app.adobe.catalog import Catalog
from app.adobe.data_access import DataAccess
from app.adobe.flow_service import FlowService
from app.adobe.observability import Observability
from app.adobe.platform_client import Account, PlatformClient, Tokens
from app.settings import Connection


@dataclass(frozen=True, slots=True)
class Platform:
    """Raises what PlatformClient raises."""

    flows: FlowService
    catalog: Catalog
    files: DataAccess
    counters: Observability
    flow_id: str
    dataset_id: str
    inlet_id: str


def platform_of(connection: Connection, session: aiohttp.ClientSession, tokens: Tokens) -> Platform:
    """The Platform of a connection that has credentials."""
    given = connection.platform
    client_id = given.credentials.client_id if given.credentials else ""
    account = Account(given.api_url, client_id, given.org_id, given.sandbox_name)
    client = PlatformClient(session, account, tokens)
    return Platform(
        FlowService(client),
        Catalog(client),
        DataAccess(client),
        Observability(client),
        given.flow_id,
        given.dataset_id,
        given.inlet.inlet_id,
    )
