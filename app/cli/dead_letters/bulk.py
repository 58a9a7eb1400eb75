"""A replay by filters: the selection frozen and shown, a yes asked for, then the run is watched."""

from __future__ import annotations

from collections.abc import Callable

import typer

from app.cli.facing import with_face
from app.cli.reading import echo_json
from app.cli.replays.watching import follow, how_to_go_on
from app.cli.spinning import spinner
from app.core.replay_run import Orders, ReplayRun, RunState
from app.core.replay_words import census_lines
from app.operations.face import Face
from app.store.dead_letters import Filter


def bulk_replay(
    wanted: Filter,
    orders: Orders,
    *,
    sure: bool,
    detach: bool,
    as_json: bool,
    recipe: tuple[str, str] | None = None,
    check: Callable[[ReplayRun], None] = lambda _: None,
) -> None:
    """Makes a run, and watches it unless told not to. Raises typer.Exit, and typer.Abort when the
    answer is no: the run is cancelled then, and nothing was touched. `recipe`: NAME@VERSION and
    text of the one that it follows; `check` raises typer.Exit when the run must not begin."""
    run = with_face(lambda face: _frozen(face, wanted, orders, recipe, quiet=as_json))
    if run.state is not RunState.FROZEN or not run.frozen:
        _nothing(run, as_json)
        return
    _checked(run, check)
    if not as_json:
        for line in census_lines(run.census):
            typer.echo(line)
    _confirm(run, sure or as_json)
    with_face(lambda face: face.runs.start(run))
    if not detach:
        follow(run.number, as_json=as_json)
        return
    started = with_face(lambda face: face.runs.get(run.number)) or run
    if as_json:
        echo_json(started.document())
    else:
        typer.echo(how_to_go_on(run.number))


async def _frozen(
    face: Face, wanted: Filter, orders: Orders, recipe: tuple[str, str] | None, *, quiet: bool
) -> ReplayRun:
    """A run with its selection; an empty one is cancelled."""
    with spinner("freezing the selection: {task.completed:,} dead letters", quiet=quiet) as bar:
        task = bar.add_task("", total=None)
        return await face.runs.freeze(
            wanted, orders, recipe, lambda letters: bar.update(task, completed=letters)
        )


def _checked(run: ReplayRun, check: Callable[[ReplayRun], None]) -> None:
    try:
        check(run)
    except typer.Exit:
        with_face(lambda face: face.runs.drop(run.number, "it was refused"))
        raise


def _nothing(run: ReplayRun, as_json: bool) -> None:
    if as_json:
        echo_json(run.document())
    elif run.frozen:
        typer.echo(f"run {run.number} is {run.state}: {run.reason}", err=True)
    else:
        typer.echo("no dead letters match", err=True)
    if run.frozen:
        raise typer.Exit(1)


def _confirm(run: ReplayRun, sure: bool) -> None:
    if sure:
        return
    orders = run.orders
    if run.recipe:
        typer.echo(f"{'recipe':<12} {run.recipe}; what it cannot mend stays dead")
    typer.echo(
        f"{'orders':<12} {orders.rate:g} events/s; stops when of at least {orders.stop_least} "
        f"settled lately more than {orders.stop_at:.0%} died again"
    )
    try:
        typer.confirm(f"replay {run.frozen:,} dead letter(s)?", abort=True)
    except typer.Abort:
        with_face(lambda face: face.runs.drop(run.number, "the answer was no"))
        raise
