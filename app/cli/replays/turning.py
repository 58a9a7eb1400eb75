"""`sluice replays pause`, `resume` and `cancel`."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.facing import with_face
from app.cli.reading import Json, echo_json
from app.cli.replays.looking import Number, known
from app.core.replay_run import RunState
from app.core.replay_words import counts_of, state_of
from app.store.replay_runs import ReplayRuns

Rate = Annotated[
    float | None, typer.Option(min=0.1, max=100_000, help="Events per second from now on.")
]
Reason = Annotated[str, typer.Option(help="Why, for those who look at it later.")]


def pause(number: Number, reason: Reason = "", as_json: Json = False) -> None:
    """Hold a running replay until it is resumed. What it put on the queue goes on."""
    _turn(number, RunState.PAUSED, reason, None, as_json)


def resume(number: Number, rate: Rate = None, as_json: Json = False) -> None:
    """Go on with a replay that is paused, was stopped at its bound, or was never begun."""
    _turn(number, RunState.RUNNING, "", rate, as_json)


def cancel(number: Number, reason: Reason = "", as_json: Json = False) -> None:
    """End a replay. What it put on the queue goes on, the rest stays dead letters."""
    _turn(number, RunState.CANCELLED, reason, None, as_json)


def _turn(number: int, then: RunState, reason: str, rate: float | None, as_json: bool) -> None:
    """Does it, and says what is so now. Exits with 1 when the run's state does not allow it."""
    known(number)
    was = with_face(lambda face: face.runs.turn(number, then, reason, rate))
    done, run = ReplayRuns.may(was, then), known(number)
    if as_json:
        echo_json({"changed": done, **run.document()})
    elif done:
        typer.echo(f"run {number} is {state_of(run)}; {counts_of(run)}")
    else:
        typer.echo(f"run {number} cannot be {then}: it is {state_of(run)}", err=True)
    if not done:
        raise typer.Exit(1)
