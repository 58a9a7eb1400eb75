"""`sluice audit`: who did what to dead letters, newest first."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from app.cli.dead_letters.tables import plain
from app.cli.facing import with_face
from app.cli.reading import Json, echo_json, echo_table, moment


def audit(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    cursor: Annotated[str, typer.Option(help="Go on behind this.")] = "",
    as_json: Json = False,
) -> None:
    """Who did what, newest first. Entries are kept for 400 days."""
    entries, more = with_face(lambda face: face.books.audit(cursor, limit))
    if as_json:
        echo_json([asdict(entry) for entry in entries])
    else:
        echo_table(
            ("when (UTC)", "who", "what", "about"),
            (
                (moment(x.at_ms), plain(x.who), plain(x.what),
                 plain(", ".join(f"{name} {value}" for name, value in x.about.items())))
                for x in entries
            ),
        )  # fmt: skip
    if more:
        typer.echo(f"... and more: --cursor {more}", err=True)
