"""`sluice backfill EXPORT`: which of these events never arrived, and those with bodies put in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.cli.backfill.rows import BODY_COLUMN, ID_COLUMN, Columns, read_rows
from app.cli.backfill.run import Backfill, Count, Stopped
from app.cli.mappings.events import STDIN
from app.cli.reading import Json, with_store
from app.core.errors import ConfigError
from app.settings import Settings, environment, load_settings
from app.settings.faults import close_match
from app.settings.load import load_connections
from app.store.connect import Store, require_safe

RESUME = "Run it again later: what is there already is recognised, so nothing comes in twice."


def backfill(
    file: Annotated[str, typer.Argument(help="NDJSON, ids, a JSON array or CSV; `-`: stdin.")],
    connection: Annotated[str, typer.Option(help="The connection that they belong to.")],
    put: Annotated[
        bool, typer.Option("--put/--dry-run", help="Put the missing ones in. Default: only tell.")
    ] = False,
    id_column: Annotated[str, typer.Option(help="CSV: the column with the id.")] = ID_COLUMN,
    body_column: Annotated[str, typer.Option(help="CSV: the column with the body.")] = BODY_COLUMN,
    batch_events: Annotated[int, typer.Option(min=1, max=10_000, help="Events per batch.")] = 500,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Which events of a Customer.io export never arrived; with --put they are put on the queue.

    Missing ids go to stdout, the counts to stderr (with --json both to stdout, line by line).
    Exit 0: nothing is missing, or all of it was put; 1: something is, or lines are unreadable.
    """
    settings = load_settings(environment())
    _require_connection(connection, settings)
    if put and not (yes or as_json):
        if file == STDIN:
            raise typer.BadParameter("--put from standard input needs --yes")
        typer.confirm(f"put what is missing on the queue of {connection}?", abort=True)
    columns = Columns(id_column, body_column, (id_column, body_column) != (ID_COLUMN, BODY_COLUMN))
    count = Count()
    stopped = with_store(
        lambda redis: _run(
            redis, file, columns, Backfill(redis, connection, settings, put, batch_events, count,
                                           as_json)
        )
    )  # fmt: skip
    _report(count, settings.claim_window_days, as_json)
    if stopped:
        typer.echo(f"sluice: {stopped}. {RESUME}", err=True)
    raise typer.Exit(0 if count.all_there and not stopped else 1)


async def _run(redis: Store, file: str, columns: Columns, work: Backfill) -> Stopped | None:
    """Why it ended before the file did, or None."""
    if work.put:
        await require_safe(redis)
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("reading"), BarColumn(), TextColumn("{task.percentage:.0f} %"),
        TimeElapsedColumn(), console=console, disable=not console.is_terminal, transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=_size(file))
        try:
            await work.all(read_rows(file, columns, lambda size: bar.advance(task, size)))
        except Stopped as why:
            return why
    return None


def _size(file: str) -> int | None:
    path = Path(file)
    return path.stat().st_size if path.is_file() else None


def _require_connection(name: str, settings: Settings) -> None:
    known = load_connections(settings.folders, environment(), secrets=False)
    if name not in known:
        raise ConfigError([f"there is no connection {name!r}{close_match(name, known)}"])


def _report(count: Count, window_days: float, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps({"summary": count.document()}))
        return
    for name, value in count.document().items():
        if isinstance(value, int):
            typer.echo(f"{name.replace('_', ' '):<22} {value}", err=True)
    for fault in count.faults:
        typer.echo(f"row {fault['row']} {fault['fault']}", err=True)
    if count.unknown:
        typer.echo(
            f"unknown: made more than {window_days:g} days ago (SLUICE_CLAIM_WINDOW_DAYS), or at "
            "a time that neither the id nor a timestamp says; whether they arrived is not "
            "remembered, so they are never put",
            err=True,
        )
