"""`sluice replays`: bulk replays of dead letters, looked at and steered. One file per concern.

They are made by `sluice dead-letters replay` with filters.
"""

from __future__ import annotations

import typer

from app.cli.replays.looking import list_, show
from app.cli.replays.turning import cancel, pause, resume
from app.cli.replays.watching import watch

replays = typer.Typer(
    help="Bulk replays of dead letters.", no_args_is_help=True, pretty_exceptions_enable=False
)
replays.command("list")(list_)
replays.command("show")(show)
replays.command("watch")(watch)
replays.command("pause")(pause)
replays.command("resume")(resume)
replays.command("cancel")(cancel)
