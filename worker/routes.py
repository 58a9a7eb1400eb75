"""Makes a Route of every connection: mapping set and schema compiled, lane and token joined."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from app.adobe.ims import Credential, TokenClient
from app.adobe.token_keeper import TokenKeeper
from app.core.dataprep import MappingSet, compile_mapping_set
from app.core.errors import ConfigError, MappingSetInvalid
from app.core.platform import envelope
from app.core.xdm import Schema, compile_schema, fill_schema, types_of
from app.settings import Connection
from app.store.budgets import Budgets
from app.store.lanes import Lanes
from worker.lane import Lane, LaneLimits
from worker.metrics import Metrics
from worker.route import Route

Compiled = tuple[MappingSet | None, Schema | None]


def compile_all(connections: Mapping[str, Connection]) -> dict[str, Compiled]:
    """Mapping set and schema per connection. Raises ConfigError with the faults of all."""
    faults: list[str] = []
    compiled: dict[str, Compiled] = {}
    for name, connection in connections.items():
        try:
            compiled[name] = _compile(connection)
        except (MappingSetInvalid, OSError, ValueError) as error:
            lines = error.faults if isinstance(error, MappingSetInvalid) else (str(error),)
            faults += [f"connections/{name}.yaml: mapping_set: {line}" for line in lines]
    if faults:
        raise ConfigError(faults)
    return compiled


def _compile(connection: Connection) -> Compiled:
    if connection.platform.mode == "raw":
        return None, None
    variables = connection.mapping_variables
    if connection.schema_path is None:
        return compile_mapping_set(_document(connection.mapping_path), variables), None
    schema = fill_schema(_document(connection.schema_path), variables)
    mapping = compile_mapping_set(_document(connection.mapping_path), variables, types_of(schema))
    return mapping, compile_schema(schema)


def _document(path: Path | None) -> dict[str, Any]:
    if path is None:
        raise ValueError("no file was found for it")
    document: dict[str, Any] = orjson.loads(path.read_bytes())
    return document


@contextlib.asynccontextmanager
async def open_routes(
    connections: Mapping[str, Connection],
    compiled: Mapping[str, Compiled],
    lanes: Lanes,
    budgets: Budgets,
    metrics: Metrics,
) -> AsyncIterator[tuple[dict[str, Route], dict[str, Lane]]]:
    """A Route and its lane per connection; the lanes are closed at the end."""
    routes: dict[str, Route] = {}
    opened: dict[str, Lane] = {}
    async with contextlib.AsyncExitStack() as stack:
        for name, connection in connections.items():
            opened[name] = lane = Lane(
                name,
                connection.platform.inlet,
                lanes,
                budgets,
                await _tokens(connection, lanes, stack),
                _limits(connection),
                watch=metrics,
            )
            # No grace of its own: by then every job is done, or was given back.
            stack.push_async_callback(lane.close, 0.0)
            mapping, schema = compiled[name]
            routes[name] = Route(name, lane, mapping, schema, envelope(connection.platform.inlet))
        yield routes, opened


def _limits(connection: Connection) -> LaneLimits:
    limits = connection.limits
    return LaneLimits(
        max_bytes=limits.request_max_bytes,
        max_in_flight=limits.max_in_flight,
        requests_per_second=limits.requests_per_second,
        messages_per_second=limits.messages_per_second,
        timeout_seconds=limits.request_timeout_seconds,
    )


async def _tokens(
    connection: Connection, lanes: Lanes, stack: contextlib.AsyncExitStack
) -> TokenKeeper | None:
    given = connection.platform.credentials
    if given is None:
        return None
    secrets = tuple(secret.decode() for secret in given.client_secrets)
    credential = Credential(given.client_id, secrets, given.scopes, given.ims_url)
    session = await stack.enter_async_context(aiohttp.ClientSession())
    keeper = TokenKeeper(TokenClient(session, credential), lanes)
    stack.push_async_callback(keeper.close)
    return keeper
