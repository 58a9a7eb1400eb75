"""`sluice ledger`: where every event is, and whether it all adds up, as far as Platform's lake."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from app.cli.facing import with_face
from app.cli.reading import Json, echo_json, echo_table
from app.core.landing import Judged, Verdict
from app.store.ledger import COLUMNS

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
    document = with_face(lambda face: face.books.ledger(hours, connection))
    if as_json:
        echo_json(document)
    else:
        _show(document, hours)
    alarms = any(each["alarms"] for each in document["platform"].values())
    if check and (document["faults"] or alarms):
        raise typer.Exit(1)


def _show(document: dict[str, Any], hours: bool) -> None:
    columns = ["connection", *(["hour (UTC)"] if hours else [])]
    columns += [">" + _TITLES.get(name, name).replace("_", " ") for name in _COLUMNS]
    columns += [">accepted by the edge", ">landed in the lake", ">refused later", "verdict"]
    echo_table(columns, (_cells(row, hours) for row in document["rows"]))
    for name, at in document["last_send_test"].items():
        typer.echo(f"last Send Test of {name}: {at} UTC")
    for each in document["platform"].values():
        for remark in each["remarks"]:
            typer.echo(remark)
    for fault in document["faults"]:
        typer.echo(f"DOES NOT ADD UP: {fault}", err=True)
    for name, each in document["platform"].items():
        for alarm in each["alarms"]:
            typer.echo(f"DID NOT LAND: {name}: {alarm}", err=True)
    if not document["faults"]:
        typer.echo("adds up" if document["rows"] else "nothing was received yet")


def _cells(row: dict[str, Any], hours: bool) -> list[str]:
    lake = (row["landed"], row["refused_later"])
    judged = row["verdict"] and Judged(Verdict(row["verdict"]), row["verdict_events"])
    return [
        row["connection"],
        *([row["hour"]] if hours else []),
        *(f"{row[name]:,}" for name in _COLUMNS),
        f"{row['accepted']:,}",
        *("-" if count is None else f"{count:,}" for count in lake),
        judged.words if judged else "-",
    ]
