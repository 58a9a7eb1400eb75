"""`sluice lanes`: what each connection's lane does, and hold one back or let it go."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from app.cli.completing import connection_names
from app.cli.facing import with_face
from app.cli.reading import Json, age_ms, echo_json, echo_table, moment
from app.settings.faults import close_match
from app.store.lanes import Gate

lanes = typer.Typer(pretty_exceptions_enable=False)

Name = Annotated[str, typer.Argument(help="The connection.", autocompletion=connection_names)]


@lanes.callback(invoke_without_command=True)
def list_(ctx: typer.Context, as_json: Json = False) -> None:
    """Every lane: open or held back, since when and why, how fast, and what waits."""
    if ctx.invoked_subcommand is not None:
        return
    documents = with_face(lambda face: face.books.lanes())
    if as_json:
        echo_json(documents)
        return
    echo_table(
        ("connection", "state", "since (UTC)", "reason", "next probe", ">allowed/s",
         ">in flight", ">waiting", ">in batches", "oldest (UTC)"),
        (_row(document) for document in documents),
    )  # fmt: skip


@lanes.command()
def pause(
    name: Name,
    reason: Annotated[str, typer.Option(help="Why; `sluice lanes` shows it to others.")],
    for_: Annotated[
        str | None, typer.Option("--for", help="Until then: 90s, 10m, 2h; else until resumed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Hold a lane back: its events wait, none is lost. Workers see it within a second."""
    _known_or_exit(name)
    if not reason.strip():
        raise typer.BadParameter("say why, others will wonder", param_hint="--reason")
    age = age_ms(for_, "--for")
    seconds = None if age is None else age / 1000

    with_face(lambda face: face.books.pause_lane(name, reason.strip(), seconds))
    until = "it is resumed" if seconds is None else f"{moment(_in_ms(seconds))} UTC"
    if as_json:
        echo_json({"connection": name, "paused": True, "seconds": seconds})
    else:
        typer.echo(f"{name} is held back until {until}; `sluice lanes resume {name}` opens it")


@lanes.command()
def resume(name: Name, as_json: Json = False) -> None:
    """Open a lane that a person or a worker holds back. Exit 1 when nothing did.

    One that waits for its dataflow loses what is sent: `sluice connection status` says when it
    opens. It is opened, too, but only when nothing else holds it back.
    """
    _known_or_exit(name)
    held = with_face(lambda face: face.books.resume_lane(name))
    if as_json:
        echo_json({"connection": name, "resumed": held})
    else:
        typer.echo(_resumed(name) if held else f"{name} was not held back")
    if not held:
        raise typer.Exit(1)


def _resumed(name: str) -> str:
    found = with_face(lambda face: face.books.lanes())
    lane = next((each for each in found if each["connection"] == name), {})
    if lane.get("state") == Gate.PAUSED.value:
        return f"{name} is still held back: {lane['reason']}"
    return f"{name} is open"


def _known_or_exit(name: str) -> None:
    """Exits with 2 for a name that neither configuration nor Redis knows."""
    known = with_face(lambda face: face.books.lane_names())
    if name not in known:
        typer.echo(f"there is no connection {name!r}{close_match(name, known)}", err=True)
        raise typer.Exit(2)


def _row(document: dict[str, Any]) -> tuple[object, ...]:
    probe = document["next_probe"]
    if probe is None and document["state"] == Gate.PAUSED.value:
        probe = "when resumed"
    return (
        document["connection"],
        document["state"],
        document["since"] or "-",
        document["reason"] or "-",
        probe or "-",
        _number(document["allowed_messages_per_second"]),
        _number(document["in_flight_events"]),
        _number(document["waiting_events"]),
        _number(document["waiting_batches"]),
        document["oldest"] or "-",
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _in_ms(seconds: float) -> int:
    return int((time.time() + seconds) * 1000)
