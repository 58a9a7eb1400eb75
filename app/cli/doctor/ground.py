"""What checks stand on: settings, connections and setups as they lie on disk; Redis; a session."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from app.cli.doctor.finding import NotAsked
from app.core.errors import ConfigError
from app.settings import Connection, Settings, load_connections, load_settings
from app.settings.load_setups import load_setup, setup_names
from app.settings.setups import Setup
from app.store.connect import Store, open_store

T = TypeVar("T")


@dataclass(slots=True)
class Configured:
    """As far as it can be read; `faults`: all that is wrong, a line each, `setup_faults`: of
    setups. `secret_files`: those that connections point at."""

    environ: Mapping[str, str]
    settings: Settings | None = None
    connections: dict[str, Connection] = field(default_factory=dict)
    setups: dict[str, Setup] = field(default_factory=dict)
    secret_files: set[Path] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    setup_faults: list[str] = field(default_factory=list)


def configured(environ: Mapping[str, str]) -> Configured:
    """Reads settings, connections and setups."""
    found = Configured(environ)
    try:
        found.settings = load_settings(environ)
    except ConfigError as error:
        found.faults += error.faults
        return found
    folders = found.settings.folders
    try:
        found.connections = load_connections(folders, environ, pointed=found.secret_files)
    except ConfigError as error:
        found.faults += error.faults
    for path in folders.files("setups", "*.yml"):
        found.setup_faults.append(f"{path}: rename it to {path.stem}.yaml; .yml files are not read")
    for name in setup_names(folders):
        try:
            found.setups[name] = load_setup(folders, name, environ)
        except ConfigError as error:
            found.setup_faults += error.faults
    return found


@dataclass(slots=True)
class Ground:
    """For one round of checks. `connections`: those that are to be looked at. `pace`: calls a
    second to one Platform: a dozen, by a person who waits."""

    configured: Configured
    settings: Settings
    connections: Mapping[str, Connection]
    redis: Store
    session: aiohttp.ClientSession
    clock: Callable[[], float] = time.time
    pace: float = 20.0
    _once: dict[object, asyncio.Task[Any]] = field(default_factory=dict)

    async def once(self, what: object, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer, or the exception, of the first who asked: several checks want to know the
        same of a peer, and one that hangs is waited for by each within its own limit."""
        if what not in self._once:
            self._once[what] = asyncio.ensure_future(_asked(ask))
        found: T = await asyncio.shield(self._once[what])
        return found

    async def close(self) -> None:
        for task in self._once.values():
            task.cancel()
        await asyncio.gather(*self._once.values(), return_exceptions=True)

    def setup(self, connection: Connection) -> Setup:
        """Raises NotAsked when there is none."""
        name = connection.name
        if name not in self.configured.setups:
            raise NotAsked(f"no setup: there is no config/setups/{name}.yaml that can be read")
        return self.configured.setups[name]

    def public_url(self, connection: Connection) -> str | None:
        """How Customer.io reaches the receiver, as far as anybody said."""
        setup = self.configured.setups.get(connection.name)
        said = setup.customerio.public_url if setup else self.settings.public_url
        return said.rstrip("/") if said else None


async def _asked(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()


@asynccontextmanager
async def opened(found: Configured, connections: Mapping[str, Connection]) -> AsyncIterator[Ground]:
    """The ground for these connections; nobody is called yet. Raises ConfigError."""
    assert found.settings is not None  # without settings there is nothing to look at
    redis = open_store(found.settings.redis, timeout_seconds=5, data_dir=found.settings.data_dir)
    # No proxy of the environment, no cookies: as in all that Sluice sends.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        ground = Ground(found, found.settings, connections, redis, session)
        try:
            yield ground
        finally:
            await ground.close()
            await redis.aclose(close_connection_pool=True)
