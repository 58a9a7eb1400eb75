"""`sluice dead-letters`: what needs a person. One file per command."""

from __future__ import annotations

import typer

from app.cli.dead_letters.discard import discard
from app.cli.dead_letters.edit import edit
from app.cli.dead_letters.exchange import export, import_
from app.cli.dead_letters.fsck import fsck
from app.cli.dead_letters.groups import groups, note, resolve
from app.cli.dead_letters.list_ import list_
from app.cli.dead_letters.replay import replay
from app.cli.dead_letters.search import search
from app.cli.dead_letters.show import show

dead_letters = typer.Typer(
    help="Events that need a person.", no_args_is_help=True, pretty_exceptions_enable=False
)
dead_letters.command()(groups)
dead_letters.command("list")(list_)
dead_letters.command("show")(show)
dead_letters.command("replay")(replay)
dead_letters.command("discard")(discard)
dead_letters.command()(edit)
dead_letters.command()(search)
dead_letters.command()(export)
dead_letters.command("import")(import_)
dead_letters.command()(note)
dead_letters.command()(resolve)
dead_letters.command()(fsck)
