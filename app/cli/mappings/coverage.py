"""`sluice mappings coverage`: which published fields a set maps, and which never come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from app.cli.mappings.covering import (
    LEFT_OUT,
    MAPPED,
    OLD_BODIES,
    PASSED_ON,
    UNMAPPED,
    Coverage,
    Covered,
    cover,
)
from app.cli.mappings.finding import Configuration, ForConnection, SetName, compiled, find
from app.cli.mappings.traffic import (
    SAMPLE,
    EventFiles,
    HowMany,
    from_files,
    from_sample,
    one_connection,
    progress,
)
from app.cli.reading import Json, echo_json, echo_table
from app.core.errors import ConfigError
from app.core.published import LEGACY, PUBLISHED
from app.settings.faults import close_match
from app.store.samples import Sample

# What needs a look comes first.
_ORDER: Final = (UNMAPPED, PASSED_ON, LEFT_OUT, MAPPED)


def coverage(
    name: SetName,
    kind: Annotated[
        str | None,
        typer.Option(
            help=f"Only this kind, e.g. email.clicked; {OLD_BODIES}: those of before 2020.",
            metavar="KIND",
        ),
    ] = None,
    sample: HowMany = SAMPLE,
    events: EventFiles = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Look at no events: ask Redis nothing.")
    ] = False,
    connection: ForConnection = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 when a field is neither mapped nor left out.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say which published fields a set maps, leaves out, misses, or never fills in.

    Counts are over the recent events that a worker keeps as a sample, or over --events.
    """
    known = Configuration()
    found = find(name, connection, configuration=known)
    mapping, _ = compiled(found)
    left_out = found.examples().get("left_out")
    measured = cover(mapping, _published(kind), left_out if isinstance(left_out, dict) else {})
    if not offline:
        whose = "" if events else one_connection(known, found.connection)
        bodies = from_files(events) if events else from_sample(known, whose, sample)
        measured.look(mapping, _each(bodies, quiet=as_json), kind or "")
    if as_json:
        echo_json(_document(measured))
    else:
        _show(measured, kind)
    if check and measured.count(UNMAPPED):
        raise typer.Exit(1)


def _published(kind: str | None) -> Mapping[str, Sequence[str]]:
    """Kind -> published paths. Raises ConfigError for a kind that is not published."""
    kinds = {".".join(pair): paths for pair, paths in PUBLISHED.items()} | {OLD_BODIES: LEGACY}
    if kind is None:
        return kinds
    if kind not in kinds:
        raise ConfigError([f"no kind {kind!r} is published{close_match(kind, kinds)}"])
    return {kind: kinds[kind]}


def _each(bodies: Iterable[Sample], *, quiet: bool) -> Iterable[tuple[bytes, int]]:
    many = list(bodies)
    for one in progress(many, "looking at events", quiet=quiet or len(many) < 1_000):
        yield one.body, one.received_ms


def _document(measured: Coverage) -> dict[str, Any]:
    return {
        "events": measured.events,
        "events_not_mapped": measured.failed,
        "published": len(measured.fields),
        **{status.replace(" ", "_"): measured.count(status) for status in _ORDER},
        "never_filled": None if measured.events is None else measured.never,
        "fields": [asdict(one) for one in measured.fields],
        "unpublished": measured.unpublished,
    }


def _show(measured: Coverage, kind: str | None) -> None:
    looked = measured.events is not None
    columns = ["field", "state", "row, destination", *([] if kind else [">kinds"])]
    columns += [">came", ">filled"] if looked else []
    echo_table(
        columns,
        (
            [one.path, one.status, _where(one), *([] if kind else [len(one.kinds)])]
            + ([one.came, one.filled] if looked else [])
            for one in sorted(measured.fields, key=lambda one: _ORDER.index(one.status))
        ),
    )
    for path, times in sorted(measured.unpublished.items(), key=lambda item: -item[1]):
        typer.echo(f"not published, but came in {times:,} events: {path}")
    typer.echo(_sum(measured))


def _where(one: Covered) -> str:
    if one.status == LEFT_OUT:
        return one.reason
    if not one.rows:
        return "-"
    more = f" and {len(one.rows) - 1} more" if len(one.rows) > 1 else ""
    return f"{one.rows[0]} {one.destinations[0]}{more}"


def _sum(measured: Coverage) -> str:
    counts = [
        f"{count} {status}" for status in reversed(_ORDER) if (count := measured.count(status))
    ]
    text = f"{len(measured.fields)} published fields: {', '.join(counts)}"
    if measured.events is None:
        return text
    text += f"; {measured.never} never filled in the {measured.events:,} events looked at"
    if measured.failed:
        text += f" ({measured.failed:,} of them the set cannot map)"
    return text
