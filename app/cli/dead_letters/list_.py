"""`sluice dead-letters list`: a page of them, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from app.cli.dead_letters.filters import takes_filters
from app.cli.dead_letters.tables import plain
from app.cli.facing import with_face
from app.cli.reading import Json, echo_json, echo_table, moment
from app.core.dead_letter import DeadLetterSummary
from app.store.dead_letters import Filter

Limit = Annotated[int, typer.Option(min=1, help="At most so many, newest first.")]
Cursor = Annotated[str, typer.Option(help="Go on behind this; the page before says it.")]


@takes_filters()
def list_(
    *,
    wanted: Filter,
    limit: Limit = 50,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """Dead letters, newest first. `groups` shows them by cause."""
    try:
        shown, more = with_face(lambda face: face.letters.page(wanted, cursor, limit))
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint="--cursor") from fault
    if as_json:
        echo_json([asdict(letter) for letter in shown])
    else:
        table_of(shown)
    if more:
        typer.echo(f"... and more: --cursor {more}, or a filter", err=True)
    elif not shown:
        typer.echo("no dead letters", err=True)


def table_of(letters: Sequence[DeadLetterSummary]) -> None:
    """A line each."""
    echo_table(
        (">number", "died (UTC)", "connection", "class", "code", "kind", "path", "event",
         "campaign", "mapping", "group"),
        (
            [plain(cell or "-", 80) for cell in
             (x.number, moment(x.dead_ms), x.connection, x.failure, x.code, x.kind, x.path,
              x.event_id, x.campaign, x.mapping, x.fingerprint[:8])]
            for x in letters
        ),
    )  # fmt: skip
