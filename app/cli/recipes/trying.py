"""`sluice recipes dry-run`: what a recipe would do. Writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer
from rich.console import Console
from rich.progress import Progress

from app.cli.dead_letters.trying import SAMPLE
from app.cli.facing import with_face
from app.cli.reading import Json, echo_json, visible
from app.cli.recipes.finding import known, read_file, require_mapping, understood, wanted_by
from app.core.replay_words import census_lines
from app.operations.face import Face
from app.settings.recipe_trials import SHOWN
from app.store.dead_letters import Filter

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
    text = _text_of(which)
    recipe = understood(text)
    wanted, most = wanted_by(recipe), 2**53 if everything else sample
    quiet = as_json or not Console(stderr=True).is_terminal
    found = with_face(lambda face: _try(face, text, wanted, most, shown, quiet=quiet))
    require_mapping(recipe, text, found["selection"]["connections"])
    if as_json:
        echo_json(found)
        return
    for line in census_lines(found["selection"]):
        typer.echo(line)
    _tell(found)


def _text_of(which: str) -> str:
    named_as_file = which == "-" or which.endswith((".yaml", ".yml")) or Path(which).is_file()
    return read_file(which) if named_as_file else known(which).text


async def _try(
    face: Face, text: str, wanted: Filter, most: int, shown: int, *, quiet: bool
) -> dict[str, Any]:
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("trying", total=None)
        return await face.recipes.try_out(
            text, wanted, most, shown, lambda at, of: bar.update(task, completed=at, total=of)
        )


def _tell(found: dict[str, Any]) -> None:
    passing, tried = found["trial"]["would_pass"], found["trial"]["tried"]
    typer.echo(f"{passing:,} of {tried:,} tried would pass mapping and schema")
    for why, times in found["trial"]["why"].items():
        typer.echo(f"{times:,} would stay dead: {visible(why)}")
    for why, times in found["left_out"].items():
        typer.echo(f"{times:,} without an optional step: {visible(why)}")
    for letter in found["differences"]:
        typer.echo(f"letter {letter['number']}:")
        for line in [_told(change) for change in letter["changes"]] or ["stays as it is"]:
            typer.echo(f"  {line}")


def _told(told: dict[str, Any]) -> str:
    before, after = (_short(told[side]) if side in told else "-" for side in ("before", "after"))
    return visible(f"{told['path']}: {before} -> {after}")


def _short(value: Any) -> str:
    text = str(orjson.dumps(value), "utf-8")
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}..."
