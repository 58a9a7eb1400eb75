"""`sluice dead-letters groups`, `note`, `resolve`: causes, and what people say of them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from app.cli.dead_letters.filters import (
    Campaign,
    Class,
    Connection,
    Kind,
    Mapping,
    Text,
    fingerprint,
    times,
)
from app.cli.dead_letters.tables import most_of, plain
from app.cli.facing import with_face
from app.cli.reading import Json, echo_json, echo_table, moment
from app.store.dead_letters.groups import Group, GroupFilter, Order, State, group_document

TheGroup = Annotated[str, typer.Argument(help="Its fingerprint, or how it begins.")]


class StateWord(StrEnum):
    """States as options."""

    NEW = "new"
    KNOWN = "known"
    RESOLVED = "resolved"
    REOPENED = "reopened"


def groups(
    connection: Connection = None,
    failure: Class = None,
    text: Text = None,
    kind: Kind = None,
    campaign: Campaign = None,
    mapping: Mapping = None,
    older: Annotated[str | None, typer.Option(help="Last letter longer ago than: 2h, 7d.")] = None,
    newer: Annotated[str | None, typer.Option(help="Last letter within the last: 2h, 7d.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="Last letter from then on.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Last letter up to then.")] = None,
    state: Annotated[StateWord | None, typer.Option(help="Only groups in this state.")] = None,
    sort: Annotated[Order, typer.Option(help="Newest death, or most letters first.")] = Order.LAST,
    empty: Annotated[bool, typer.Option("--empty", help="Those without letters, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    cursor: Annotated[str, typer.Option(help="Go on behind this.")] = "",
    as_json: Json = False,
) -> None:
    """Dead letters by cause: how many, since when, who is affected."""
    asked = None if state is None else State("" if state is StateWord.NEW else state.value)
    after, before = times(older, newer, since, until)
    wanted = GroupFilter(
        connection, failure, asked, text, empty, kind=kind, campaign=campaign, mapping=mapping,
        seen_after_ms=after, seen_before_ms=before,
    )  # fmt: skip
    try:
        shown, more = with_face(lambda face: face.groups.page(wanted, cursor, limit, sort))
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint="--cursor") from fault
    if as_json:
        echo_json([group_document(group) for group in shown])
    else:
        _table(shown)
    if more:
        typer.echo(f"... and more: --cursor {more}", err=True)
    elif not shown:
        typer.echo("no dead letters", err=True)


def note(group: TheGroup, text: str, as_json: Json = False) -> None:
    """Write a note to a cause, for whoever comes next; an empty one takes it away."""
    mark = fingerprint(group)
    with_face(lambda face: face.groups.note(mark, text))
    _told(mark, f"noted with {mark}", as_json)


def resolve(
    group: TheGroup,
    known: Annotated[
        bool, typer.Option("--known", help="It is known, and not yet solved.")
    ] = False,
    again: Annotated[bool, typer.Option("--reopen", help="It is not solved after all.")] = False,
    as_json: Json = False,
) -> None:
    """Say that a cause is resolved. It is reopened when another letter dies of it."""
    if known and again:
        raise typer.BadParameter("give either --known or --reopen")
    mark = fingerprint(group)
    state = State.KNOWN if known else State.REOPENED if again else State.RESOLVED
    with_face(lambda face: face.groups.mark(mark, state))
    _told(mark, f"{mark} is {state.value}", as_json)


def _told(mark: str, done: str, as_json: bool) -> None:
    """What was done; in JSON, the group as it is now."""
    if not as_json:
        typer.echo(done)
        return
    found = with_face(lambda face: face.groups.get(mark))
    echo_json(group_document(found) if found else None)


def _table(shown: list[Group]) -> None:
    echo_table(
        ("group", ">letters", ">ever", "first (UTC)", "last (UTC)", "class", "code", "where",
         "what", "kinds", "campaigns", "state", "note"),
        (
            (x.fingerprint[:8], x.live, x.ever, moment(x.first_ms), moment(x.last_ms),
             plain(x.cause.failure), plain(x.cause.code), plain(x.cause.path or "-", 60),
             plain(x.cause.detail, 100), most_of(x.kinds), most_of(x.campaigns),
             x.state.value or "new", plain(x.note or "-", 60))
            for x in shown
        ),
    )  # fmt: skip
