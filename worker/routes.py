"""Makes a Route of every connection: version, lane and token joined."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping

import aiohttp

from app.adobe.ims import Credential, TokenClient
from app.adobe.token_keeper import TokenKeeper
from app.core.platform import envelope
from app.settings import Connection
from app.store.budgets import Budgets
from app.store.lanes import Lanes
from worker.lane import Lane, LaneLimits
from worker.metrics import Metrics
from worker.route import Route, Version


@contextlib.asynccontextmanager
async def open_routes(
    connections: Mapping[str, Connection],
    versions: Mapping[str, Version],
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
            routes[name] = Route(name, lane, versions[name], envelope(connection.platform.inlet))
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
    session = await stack.enter_async_context(
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
    )
    keeper = TokenKeeper(TokenClient(session, credential), lanes)
    stack.push_async_callback(keeper.close)
    return keeper
