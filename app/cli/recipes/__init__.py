"""`sluice recipes`: repairs of dead letters, saved by name. One file per concern."""

from __future__ import annotations

import typer

from app.cli.recipes.keeping import delete, list_, save, show
from app.cli.recipes.running import run
from app.cli.recipes.trying import dry_run

recipes = typer.Typer(
    help="Repairs of dead letters: which, what to change in each, how to replay them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
recipes.command("list")(list_)
recipes.command("show")(show)
recipes.command("save")(save)
recipes.command("delete")(delete)
recipes.command("dry-run")(dry_run)
recipes.command("run")(run)
