"""`sluice dead-letters`: what needs a person. One file per command."""

from __future__ import annotations

import typer

from app.cli.dead_letters.discard import discard
from app.cli.dead_letters.list_ import list_
from app.cli.dead_letters.replay import replay
from app.cli.dead_letters.show import show

dead_letters = typer.Typer(
    help="Events that need a person.", no_args_is_help=True, pretty_exceptions_enable=False
)
dead_letters.command("list")(list_)
dead_letters.command("show")(show)
dead_letters.command("replay")(replay)
dead_letters.command("discard")(discard)
