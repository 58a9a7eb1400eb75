"""How commands are told which recipe is meant, and what its selection finds."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from app.cli.completing import recipe_names
from app.cli.dead_letters.filters import filter_
from app.cli.facing import with_face
from app.cli.reading import visible
from app.core.errors import RecipeInvalid
from app.core.recipe import Recipe, read_recipe
from app.store.dead_letters import Filter
from app.store.recipes import SavedRecipe

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Its name, from `list`.", autocompletion=recipe_names),
]


def known(name: str) -> SavedRecipe:
    """The saved recipe. Raises typer.Exit, with a word, when there is none."""
    found = with_face(lambda face: face.recipes.get(name))
    if found is None:
        typer.echo(f"there is no recipe {name!r}: `sluice recipes list` has them", err=True)
        raise typer.Exit(1)
    return found


def read_file(file: str) -> str:
    """Raises typer.BadParameter."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return content.decode()
    except (OSError, UnicodeDecodeError) as fault:
        raise typer.BadParameter(f"it cannot be read: {fault}", param_hint="FILE") from fault


def understood(text: str) -> Recipe:
    """Raises typer.Exit(2), every fault told."""
    try:
        return read_recipe(text)
    except RecipeInvalid as invalid:
        for fault in invalid.faults:
            typer.echo(visible(fault), err=True)
        raise typer.Exit(2) from None


def wanted_by(recipe: Recipe) -> Filter:
    """Raises typer.BadParameter: a group that is not there."""
    words = recipe.selection
    return filter_(
        connection=words.get("connection"),
        failure=words.get("class"),
        kind=words.get("kind"),
        code=words.get("code"),
        event_id=words.get("event_id"),
        mapping=words.get("mapping"),
        older=words.get("older"),
        newer=words.get("newer"),
        since=words.get("from"),
        until=words.get("to"),
        group=words.get("group"),
        campaign=words.get("campaign"),
        text=words.get("text"),
        run=words.get("run"),
    )


def require_mapping(recipe: Recipe, text: str, connections: Iterable[str]) -> None:
    """Raises typer.Exit(1) unless the version that a recipe wants is the one on disk."""
    if not recipe.mapping:
        return
    names = list(connections)
    faults = with_face(lambda face: face.recipes.unfit(text, names))
    for fault in faults:
        typer.echo(visible(fault), err=True)
    if faults:
        typer.echo(
            f"the recipe wants {recipe.mapping}: put that set where the workers read theirs, or "
            "change `mapping:`",
            err=True,
        )
        raise typer.Exit(1)
