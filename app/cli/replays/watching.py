"""`sluice replays watch`: a run's progress while it lasts. Ctrl-C leaves it running."""

from __future__ import annotations

import asyncio
import time
from collections import deque

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from app.cli.facing import with_face
from app.cli.reading import Json, echo_json
from app.cli.replays.looking import Number, known
from app.core.errors import ConsoleUnavailable, StoreUnavailable
from app.core.replay_run import ReplayRun, RunState
from app.core.replay_words import counts_of, state_of
from app.operations.face import Face

_LOOK_SECONDS = 0.5
# What the rate and the time left are reckoned from.
_RATE_SECONDS = 10.0


def watch(number: Number, as_json: Json = False) -> None:
    """Watch a bulk replay until it is over, paused or stopped. Exits 0 when it has finished."""
    known(number)
    follow(number, as_json=as_json)


def follow(number: int, *, as_json: bool) -> None:
    """Watches a run that exists. Raises typer.Exit: 0 finished, or left by Ctrl-C; 1 it is not."""
    try:
        run = with_face(lambda face: _follow(face, number, quiet=as_json))
    except KeyboardInterrupt:
        typer.echo(how_to_go_on(number), err=True)
        raise typer.Exit(0) from None
    if as_json:
        echo_json(run.document())
    else:
        typer.echo(f"run {number} is {state_of(run)}; {counts_of(run)}")
    if run.dead:
        typer.echo(f"what died again: `sluice dead-letters list --run {number}`", err=True)
    if run.state is not RunState.FINISHED:
        raise typer.Exit(1)


def how_to_go_on(number: int) -> str:
    """What can be done with a run that goes on without us."""
    return (
        f"run {number} goes on in the worker. `sluice replays watch {number}` to look again, "
        f"`pause {number}`, `resume {number}`, `cancel {number}` to steer it"
    )


async def _follow(face: Face, number: int, *, quiet: bool) -> ReplayRun:
    """The run when it does not run any more."""
    console = Console(stderr=True)
    said = ""
    with _bar(console, quiet) as bar:
        task = bar.add_task("", total=None)
        pace = _Pace()
        while True:
            try:
                run = await face.runs.get(number)
            except (StoreUnavailable, ConsoleUnavailable) as fault:
                bar.update(task, description=f"waiting: {fault}")
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            if run is None or run.state is not RunState.RUNNING:
                return run or ReplayRun(number, RunState.CANCELLED, reason="it is gone")
            told = f"{pace.told(run)}, {run.dead:,} died again"
            if (now := state_of(run)) != RunState.RUNNING:
                told += f"; {now.removeprefix('running: ')}"
            bar.update(task, total=run.frozen, completed=run.passed, description=told)
            if not (quiet or console.is_terminal) and said != now:
                typer.echo(f"{now}; {counts_of(run)}", err=True)
            said = now
            await asyncio.sleep(_LOOK_SECONDS)


def _bar(console: Console, quiet: bool) -> Progress:
    return Progress(
        TextColumn("replaying"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )


class _Pace:
    """How fast it goes, and how long it will take."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def told(self, run: ReplayRun) -> str:
        now, done = time.monotonic(), run.passed
        self._seen.append((now, done))
        while now - self._seen[0][0] > _RATE_SECONDS:
            self._seen.popleft()
        then, before = self._seen[0]
        rate = (done - before) / (now - then) if now > then else 0.0
        if not rate or not run.to_come:
            return f"{rate:,.0f}/s"
        return f"{rate:,.0f}/s, {_lasting(run.to_come / rate)} left"


def _lasting(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
