"""Where every event is, whether it adds up, and what Platform says of what it took."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from aiohttp import web

from app.core.errors import ConfigError
from app.settings import Connection
from app.store.ledger import COLUMNS, Balance, Ledger
from app.store.ledger_lines import Line, by_hour, ledger_document, totals
from app.store.standing import Told, told
from app.web.console import look
from app.web.console.config import CONSOLE, Console

# Hours on one page: five days of one connection.
_ROWS_MAX = 120


class Read(NamedTuple):
    """Sluice's own books, and what is known of Platform's, by connection."""

    balance: Balance
    platforms: dict[str, Told]


async def page(request: web.Request) -> web.Response:
    """GET /ledger?hours=1&connection=NAME."""
    console = request.app[CONSOLE]
    hours, connection = _asked(request)
    panel = await console.panels.show("ledger", lambda: _read(console))
    lines = _lines(panel.data, hours, connection) if panel.data else []
    # The latest hour first: that is what is looked for.
    lines.sort(key=lambda line: (-line.row.hour, line.row.connection))
    chosen = _chosen(panel.data, connection) if panel.data else {}
    context = {
        "panel": panel,
        "lines": lines[:_ROWS_MAX],
        "more": max(0, len(lines) - _ROWS_MAX),
        "columns": (*COLUMNS, "in_flight"),
        "by_hour": hours,
        "connection": connection,
        "platforms": list(chosen.values()),
        "names": sorted(panel.data.platforms) if panel.data else [],
    }
    return look.render(request, "ledger.html", context)


async def document(request: web.Request) -> web.Response:
    """GET /api/ledger, the same as `sluice ledger --json`."""
    hours, connection = _asked(request)
    read = await _read(request.app[CONSOLE])
    lines, chosen = _lines(read, hours, connection), _chosen(read, connection)
    return look.json_response(ledger_document(read.balance, chosen, lines, hours))


async def _read(console: Console) -> Read:
    balance = await Ledger(console.redis).read()
    names = [row.connection for row in balance.totals()]
    connections = await asyncio.to_thread(_connections, console)
    return Read(balance, await told(console.redis, names, connections))


def _connections(console: Console) -> dict[str, Connection]:
    """As far as they can be read: a ledger is shown in any case."""
    try:
        return console.configuration().connections
    except ConfigError:
        return {}


def _asked(request: web.Request) -> tuple[bool, str]:
    return request.query.get("hours") == "1", request.query.get("connection", "")


def _chosen(read: Read, connection: str) -> dict[str, Told]:
    return {name: each for name, each in read.platforms.items() if connection in ("", name)}


def _lines(read: Read, hours: bool, connection: str) -> list[Line]:
    chosen = _chosen(read, connection)
    return list(by_hour(read.balance, chosen) if hours else totals(read.balance, chosen))
