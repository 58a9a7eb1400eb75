"""Makes a Route of every connection: version, lane and token joined. Connections come, change and
go while the worker works; the mappings that are given out stay the same objects."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Final

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

# What a lane that is replaced has under way may take so much longer than Platform may: none of it
# is cut off, for then nobody would know whether it arrived.
_PARTING_SECONDS: Final = 5.0


class Routes:
    """A Route and its lane per connection. `close` at the end."""

    def __init__(self, lanes: Lanes, budgets: Budgets, metrics: Metrics) -> None:
        self.by_name: dict[str, Route] = {}
        self.lanes: dict[str, Lane] = {}
        self._states = lanes
        self._budgets = budgets
        self._metrics = metrics
        self._tokens: dict[str, contextlib.AsyncExitStack] = {}
        self._patience: dict[str, float] = {}
        self._parting: set[asyncio.Task[None]] = set()

    async def put(self, connection: Connection, version: Version) -> None:
        """Opens the connection's route, or another in place of the one there is.

        What the old lane has under way is finished; what waited in it comes back unsent, and goes
        by the new one.
        """
        name, inlet = connection.name, connection.platform.inlet
        stack = contextlib.AsyncExitStack()
        lane = Lane(
            name,
            inlet,
            self._states,
            self._budgets,
            await _tokens(connection, self._states, stack),
            _limits(connection),
            watch=self._metrics,
        )
        self._leave(name)
        self.by_name[name] = Route(name, lane, version, envelope(inlet))
        self.lanes[name] = lane
        self._tokens[name] = stack
        self._patience[name] = connection.limits.request_timeout_seconds + _PARTING_SECONDS

    def drop(self, name: str) -> None:
        """The connection is served no more; what it has under way is finished."""
        if name in self.lanes:
            self._leave(name)
            del self.by_name[name], self.lanes[name], self._tokens[name], self._patience[name]

    async def close(self) -> None:
        """No grace of its own: by then every job is done, or was given back."""
        for task in self._parting:
            task.cancel()
        await asyncio.gather(*self._parting, return_exceptions=True)
        for name, lane in self.lanes.items():
            await _part(lane, self._tokens[name], 0.0)

    def _leave(self, name: str) -> None:
        if name in self.lanes:
            parting = _part(self.lanes[name], self._tokens[name], self._patience[name])
            task = asyncio.create_task(parting, name=f"part {name}")
            self._parting.add(task)
            task.add_done_callback(self._parting.discard)


@contextlib.asynccontextmanager
async def open_routes(
    connections: Mapping[str, Connection],
    versions: Mapping[str, Version],
    lanes: Lanes,
    budgets: Budgets,
    metrics: Metrics,
) -> AsyncIterator[Routes]:
    """A Route and its lane per connection; the lanes are closed at the end."""
    routes = Routes(lanes, budgets, metrics)
    try:
        for name, connection in connections.items():
            await routes.put(connection, versions[name])
        yield routes
    finally:
        await routes.close()


async def _part(lane: Lane, tokens: contextlib.AsyncExitStack, grace_seconds: float) -> None:
    try:
        await lane.close(grace_seconds)
    except asyncio.CancelledError:
        await lane.close(0.0)
        raise
    finally:
        await tokens.aclose()


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
