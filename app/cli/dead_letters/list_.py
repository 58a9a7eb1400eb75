"""`sluice dead-letters list`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from app.cli.dead_letters.choosing import (
    Class,
    Code,
    Connection,
    EventId,
    Kind,
    Mapping,
    Newer,
    Older,
    filter_,
    find,
)
from app.cli.reading import Json, echo_json, echo_table, moment, with_store


def list_(
    connection: Connection = None,
    failure: Class = None,
    kind: Kind = None,
    code: Code = None,
    event_id: EventId = None,
    mapping: Mapping = None,
    older: Older = None,
    newer: Newer = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """Dead letters, newest first."""
    wanted = filter_(connection, failure, kind, code, event_id, mapping, older, newer)
    # One more than is shown tells whether there are more.
    found = with_store(lambda redis: find(redis, wanted, limit + 1))
    shown, more = found[:limit], len(found) > limit
    if as_json:
        echo_json([asdict(letter) for letter in shown])
        return
    echo_table(
        (">number", "died (UTC)", "connection", "class", "code", "kind", "path", "event",
         "mapping"),
        (
            (x.number, moment(x.dead_ms), x.connection, x.failure, x.code, x.kind or "-",
             x.path or "-", x.event_id or "-", x.mapping or "-")
            for x in shown
        ),
    )  # fmt: skip
    if more:
        typer.echo(f"... and more: --limit {limit * 10}, or a filter", err=True)
    elif not shown:
        typer.echo("no dead letters", err=True)
