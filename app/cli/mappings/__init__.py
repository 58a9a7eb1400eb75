"""`sluice mappings`: mapping sets, looked at before they are used. One file per command.

finding   which set is meant, and what belongs to it
events    events in files, lines in batch files
traffic   real events: the sample of recent traffic, dead letters
covering, comparing   what `coverage` and `diff` compute; pure
"""

from __future__ import annotations

import typer

from app.cli.mappings.check import check
from app.cli.mappings.coverage import coverage
from app.cli.mappings.diff import diff
from app.cli.mappings.eval_ import eval_
from app.cli.mappings.list_ import list_
from app.cli.mappings.preview import preview
from app.cli.mappings.schema import schema

mappings = typer.Typer(
    help="Mapping sets: check, try and compare them before they are used.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
mappings.command("list")(list_)
mappings.command()(check)
mappings.command()(preview)
mappings.command("eval")(eval_)
mappings.command()(coverage)
mappings.command()(diff)
mappings.command()(schema)
