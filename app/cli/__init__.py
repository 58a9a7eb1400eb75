"""The `sluice` command: one file per noun. A command's module is imported when it is called.

Nothing here but the table: name -> where its typer function, or typer group, is.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, Final, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from app.cli.afar.choice import ASKED, BESIDE, require_here


class _Place(NamedTuple):
    module: str
    attribute: str
    hidden: bool = False


COMMANDS: Final = {
    "up": _Place("app.cli.up", "up"),
    "serve-receiver": _Place("app.cli.serve_receiver", "serve_receiver"),
    "serve-receiver-child": _Place("app.cli.serve_receiver", "serve_receiver_child", hidden=True),
    "serve-console": _Place("app.cli.serve_console", "serve_console"),
    "users": _Place("app.cli.users", "users"),
    "work": _Place("app.cli.work", "work"),
    "sandbox": _Place("app.cli.sandbox", "sandbox"),
    "send": _Place("app.cli.send", "send"),
    "trace": _Place("app.cli.trace", "trace"),
    "ledger": _Place("app.cli.ledger", "ledger"),
    "lanes": _Place("app.cli.lanes", "lanes"),
    "mappings": _Place("app.cli.mappings", "mappings"),
    "dead-letters": _Place("app.cli.dead_letters", "dead_letters"),
    "replays": _Place("app.cli.replays", "replays"),
    "recipes": _Place("app.cli.recipes", "recipes"),
    "audit": _Place("app.cli.audit", "audit"),
    "backfill": _Place("app.cli.backfill", "backfill"),
    "verify-signature": _Place("app.cli.verify_signature", "verify_signature"),
    "doctor": _Place("app.cli.doctor", "doctor"),
    "healthy": _Place("app.cli.healthy", "healthy"),
    "connect": _Place("app.cli.connect", "connect"),
    "connection": _Place("app.cli.connection", "connection"),
    "check-config": _Place("app.cli.doctor", "check_config"),
}


class _Lazy(TyperGroup):
    """A group that imports a command's module only when it is wanted: a start costs 0.1 s less."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for name, place in COMMANDS.items() if find_spec(place.module)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        place = COMMANDS.get(cmd_name)
        if place is None or find_spec(place.module) is None:
            return None
        command = getattr(import_module(place.module), place.attribute)
        built: Any
        if isinstance(command, typer.Typer):
            # Not get_command: it would give each group a completion of its own.
            built = get_group(command)
        else:
            single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            single.command(cmd_name, hidden=place.hidden)(command)
            built = get_command(single)
        built.name = cmd_name
        return built


cli = typer.Typer(
    cls=_Lazy,
    help="Customer.io's message events, in Adobe Experience Platform, each once.",
    no_args_is_help=True,
    # A traceback with local variables would show personal data.
    pretty_exceptions_enable=False,
)


@cli.callback()
def _sluice(
    ctx: typer.Context,
    console: Annotated[
        str | None,
        typer.Option(
            help="Ask the console at this address, not Redis; SLUICE_API_TOKEN lets in there."
        ),
    ] = None,
) -> None:
    """Customer.io's message events, in Adobe Experience Platform, each once."""
    ASKED.set(console)
    if ctx.invoked_subcommand in BESIDE:
        require_here(f"`sluice {ctx.invoked_subcommand}`")
