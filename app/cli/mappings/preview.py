"""`sluice mappings preview`: what a set makes of events, before anything is sent."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, NamedTuple

import orjson
import typer
from rich.console import Console

from app.cli.mappings.events import STDIN, answer_lines, read_events
from app.cli.mappings.finding import ForConnection, WithSchema, compiled, find
from app.cli.mappings.preview_lines import PreviewLines, answer_of
from app.core.dataprep import MappingSet
from app.core.errors import UnreadableEvent
from app.core.event import parse_event
from app.core.preview import Preview, PreviewError
from app.core.preview import preview as preview_event


def preview(
    name: Annotated[
        str | None,
        typer.Argument(metavar="SET", help="A name in config/mappings, or a JSON file."),
    ] = None,
    events: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EVENT...",
            help=f"Files with an event, an array of them, or NDJSON; {STDIN} is stdin.",
        ),
    ] = None,
    connection: ForConnection = None,
    schema: WithSchema = None,
    batch: Annotated[
        str | None,
        typer.Option(
            help='NDJSON, {"mappings","input","types"} a line, instead of SET and EVENT.',
            metavar="FILE",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Adobe's own answer: [{data, errors}].")
    ] = False,
) -> None:
    """Show the record that a set makes of each event, and what is wrong with it.

    Exit 1 when an event would be a dead letter. With --batch an answer a line, {"data","errors"},
    in order; a line that is wrong gets its errors there, and the exit code is 0.
    """
    if batch is not None:
        if name is not None or connection is not None or schema is not None:
            raise typer.BadParameter("--batch brings its own sets and events")
        lines = PreviewLines()
        answer_lines(batch, lambda line, number: lines.answer(line, _now_ms(), time.time()))
        return
    if name is None or not events:
        raise typer.BadParameter(f"give a SET and EVENT files ({STDIN} for stdin), or --batch FILE")
    found = _previews(name, events, connection, schema)
    rejected = _answer_json(found) if as_json else _show(found)
    raise typer.Exit(1 if rejected else 0)


class Shown(NamedTuple):
    """One event's preview, where the event stood, and the set that made it."""

    place: str
    document: dict[str, Any]
    preview: Preview
    mapping: MappingSet


def _previews(
    name: str, events: Sequence[str], connection: str | None, schema: str | None
) -> Iterator[Shown]:
    mapping, compiled_schema = compiled(find(name, connection, schema))
    for file in events:
        for event in read_events(file):
            found = preview_event(mapping, compiled_schema, event.document, _now_ms(), time.time())
            yield Shown(event.place, event.document, found, mapping)


def _answer_json(found: Iterator[Shown]) -> int:
    """Adobe's answer, an element at a time; how many events would be dead letters."""
    rejected = 0
    start = "["
    for one in found:
        typer.echo(start + answer_of(one.preview).decode(), nl=False)
        start = ",\n"
        rejected += one.preview.rejected
    typer.echo("]" if start != "[" else "[]")
    return rejected


def _show(found: Iterator[Shown]) -> int:
    """The records on stdout, what is wrong with them on stderr."""
    rejected = 0
    out = Console()
    for one in found:
        content = orjson.dumps(one.preview.data, option=orjson.OPT_INDENT_2).decode()
        if out.is_terminal:
            out.print_json(content)
        else:
            typer.echo(content)
        for error in one.preview.errors or ():
            typer.echo(f"{one.place}: {_line(error, one.mapping)}", err=True)
        if one.preview.rejected:
            typer.echo(f"{one.place}: would be a dead letter", err=True)
        elif why := _unreadable(one.document):
            typer.echo(f"{one.place}: no event as Customer.io sends it: {why}", err=True)
        rejected += one.preview.rejected
    return rejected


def _unreadable(document: dict[str, Any]) -> str:
    """Why a worker would not get as far as mapping it. A set may be tried on any object."""
    try:
        parse_event(orjson.dumps(document))
    except UnreadableEvent as fault:
        return str(fault)
    return ""


def _line(error: PreviewError, mapping: MappingSet) -> str:
    """An error in a line, with its row as text."""
    rows = (row for row in mapping.rows if row.destination == error.destination)
    row = next(rows, None)
    return f"{error.severity}: {f'{row}: ' if row else ''}{error.exception}"


def _now_ms() -> int:
    return int(time.time() * 1000)
