"""Which dead letters a command means: by number, by filters, or all of them."""

from __future__ import annotations

import time
from itertools import islice
from typing import Annotated

import typer

from app.cli.completing import connection_names
from app.cli.reading import age_ms, echo_json, utc_ms, with_store
from app.core.dead_letter import DeadLetterSummary
from app.store.connect import Store
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.groups import Groups

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
    found = with_store(lambda redis: Groups(redis).resolve_prefix(beginning.lower()))
    if len(found) != 1:
        words = f"{len(found)} groups begin" if found else "no group begins"
        raise typer.BadParameter(f"{words} with {beginning!r}: see `sluice dead-letters groups`")
    return found[0]


async def find(redis: Store, wanted: Filter, limit: int | None) -> list[DeadLetterSummary]:
    """At most `limit` of them, newest first."""
    found: list[DeadLetterSummary] = []
    async for letter in DeadLetters(redis).find(wanted):
        found.append(letter)
        if limit is not None and len(found) >= limit:
            break
    return found


def chosen(numbers: list[int] | None, everything: bool, wanted: Filter) -> list[DeadLetterSummary]:
    """The letters meant by numbers, or by filters. Raises typer.BadParameter when neither is."""
    if numbers:
        if everything or wanted != Filter():
            raise typer.BadParameter("give either numbers or filters, not both")
        letters = with_store(lambda redis: DeadLetters(redis).summaries(numbers))
        missing = sorted(set(numbers) - {letter.number for letter in letters})
        if missing:
            some = ", ".join(map(str, islice(missing, 10)))
            typer.echo(f"there is no dead letter {some}", err=True)
            raise typer.Exit(1)
        return letters
    if not everything and wanted == Filter():
        raise typer.BadParameter("say which: numbers, filters, or --all")
    return with_store(lambda redis: find(redis, wanted, None))


def confirm(question: str, sure: bool) -> None:
    """Asks, and ends the command when the answer is no."""
    if not sure:
        typer.confirm(question, abort=True)


def report(done: str, found: int, wanted: int, as_json: bool) -> None:
    """What was done, in both faces."""
    if as_json:
        echo_json({done: found, "chosen": wanted})
    else:
        typer.echo(f"{done} {found} of {wanted}")
