"""`sluice mappings diff`: what a new set would change, over real events, before it is used."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from app.cli.mappings.comparing import Comparison, FieldDifference, Passing, Revival
from app.cli.mappings.finding import (
    Configuration,
    ForConnection,
    WithSchema,
    compiled,
    find,
    user_of,
)
from app.cli.mappings.traffic import (
    SAMPLE,
    EventFiles,
    HowMany,
    each_dead_letter,
    from_files,
    from_sample,
    one_connection,
    progress,
)
from app.cli.reading import Json, echo_json, echo_table
from app.core.dead_letter import DeadLetter
from app.core.masking import masked
from app.core.trial import Side
from app.settings import Connection
from app.store.samples import Sample

_BAR_FROM = 1_000


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A set: name or file.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The set to compare it with.")],
    sample: HowMany = SAMPLE,
    connection: ForConnection = None,
    schema: WithSchema = None,
    dead: Annotated[
        bool,
        typer.Option("--dead-letters", help="Compare over dead letters, not recent traffic."),
    ] = False,
    events: EventFiles = None,
    show_values: Annotated[
        bool, typer.Option("--show-values", help="Show examples' values: personal data.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 when an event passes only with OLD.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare two sets over real events, field by field; nothing is sent or changed.

    Over the sample of recent traffic that a worker keeps (or dead letters, or files): what NEW
    would write differently, which events only one of the two can map, and how many dead letters
    would now pass.
    """
    known = Configuration()
    whose = known.connection(connection) if connection else user_of(known, old, new)
    found_old = find(old, whose, schema, configuration=known)
    found_new = find(new, whose, schema, configuration=known)
    sides = Side(*compiled(found_old)), Side(*compiled(found_new))
    comparison, revival = Comparison(*sides), Revival(*sides)
    bodies = _traffic(known, whose, events, sample, revival, dead=dead, quiet=as_json)
    now = time.time()
    for one in progress(bodies, "comparing", quiet=as_json or len(bodies) < _BAR_FROM):
        comparison.add(one.body, one.received_ms, now)
    if as_json:
        echo_json(_document(comparison, revival, show_values=show_values))
    else:
        _show(comparison, revival, show_values=show_values)
    if not bodies and not revival.letters:
        typer.echo("there is nothing to compare them over", err=True)
        raise typer.Exit(1)
    if check and comparison.only_old.events:
        raise typer.Exit(1)


def _traffic(
    known: Configuration,
    whose: Connection | None,
    events: Sequence[str] | None,
    sample: int,
    revival: Revival,
    *,
    dead: bool,
    quiet: bool,
) -> Sequence[Sample]:
    """The events to compare over; the dead letters are counted meanwhile. Files need no Redis."""
    files = list(from_files(events)) if events else []
    if events and not dead:
        return files
    named, now = one_connection(known, whose), time.time()
    died: list[Sample] = []

    def take(letter: DeadLetter) -> None:
        told = letter.summary
        revival.add((told.failure, told.stage, told.code), letter.body, told.received_ms, now)
        if len(died) < sample:
            died.append(Sample(told.received_ms, letter.body))

    each_dead_letter(named, take, quiet=quiet)
    if events:
        return files
    return died if dead else from_sample(known, named, sample)


def _document(found: Comparison, revival: Revival, *, show_values: bool) -> dict[str, Any]:
    def passing(one: Passing) -> dict[str, Any]:
        return {"events": one.events, "event_ids": one.named, "why": dict(one.why.most_common())}

    return {
        "old": found.old.mapping.label,
        "new": found.new.mapping.label,
        "events": found.events,
        "same": found.same,
        "different": found.different,
        "only_old": passing(found.only_old),
        "only_new": passing(found.only_new),
        "neither": found.neither,
        "fields": [_field(one, show_values=show_values) for one in _sorted(found)],
        "dead_letters": {
            "letters": revival.letters,
            "pass_with_new": revival.pass_new,
            "pass_with_old": revival.pass_old,
            "causes": [
                {"class": failure, "stage": stage, "code": code, "letters": counts[0],
                 "pass_with_old": counts[1], "pass_with_new": counts[2]}
                for (failure, stage, code), counts in _causes(revival)
            ],
        },
    }  # fmt: skip


def _field(one: FieldDifference, *, show_values: bool) -> dict[str, Any]:
    old, new = _values(one, show_values=show_values)
    return {
        "path": one.path,
        "changed": one.changed,
        "added": one.added,
        "removed": one.removed,
        "example": {"event_id": one.event_id, "old": old, "new": new},
        "old_row": one.old_row,
        "new_row": one.new_row,
    }


def _show(found: Comparison, revival: Revival, *, show_values: bool) -> None:
    typer.echo(
        f"{found.old.mapping.label} and {found.new.mapping.label} over {found.events:,} events: "
        f"{found.same:,} the same, {found.different:,} different, "
        f"{found.only_old.events:,} pass only with the old, "
        f"{found.only_new.events:,} only with the new, {found.neither:,} with neither"
    )
    if found.fields:
        echo_table(
            ("field", ">changed", ">added", ">removed", "old", "new", "row"),
            (
                (
                    one.path,
                    f"{one.changed:,}",
                    f"{one.added:,}",
                    f"{one.removed:,}",
                    *(_cell(value) for value in _values(one, show_values=show_values)),
                    _rows(one),
                )
                for one in _sorted(found)
            ),
        )
    _show_passing("pass only with the old", found.only_old)
    _show_passing("pass only with the new", found.only_new)
    _show_revival(revival)


def _show_passing(what: str, passing: Passing) -> None:
    for why, times in passing.why.most_common():
        typer.echo(f"{times:,} {what}; with the other: {why}")
    if passing.named:
        more = passing.events - len(passing.named)
        ids = " ".join(passing.named)
        typer.echo(f"  such as {ids}{f' and {more:,} more' if more else ''}")


def _show_revival(revival: Revival) -> None:
    if not revival.letters:
        return
    already = f"; {revival.pass_old:,} do with the old" if revival.pass_old else ""
    typer.echo(
        f"{revival.pass_new:,} of {revival.letters:,} dead letters would now pass with "
        f"{revival.new.mapping.label}{already}"
    )
    echo_table(
        ("class", "stage", "code", ">dead letters", ">pass with old", ">pass with new"),
        ((*cause, *(f"{count:,}" for count in counts)) for cause, counts in _causes(revival)),
    )


def _sorted(found: Comparison) -> list[FieldDifference]:
    return sorted(found.fields.values(), key=lambda one: (-one.events, one.path))


def _causes(revival: Revival) -> list[tuple[tuple[str, str, str], list[int]]]:
    return sorted(revival.causes.items(), key=lambda item: -item[1][0])


def _values(one: FieldDifference, *, show_values: bool) -> tuple[Any, Any]:
    """The example's values, or what kind they are; None where there is none."""
    pair = (one.old, one.new)
    if show_values:
        return pair
    old, new = (None if value is None else masked(value) for value in pair)
    return old, new


def _cell(value: Any) -> str:
    return "-" if value is None else str(value)


def _rows(one: FieldDifference) -> str:
    """Which rows wrote it: by number where both sets have it, else the one that does."""
    numbers = [row.split(" ", 1)[0] for row in (one.old_row, one.new_row) if row]
    return " -> ".join(numbers) or "-"
