"""`sluice ledger`: where every event is, and whether it all adds up, as far as Platform's lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import typer

from app.cli.reading import Json, echo_json, echo_table, moment, with_store
from app.cli.standing import configured
from app.core.moments import hour_text
from app.store.connect import Store
from app.store.ledger import COLUMNS, Balance, Ledger
from app.store.ledger_lines import Line, by_hour, ledger_document, totals
from app.store.standing import Told, told

_COLUMNS: Final = (*COLUMNS, "in_flight")
# What was received is what was acknowledged: the first of the three columns that must meet.
_TITLES: Final = {"received": "acknowledged"}


def ledger(
    check: Annotated[
        bool,
        typer.Option("--check", help="Exit 1 when it does not add up, or events did not land."),
    ] = False,
    hours: Annotated[bool, typer.Option("--hours", help="A row per hour.")] = False,
    connection: Annotated[str | None, typer.Option(help="Only this connection.")] = None,
    as_json: Json = False,
) -> None:
    """Where every event is. What was acknowledged must equal the sum of the columns up to in
    flight; what Platform's edge accepted must land in its lake or be refused later."""
    balance, platforms = with_store(_read)
    chosen = {n: each for n, each in platforms.items() if connection in (None, n)}
    lines = list(by_hour(balance, chosen) if hours else totals(balance, chosen))
    if as_json:
        echo_json(ledger_document(balance, chosen, lines, hours))
    else:
        _show(balance, chosen, lines, hours)
    if check and (balance.faults or any(each.alarms for each in chosen.values())):
        raise typer.Exit(1)


async def _read(redis: Store) -> tuple[Balance, dict[str, Told]]:
    balance = await Ledger(redis).read()
    return balance, await told(redis, [row.connection for row in balance.totals()], configured())


def _show(
    balance: Balance, platforms: Mapping[str, Told], lines: Sequence[Line], hours: bool
) -> None:
    columns = ["connection", *(["hour (UTC)"] if hours else [])]
    columns += [">" + _TITLES.get(name, name).replace("_", " ") for name in _COLUMNS]
    columns += [">accepted by the edge", ">landed in the lake", ">refused later", "verdict"]
    echo_table(columns, (_cells(line, hours) for line in lines))
    for name, ms in balance.last_tests.items():
        typer.echo(f"last Send Test of {name}: {moment(ms)} UTC")
    for each in platforms.values():
        for remark in each.remarks:
            typer.echo(remark)
    for fault in balance.faults:
        typer.echo(f"DOES NOT ADD UP: {fault}", err=True)
    for each in platforms.values():
        for alarm in each.alarms:
            typer.echo(f"DID NOT LAND: {each.name}: {alarm}", err=True)
    if not balance.faults:
        typer.echo("adds up" if lines else "nothing was received yet")


def _cells(line: Line, hours: bool) -> list[str]:
    lake = (line.platform.landed, line.platform.failed)
    return [
        line.row.connection,
        *([hour_text(line.row.hour)] if hours else []),
        *(f"{getattr(line.row, name):,}" for name in _COLUMNS),
        f"{line.platform.accepted:,}",
        *(f"{count:,}" if line.looked else "-" for count in lake),
        line.judged.words if line.judged else "-",
    ]
