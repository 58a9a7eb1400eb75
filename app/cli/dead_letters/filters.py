"""The options that narrow down which dead letters a command means, declared once."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Collection
from functools import wraps
from typing import Annotated, Any

import typer

from app.cli.completing import connection_names
from app.cli.facing import with_face
from app.cli.reading import age_ms, utc_ms
from app.store.dead_letters import Filter

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

Command = Callable[..., None]


def takes_filters(*, but: Collection[str] = ()) -> Callable[[Command], Command]:
    """A command with a parameter `wanted` gets the options of `filter_` in its place, without
    those called in `but`, and is called with the filter that they make."""
    options = [
        each.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for each in inspect.signature(filter_, eval_str=True).parameters.values()
        if each.name not in but
    ]

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(**given: Any) -> None:
            asked = {each.name: given.pop(each.name) for each in options}
            command(wanted=filter_(**asked), **given)

        # What typer reads a command's options from.
        signature = inspect.signature(command, eval_str=True)
        ours = list(signature.parameters.values())
        place = list(signature.parameters).index("wanted")
        parameters = [*ours[:place], *options, *ours[place + 1 :]]
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return run

    return decorate


def filter_(
    *,
    connection: Connection = None,
    failure: Class = None,
    kind: Kind = None,
    code: Code = None,
    event_id: EventId = None,
    mapping: Mapping = None,
    older: Older = None,
    newer: Newer = None,
    since: Since = None,
    until: Until = None,
    group: Fingerprint = None,
    campaign: Campaign = None,
    person: Person = None,
    text: Text = None,
    run: Run = None,
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
