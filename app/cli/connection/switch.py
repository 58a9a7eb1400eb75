"""`sluice connection enable` and `disable`."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.connection.apply import Yes
from app.cli.connection.showing import Watch
from app.cli.connection.working import Name, Record, ShowCalls, the_setup, with_wiring
from app.cli.reading import Json
from app.connect.wiring import Wiring


def disable(
    name: Name,
    webhook: Annotated[
        bool,
        typer.Option(
            "--webhook", help="Customer.io's sending, too: events of that time never come."
        ),
    ] = False,
    yes: Yes = False,
    show_calls: ShowCalls = False,
    as_json: Json = False,
) -> None:
    """Disable the dataflow. What Customer.io sends is still taken, and waits in Redis."""
    if webhook and not yes:
        typer.confirm(
            "Customer.io does not send later what happens while its webhook is off. Go on?",
            abort=True,
        )
    _switch(name, False, webhook=webhook, show_calls=show_calls, as_json=as_json)
    if not as_json:
        typer.echo(f"{name} is disabled; `sluice connection enable {name}` undoes it")


def enable(name: Name, show_calls: ShowCalls = False, as_json: Json = False) -> None:
    """Enable the dataflow and Customer.io's sending. The lane opens five minutes later by itself.

    What waits in Redis is delivered then.
    """
    _switch(name, True, webhook=True, show_calls=show_calls, as_json=as_json)
    if not as_json:
        typer.echo(f"{name} is enabled; `sluice connection status {name}` says when its lane opens")


def _switch(name: str, enabled: bool, *, webhook: bool, show_calls: bool, as_json: bool) -> None:
    async def turn(wiring: Wiring, record: Record) -> None:
        await record("connection.enable" if enabled else "connection.disable")
        await wiring.set_enabled(enabled, webhook=webhook, tell=Watch(as_json=as_json))

    with_wiring(the_setup(name), turn, show_calls=show_calls)
