"""A replay's dry run: what is selected, and how much of it would pass now. Writes nothing."""

from __future__ import annotations

from typing import Final

import typer

from app.cli.facing import with_face
from app.cli.reading import echo_json
from app.core.replay_words import census_lines
from app.store.dead_letters import Filter

SAMPLE: Final = 1_000


def dry_run(wanted: Filter, sample: int, *, as_json: bool) -> None:
    """Tells what a replay of `wanted` would select, and tries `sample` of it, drawn by lot, with
    the connections' mapping sets and schemas as they are on disk now."""
    selection, trial = with_face(lambda face: face.letters.try_out(wanted, sample))
    if as_json:
        echo_json({"selection": selection, "trial": trial})
        return
    for line in census_lines(selection):
        typer.echo(line)
    passing, tried = trial["would_pass"], trial["tried"]
    typer.echo(f"{passing:,} of {tried:,} tried would pass mapping and schema now")
    for why, times in trial["why"].items():
        typer.echo(f"{times:,} would die again: {why}")
