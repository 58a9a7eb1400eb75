"""Where every event is, and whether it adds up."""

from __future__ import annotations

from aiohttp import web

from app.store.documents import ledger_document
from app.store.ledger import COLUMNS, Balance, Ledger, Row
from app.web.console import look
from app.web.console.config import CONSOLE

# Hours on one page: five days of one connection.
_ROWS_MAX = 120


async def page(request: web.Request) -> web.Response:
    """GET /ledger?hours=1&connection=NAME."""
    console = request.app[CONSOLE]
    by_hour, connection = _asked(request)
    panel = await console.panels.show("ledger", Ledger(console.redis).read)
    rows = _rows(panel.data, by_hour, connection) if panel.data else []
    context = {
        "panel": panel,
        "rows": rows[:_ROWS_MAX],
        "more": max(0, len(rows) - _ROWS_MAX),
        "columns": (*COLUMNS, "in_flight"),
        "by_hour": by_hour,
        "connection": connection,
        "names": sorted({row.connection for row in panel.data.rows}) if panel.data else [],
    }
    return look.render(request, "ledger.html", context)


async def document(request: web.Request) -> web.Response:
    """GET /api/ledger: `sluice ledger --json` without what Platform says of its lake."""
    by_hour, connection = _asked(request)
    balance = await Ledger(request.app[CONSOLE].redis).read()
    rows = _rows(balance, by_hour, connection)
    return look.json_response(ledger_document(balance, rows, by_hour=by_hour))


def _asked(request: web.Request) -> tuple[bool, str]:
    return request.query.get("hours") == "1", request.query.get("connection", "")


def _rows(balance: Balance, by_hour: bool, connection: str) -> list[Row]:
    found = balance.rows if by_hour else balance.totals()
    rows = [row for row in found if connection in ("", row.connection)]
    # The latest hour first: that is what is looked for.
    return sorted(rows, key=lambda row: (-row.hour, row.connection))
