"""`sluice mappings list`: which sets there are, and who uses them."""

from __future__ import annotations

from dataclasses import asdict

import typer

from app.cli.mappings.finding import Configuration
from app.cli.reading import Json, echo_json, echo_table
from app.settings.mapping_reports import list_sets


def list_(as_json: Json = False) -> None:
    """List the sets in config/mappings: version, rows, and the connections that use them."""
    known = Configuration()
    folder = known.folder / "mappings"
    found = list_sets(known)
    if as_json:
        echo_json([asdict(one) for one in found])
        return
    echo_table(
        ("set", "version", ">rows", ">examples", "state", "used by"),
        (
            (
                one.name,
                one.label or "-",
                one.rows,
                one.examples,
                f"{one.faults} fault(s): sluice mappings check {one.name}" if one.faults else "ok",
                ", ".join(one.connections) or "-",
            )
            for one in found
        ),
    )
    if not found:
        typer.echo(f"no mapping set in {folder}", err=True)
    if known.faults:
        typer.echo(f"connections cannot be read: {known.faults[0]}", err=True)
