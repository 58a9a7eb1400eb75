"""`sluice recipes dry-run`: what a recipe would do. Writes nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
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
from app.core.dead_letter import DeadLetter
from app.core.recipe import Difference, Recipe, differences, mend
from app.core.replay_words import census_lines
from app.core.selection import Census
from app.settings.trials import Trial, Trials
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


@dataclass(slots=True)
class _Found:
    """`changes`: number of a letter that would pass -> where it would differ."""

    census: Census
    trial: Trial = field(default_factory=Trial)
    left_out: Counter[str] = field(default_factory=Counter)
    changes: dict[int, list[Difference]] = field(default_factory=dict)


def dry_run(
    which: Which,
    sample: Sample = SAMPLE,
    everything: Everything = False,
    shown: Shown = 5,
    as_json: Json = False,
) -> None:
    """How many dead letters a recipe would mend, how, and why not the others.

    Exit 1 when the mapping version that the recipe wants is not the one here.
    """
    recipe = understood(_text_of(which))
    wanted, most = wanted_by(recipe), 2**63 if everything else sample
    quiet = as_json or not Console(stderr=True).is_terminal
    found = with_store(lambda redis: _try(redis, recipe, wanted, most, shown, quiet=quiet))
    require_mapping(recipe, found.census.connections)
    if as_json:
        echo_json(_document(found))
        return
    for line in census_lines(found.census.document()):
        typer.echo(line)
    _tell(found)


def _text_of(which: str) -> str:
    named_as_file = which == "-" or which.endswith((".yaml", ".yml")) or Path(which).is_file()
    return read_file(which) if named_as_file else known(which).text


async def _try(
    redis: Store, recipe: Recipe, wanted: Filter, most: int, shown: int, *, quiet: bool
) -> _Found:
    letters, trials = DeadLetters(redis), Trials(Configuration(), say)
    census, drawn = await draw(letters, wanted, most)
    found = _Found(census)
    parts = range(0, len(drawn), REPLAY_BATCH)
    for at in track(parts, "trying", console=Console(stderr=True), transient=True, disable=quiet):
        _judge(found, recipe, trials, await letters.get(drawn[at : at + REPLAY_BATCH]), shown)
    return found


def _judge(
    found: _Found, recipe: Recipe, trials: Trials, letters: Sequence[DeadLetter], shown: int
) -> None:
    now = time.time()
    for letter in letters:
        body, why, left_out = mend(recipe.steps, letter.outgoing)
        found.left_out.update(left_out)
        if body is not None:
            why = trials.why_not(letter.sending(body), now)
        found.trial.note(why)
        if why or body is None:
            continue
        if recipe.steps and len(found.changes) < shown:
            changed = differences(recipe.steps, letter.outgoing, body)
            found.changes[letter.summary.number] = changed


def _document(found: _Found) -> dict[str, Any]:
    return {
        "selection": found.census.document(),
        "trial": found.trial.document(),
        "left_out": dict(found.left_out.most_common()),
        "differences": [
            {"number": number, "changes": [change.document() for change in changes]}
            for number, changes in found.changes.items()
        ],
    }


def _tell(found: _Found) -> None:
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
