"""Connections: which there are and how they stand, and each as it is configured. Nothing here is a
secret, or lets anybody post anything."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from app.core.errors import ConfigError
from app.settings import Connection
from app.web.console import look
from app.web.console.config import CONSOLE, Console
from app.web.console.pages.both_ends.rows import Row, all_rows


async def page(request: web.Request) -> web.Response:
    """GET /connections."""
    console = request.app[CONSOLE]
    panel = await console.panels.show("connections", lambda: _listed(console))
    return look.render(
        request, "connections.html", {"panel": panel, "reading": console.live.reading}
    )


async def document(request: web.Request) -> web.Response:
    """GET /api/connections."""
    return look.json_response(await _documents(request.app[CONSOLE]))


async def _listed(console: Console) -> list[Row]:
    known = await asyncio.to_thread(console.configuration)
    if known.faults:
        raise ConfigError(known.faults)
    return await all_rows(console, known.connections)


async def _documents(console: Console) -> list[dict[str, Any]]:
    known = await asyncio.to_thread(console.configuration)
    if known.faults:
        raise ConfigError(known.faults)
    return [document_of(each) for each in known.connections.values()]


def document_of(connection: Connection) -> dict[str, Any]:
    """What may be seen of a connection. Of an inlet's id only the beginning: whoever has all of an
    open inlet's address can post to it."""
    platform, inlet = connection.platform, connection.platform.inlet
    credentials = platform.credentials
    return {
        "name": connection.name,
        "webhook_path": f"/webhooks/{connection.name}",
        "signing_keys": len(connection.signing_keys),
        "replay_window_seconds": connection.replay_window_seconds,
        "body_limit_bytes": connection.body_limit_bytes,
        "allowed_sources": [str(each) for each in connection.allowed_sources],
        "mapping_set": connection.mapping_set,
        "tenant": connection.tenant,
        "platform": {
            "host": urlsplit(inlet.url).netloc,
            "inlet_id": f"{inlet.inlet_id[:4]}…",
            "mode": platform.mode,
            "authenticated": platform.authenticated,
            "client_secrets": len(credentials.client_secrets) if credentials else 0,
            "flow_id": platform.flow_id,
            "dataset_id": platform.dataset_id,
            "schema_id": platform.schema_ref.id,
            "org_id": platform.org_id,
            "sandbox_name": platform.sandbox_name,
        },
        "limits": connection.limits.model_dump(),
    }
