"""A replay's dry run: what is selected, and how much of it would pass now. Writes nothing."""

from __future__ import annotations

import time
from typing import Final

import typer

from app.cli.mappings.finding import Configuration, say
from app.cli.reading import echo_json, with_store
from app.core.replay_words import census_lines
from app.core.selection import Census
from app.settings.trials import Trial, Trials
from app.store.connect import Store
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.drawing import draw, each_of

SAMPLE: Final = 1_000


def dry_run(wanted: Filter, sample: int, *, as_json: bool) -> None:
    """Tells what a replay of `wanted` would select, and tries `sample` of it, drawn by lot, with
    the connections' mapping sets and schemas as they are on disk now."""
    known = Configuration()
    census, trial = with_store(lambda redis: _try(redis, known, wanted, sample))
    if as_json:
        echo_json({"selection": census.document(), "trial": trial.document()})
        return
    for line in census_lines(census.document()):
        typer.echo(line)
    typer.echo(f"{trial.passing:,} of {trial.tried:,} tried would pass mapping and schema now")
    for why, times in trial.why.most_common():
        typer.echo(f"{times:,} would die again: {why}")


async def _try(
    redis: Store, known: Configuration, wanted: Filter, sample: int
) -> tuple[Census, Trial]:
    letters, trial, trials = DeadLetters(redis), Trial(), Trials(known, say)
    census, drawn = await draw(letters, wanted, sample)
    now = time.time()
    async for letter in each_of(letters, drawn):
        trial.note(trials.why_not(letter, now))
    return census, trial
