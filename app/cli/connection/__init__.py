"""`sluice connection`: both ends of a connection, made and looked after. One file per command.

working   a setup, its two ends and Redis, for one command
showing   plans and progress, on a screen and as JSON
"""

from __future__ import annotations

import typer

from app.cli.connection.apply import apply, update
from app.cli.connection.destroy import destroy
from app.cli.connection.plan import plan
from app.cli.connection.status import status
from app.cli.connection.switch import disable, enable
from app.cli.connection.test import test

connection = typer.Typer(
    help="Both ends of a connection, out of one file: look, set up, change, take away.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
connection.command()(plan)
connection.command()(apply)
connection.command()(status)
connection.command()(update)
connection.command()(test)
connection.command()(enable)
connection.command()(disable)
connection.command()(destroy)
