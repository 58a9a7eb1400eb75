"""`sluice recipes list`, `show`, `save` and `delete`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app.cli.facing import with_face
from app.cli.reading import Json, echo_json, echo_table, moment, visible
from app.cli.recipes.finding import Name, known, read_file, understood
from app.core.errors import RecipeInvalid
from app.core.recipe import NAME, read_recipe
from app.store.recipes import SavedRecipe


def list_(as_json: Json = False) -> None:
    """All saved recipes."""
    found = with_face(lambda face: face.recipes.all())
    if as_json:
        echo_json([_document(each) for each in found])
        return
    if not found:
        typer.echo("no recipe is saved: `sluice recipes save NAME FILE` does it", err=True)
        return
    echo_table(
        ("recipe", ">version", "saved (UTC)", "by", "about"),
        (
            (each.name, each.version, moment(each.saved_ms), each.who, _about(each))
            for each in found
        ),
    )


def show(name: Name, as_json: Json = False) -> None:
    """The text of one, as it was saved."""
    found = known(name)
    if as_json:
        echo_json(_document(found))
    else:
        typer.echo(visible(found.text, "\n"), nl=False)


def save(
    name: Annotated[str, typer.Argument(help="Lower case, digits and dashes.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="Its YAML; - is standard input.")],
    as_json: Json = False,
) -> None:
    """Check a recipe and keep it under a name; a change of it is its next version."""
    if not NAME.fullmatch(name):
        raise typer.BadParameter("lower case letters, digits and dashes, at most 64")
    text = read_file(file)
    understood(text)
    version = with_face(lambda face: face.recipes.save(name, text))
    if as_json:
        echo_json({"name": name, "version": version})
    else:
        typer.echo(f"saved as {name}@{version}; `sluice recipes dry-run {name}` tries it")


def delete(name: Name, as_json: Json = False) -> None:
    """Forget a recipe. Runs that follow it go on. Exit 1 when there is none."""
    done = with_face(lambda face: face.recipes.delete(name))
    if as_json:
        echo_json({"name": name, "deleted": done})
    else:
        typer.echo(f"{name} is deleted" if done else f"there is no recipe {name}")
    if not done:
        raise typer.Exit(1)


def _about(found: SavedRecipe) -> str:
    try:
        return read_recipe(found.text).about or "-"
    except RecipeInvalid as fault:
        return f"cannot be read by this release: {fault.faults[0]}"


def _document(found: SavedRecipe) -> dict[str, Any]:
    return found._asdict()
