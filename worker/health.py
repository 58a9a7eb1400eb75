"""The worker's own small HTTP face: /healthz and /metrics."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from app.core.errors import ConfigError


async def serve(
    host: str, port: int, registry: CollectorRegistry, healthy: Callable[[], bool]
) -> web.AppRunner:
    """Starts it; `cleanup()` of the answer ends it. Raises ConfigError when the port is taken."""

    async def healthz(_request: web.Request) -> web.Response:
        ok = healthy()
        return web.Response(text="ok\n" if ok else "not well\n", status=200 if ok else 503)

    async def metrics(_request: web.Request) -> web.Response:
        body = generate_latest(registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as fault:
        await runner.cleanup()
        raise ConfigError(
            [
                f"environment: SLUICE_WORKER_METRICS_PORT: cannot listen on {host}:{port} "
                f"({fault.strerror}); choose another port, or 0 for none"
            ]
        ) from fault
    return runner
