"""`sluice replays pause`, `resume` and `cancel`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from app.cli.acting import operator
from app.cli.reading import Json, echo_json, with_store
from app.cli.replays.looking import Number, known
from app.core.replay_run import RunState
from app.core.replay_words import counts_of, state_of
from app.store.audit import Audit
from app.store.connect import Store
from app.store.replay_runs import ReplayRuns

Rate = Annotated[
    float | None, typer.Option(min=0.1, max=100_000, help="Events per second from now on.")
]
Reason = Annotated[str, typer.Option(help="Why, for those who look at it later.")]


def pause(number: Number, reason: Reason = "", as_json: Json = False) -> None:
    """Hold a running replay until it is resumed. What it put on the queue goes on."""
    why = _why("paused", reason)
    _turn(number, RunState.PAUSED, lambda runs: runs.pause(number, why), as_json)


def resume(number: Number, rate: Rate = None, as_json: Json = False) -> None:
    """Go on with a replay that is paused, was stopped at its bound, or was never begun."""
    _turn(number, RunState.RUNNING, lambda runs: runs.start(number, rate), as_json)


def cancel(number: Number, reason: Reason = "", as_json: Json = False) -> None:
    """End a replay. What it put on the queue goes on, the rest stays dead letters."""
    why = _why("cancelled", reason)
    _turn(number, RunState.CANCELLED, lambda runs: runs.cancel(number, why), as_json)


def _why(what: str, reason: str) -> str:
    return f"{what} by {operator()}" + (f": {reason}" if reason else "")


def _turn(
    number: int,
    then: RunState,
    turn: Callable[[ReplayRuns], Awaitable[RunState | None]],
    as_json: bool,
) -> None:
    """Does it, and says what is so now. Exits with 1 when the run's state does not allow it."""
    done = with_store(lambda redis: _turned(redis, number, then, turn))
    run = known(number)
    if as_json:
        echo_json({"changed": done, **run.document()})
    elif done:
        typer.echo(f"run {number} is {state_of(run)}; {counts_of(run)}")
    else:
        typer.echo(f"run {number} cannot be {then}: it is {state_of(run)}", err=True)
    if not done:
        raise typer.Exit(1)


async def _turned(
    redis: Store,
    number: int,
    then: RunState,
    turn: Callable[[ReplayRuns], Awaitable[RunState | None]],
) -> bool:
    done = ReplayRuns.may(await turn(ReplayRuns(redis)), then)
    if done:
        await Audit(redis).record(operator(), f"replays.{then}", run=number)
    return done
