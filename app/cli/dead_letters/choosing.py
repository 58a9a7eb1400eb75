"""Which dead letters a command means: by number, by filters, or all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli.completing import connection_names
from app.cli.facing import with_face
from app.cli.reading import age_ms, echo_json, utc_ms
from app.core.dead_letter import DeadLetterSummary
from app.operations.face import Face
from app.store.dead_letters import Filter

# Letters asked for at a time, of all that are meant.
_PAGE: Final = 1_000

Connection = Annotated[
    str | None, typer.Option(help="Only this connection.", autocompletion=connection_names)
]
Class = Annotated[str | None, typer.Option("--class", help="Only this class, e.g. contract.")]
Kind = Annotated[str | None, typer.Option(help="Only this kind, e.g. email.clicked.")]
Code = Annotated[str | None, typer.Option(help="Only this error code.")]
EventId = Annotated[str | None, typer.Option(help="Only this event.")]
Mapping = Annotated[
    str | None,
    typer.Option(help="Only what this mapping set made: NAME, NAME@VERSION, or a whole label."),
]
Older = Annotated[str | None, typer.Option(help="Died longer ago than: 90s, 15m, 2h, 7d.")]
Newer = Annotated[str | None, typer.Option(help="Died within the last: 90s, 15m, 2h, 7d.")]
Since = Annotated[
    str | None, typer.Option("--from", help="Died from then on: 2026-01-31, or 2026-01-31T18:00.")
]
Until = Annotated[str | None, typer.Option("--to", help="Died up to then; times are UTC.")]
Fingerprint = Annotated[
    str | None, typer.Option("--group", help="Only this cause: its fingerprint, or how it begins.")
]
Campaign = Annotated[
    str | None, typer.Option(help="Only this campaign, e.g. newsletter:27 or campaign:5.")
]
Person = Annotated[str | None, typer.Option(help="Only this person: id, address or cio_id.")]
Text = Annotated[str | None, typer.Option(help="Only errors that say this.")]
Run = Annotated[int | None, typer.Option(help="Only what died again in this replay run.")]
Numbers = Annotated[list[int] | None, typer.Argument(help="Numbers, from `list`.")]
All = Annotated[bool, typer.Option("--all", help="Everything that the filters let through.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def filter_(
    connection: str | None,
    failure: str | None,
    kind: str | None,
    code: str | None,
    event_id: str | None,
    mapping: str | None,
    older: str | None,
    newer: str | None,
    *,
    group: str | None = None,
    campaign: str | None = None,
    person: str | None = None,
    text: str | None = None,
    run: int | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Filter:
    """What the options ask for. Raises typer.BadParameter."""
    after, before = times(older, newer, since, until)
    return Filter(
        connection=connection,
        failure=failure,
        kind=kind,
        code=code,
        event_id=event_id,
        mapping=mapping,
        died_after_ms=after,
        died_before_ms=before,
        fingerprint=None if group is None else fingerprint(group),
        campaign=campaign,
        person=person,
        text=text,
        run=run,
    )


def times(
    older: str | None, newer: str | None, since: str | None, until: str | None
) -> tuple[int | None, int | None]:
    """(from, to) in Unix ms, as narrow as the options say. Raises typer.BadParameter."""
    now_ms = int(time.time() * 1000)
    before, after = age_ms(older, "--older"), age_ms(newer, "--newer")
    firsts = [None if after is None else now_ms - after, utc_ms(since, "--from")]
    lasts = [None if before is None else now_ms - before, utc_ms(until, "--to")]
    return (
        max((each for each in firsts if each is not None), default=None),
        min((each for each in lasts if each is not None), default=None),
    )


def fingerprint(beginning: str) -> str:
    """The one fingerprint that begins so. Raises typer.BadParameter."""
    found = with_face(lambda face: face.groups.beginning(beginning.lower()))
    if len(found) != 1:
        words = f"{len(found)} groups begin" if found else "no group begins"
        raise typer.BadParameter(f"{words} with {beginning!r}: see `sluice dead-letters groups`")
    return found[0]


async def find(face: Face, wanted: Filter) -> list[DeadLetterSummary]:
    """All of them, newest first."""
    found, more = list[DeadLetterSummary](), ""
    while True:
        part, cursor = await face.letters.page(wanted, more, _PAGE)
        found += part
        if cursor is None:
            return found
        more = cursor


def chosen(numbers: list[int] | None, everything: bool, wanted: Filter) -> list[DeadLetterSummary]:
    """The letters meant by numbers, or by filters. Raises typer.BadParameter when neither is."""
    if numbers:
        if everything or wanted != Filter():
            raise typer.BadParameter("give either numbers or filters, not both")
        letters = with_face(lambda face: face.letters.some(numbers))
        missing = sorted(set(numbers) - {letter.number for letter in letters})
        if missing:
            some = ", ".join(map(str, islice(missing, 10)))
            typer.echo(f"there is no dead letter {some}", err=True)
            raise typer.Exit(1)
        return letters
    if not everything and wanted == Filter():
        raise typer.BadParameter("say which: numbers, filters, or --all")
    return with_face(lambda face: find(face, wanted))


def confirm(question: str, sure: bool) -> None:
    """Asks, and ends the command when the answer is no."""
    if not sure:
        typer.confirm(question, abort=True)


@contextmanager
def progress(what: str, total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A bar for acts on many, at a terminal; what it gives is told how many are done."""
    console = Console(stderr=True)
    silent = quiet or total <= _PAGE or not console.is_terminal
    with Progress(console=console, transient=True, disable=silent) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def report(done: str, found: int, wanted: int, as_json: bool) -> None:
    """What was done, in both faces."""
    if as_json:
        echo_json({done: found, "chosen": wanted})
    else:
        typer.echo(f"{done} {found} of {wanted}")
