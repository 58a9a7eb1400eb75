"""`sluice ledger`: where every event is, and whether it all adds up."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.reading import Json, echo_json, echo_table, moment, with_store
from app.core.moments import hour_text
from app.store.documents import ledger_document
from app.store.ledger import COLUMNS, Balance, Ledger, Row

_COLUMNS = (*COLUMNS, "in_flight")


def ledger(
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 when it does not add up; say what does not.")
    ] = False,
    hours: Annotated[bool, typer.Option("--hours", help="A row per hour of receipt.")] = False,
    connection: Annotated[str | None, typer.Option(help="Only this connection.")] = None,
    as_json: Json = False,
) -> None:
    """Where every event is. What was received must equal the sum of the columns after it."""
    balance = with_store(lambda redis: Ledger(redis).read())
    rows = [
        row
        for row in (balance.rows if hours else balance.totals())
        if connection in (None, row.connection)
    ]
    if as_json:
        echo_json(ledger_document(balance, rows, by_hour=hours))
    else:
        _show(balance, rows, hours)
    if check and balance.faults:
        raise typer.Exit(1)


def _show(balance: Balance, rows: list[Row], hours: bool) -> None:
    columns = ["connection", *(["hour (UTC)"] if hours else [])]
    columns += [">" + name.replace("_", " ") for name in _COLUMNS]
    echo_table(
        columns,
        (
            [row.connection, *([hour_text(row.hour)] if hours else [])]
            + [f"{getattr(row, name):,}" for name in _COLUMNS]
            for row in rows
        ),
    )
    for name, ms in balance.last_tests.items():
        typer.echo(f"last Send Test of {name}: {moment(ms)} UTC")
    for fault in balance.faults:
        typer.echo(f"DOES NOT ADD UP: {fault}", err=True)
    if not balance.faults:
        typer.echo("adds up" if rows else "nothing was received yet")
