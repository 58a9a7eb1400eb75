"""`sluice replays list` and `show`."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.facing import with_face
from app.cli.reading import Json, echo_json, echo_table, moment, visible
from app.core.replay_run import ReplayRun
from app.core.replay_words import asked_for, census_lines, counts_of, state_of

Number = Annotated[int, typer.Argument(metavar="RUN", help="Its number, from `list`.")]


def list_(
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 20,
    as_json: Json = False,
) -> None:
    """Bulk replays, newest first."""
    found = with_face(lambda face: face.runs.newest(limit))
    if as_json:
        echo_json([run.document() for run in found])
        return
    if not found:
        typer.echo("no bulk replay was ever made: `sluice dead-letters replay` makes one", err=True)
        return
    echo_table(
        (">run", "made (UTC)", "by", "selection", ">letters", ">put", ">delivered",
         ">died again", ">in flight", "state"),
        (
            (run.number, moment(run.made_ms), run.by, asked_for(run.wanted), f"{run.frozen:,}",
             f"{run.put:,}", f"{run.delivered:,}", f"{run.dead:,}", f"{run.in_flight:,}",
             state_of(run))
            for run in found
        ),
    )  # fmt: skip


def show(number: Number, as_json: Json = False) -> None:
    """One bulk replay: who made it, of what, how it goes."""
    run = known(number)
    if as_json:
        echo_json(run.document())
        return
    orders = run.orders
    typer.echo(f"{'run':<12} {run.number}, by {run.by}")
    typer.echo(f"{'state':<12} {state_of(run)}")
    typer.echo(f"{'done':<12} {counts_of(run)}")
    typer.echo(f"{'selection':<12} {asked_for(run.wanted)}, up to dead letter {run.cutoff}")
    typer.echo(
        f"{'orders':<12} {orders.rate:g} events/s; stops when of at least {orders.stop_least} "
        f"settled lately more than {orders.stop_at:.0%} died again"
    )
    if run.recipe:
        typer.echo(f"{'recipe':<12} {run.recipe}")
    for why, times in run.kept_why.items():
        typer.echo(f"{'kept dead':<12} {times:,}: {visible(why)}")
    for name in ("made", "started", "put", "ended"):
        if at_ms := getattr(run, f"{name}_ms"):
            typer.echo(f"{'last put' if name == 'put' else name:<12} {moment(at_ms)} UTC")
    if run.census:
        for line in census_lines(run.census):
            typer.echo(line)


def known(number: int) -> ReplayRun:
    """The run. Raises typer.Exit, with a word, when there is none."""
    run = with_face(lambda face: face.runs.get(number))
    if run is None:
        typer.echo(f"there is no replay run {number}: `sluice replays list` has them", err=True)
        raise typer.Exit(1)
    return run
