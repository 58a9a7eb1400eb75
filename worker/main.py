"""A worker process: its settings, its signals and its store, for as long as it works."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Mapping

import structlog
import uvloop

from app import logs
from app.core.errors import ConfigError, StoreUnavailable
from app.settings import Connection, Settings, environment, load_all
from app.store.connect import Store, open_store, require_safe
from worker.composing import composed
from worker.versions import load_versions
from worker.working import work

log = structlog.get_logger()


def main() -> int:
    """`python -m worker`. Exit codes: 0 stopped, 2 wrong configuration, 70 gave up on itself."""
    try:
        environ = environment()
        settings, connections = load_all(environ)
        logs.set_up(settings.log_format, settings.log_level, role="worker")
        return uvloop.run(run(settings, connections, environ))
    except ConfigError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        return 2


async def run(
    settings: Settings, connections: Mapping[str, Connection], environ: Mapping[str, str]
) -> int:
    """Works until SIGTERM or SIGINT; SIGHUP: looks at the configuration. Raises ConfigError."""
    stop, hung_up = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hung_up.set)
    redis = open_store(
        settings.redis,
        connections=settings.worker_max_jobs * 4 + 8,
        data_dir=settings.data_dir,
    )
    versions = load_versions(connections)
    try:
        if not await _redis_is_safe(redis, stop, settings.redis_wait_replicas):
            return 0
        async with composed(settings, connections, versions, environ, redis, hung_up) as parts:
            return await work(settings, parts, stop)
    finally:
        await redis.aclose(close_connection_pool=True)


async def _redis_is_safe(redis: Store, stop: asyncio.Event, wait_replicas: int) -> bool:
    """Waits for Redis; False when told to stop meanwhile. Raises ConfigError."""
    waiting = ""
    while not stop.is_set():
        try:
            for warning in await require_safe(redis, wait_replicas):
                log.warning("store.weak", reason=warning)
            return True
        except StoreUnavailable as fault:
            if fault.reason != waiting:
                log.warning("store.unavailable", reason=fault.reason, detail=str(fault))
                waiting = fault.reason
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)
    return False
