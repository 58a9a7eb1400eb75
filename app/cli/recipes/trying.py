"""`sluice recipes dry-run`: what a recipe would do. Writes nothing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer
from rich.console import Console
from rich.progress import track

from app.cli.dead_letters.trying import SAMPLE
from app.cli.mappings.finding import Configuration, say
from app.cli.reading import Json, echo_json, visible, with_store
from app.cli.recipes.finding import known, read_file, require_mapping, understood, wanted_by
from app.core.recipe import Difference
from app.core.replay_words import census_lines
from app.core.selection import Census
from app.settings.recipe_trials import SHOWN, RecipeTrial
from app.settings.trials import Trials
from app.store.connect import Store
from app.store.dead_letters import REPLAY_BATCH, DeadLetters, Filter
from app.store.dead_letters.drawing import draw

_SHOWN_CHARS: Final = 60

Which = Annotated[
    str, typer.Argument(metavar="NAME|FILE", help="A saved one, or YAML; - is stdin.")
]
Sample = Annotated[int, typer.Option(min=1, help="How many of them it tries, drawn by lot.")]
Everything = Annotated[bool, typer.Option("--all", help="Try all of them.")]
Shown = Annotated[int, typer.Option(min=0, help="Of how many letters it shows what changes.")]


def dry_run(
    which: Which,
    sample: Sample = SAMPLE,
    everything: Everything = False,
    shown: Shown = SHOWN,
    as_json: Json = False,
) -> None:
    """How many dead letters a recipe would mend, how, and why not the others.

    Exit 1 when the mapping version that the recipe wants is not the one here.
    """
    recipe = understood(_text_of(which))
    wanted, most = wanted_by(recipe), 2**63 if everything else sample
    quiet = as_json or not Console(stderr=True).is_terminal
    found = RecipeTrial(recipe, shown)
    census = with_store(lambda redis: _try(redis, found, wanted, most, quiet=quiet))
    require_mapping(recipe, census.connections)
    if as_json:
        echo_json({"selection": census.document(), **found.document()})
        return
    for line in census_lines(census.document()):
        typer.echo(line)
    _tell(found)


def _text_of(which: str) -> str:
    named_as_file = which == "-" or which.endswith((".yaml", ".yml")) or Path(which).is_file()
    return read_file(which) if named_as_file else known(which).text


async def _try(
    redis: Store, found: RecipeTrial, wanted: Filter, most: int, *, quiet: bool
) -> Census:
    letters, trials = DeadLetters(redis), Trials(Configuration(), say)
    census, drawn = await draw(letters, wanted, most)
    parts = range(0, len(drawn), REPLAY_BATCH)
    for at in track(parts, "trying", console=Console(stderr=True), transient=True, disable=quiet):
        some = await letters.get(drawn[at : at + REPLAY_BATCH])
        found.judge(trials, some, time.time())
    return census


def _tell(found: RecipeTrial) -> None:
    trial = found.trial
    typer.echo(f"{trial.passing:,} of {trial.tried:,} tried would pass mapping and schema")
    for why, times in trial.why.most_common():
        typer.echo(f"{times:,} would stay dead: {visible(why)}")
    for why, times in found.left_out.most_common():
        typer.echo(f"{times:,} without an optional step: {visible(why)}")
    for number, changes in found.changes.items():
        typer.echo(f"letter {number}:")
        for line in [_told(change) for change in changes] or ["stays as it is"]:
            typer.echo(f"  {line}")


def _told(change: Difference) -> str:
    told = change.document()
    before, after = (_short(told[side]) if side in told else "-" for side in ("before", "after"))
    return visible(f"{change.path}: {before} -> {after}")


def _short(value: Any) -> str:
    text = str(orjson.dumps(value), "utf-8")
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}..."
