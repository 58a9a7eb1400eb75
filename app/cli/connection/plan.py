"""`sluice connection plan`: what exists, and what apply would create, change or leave."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.connection.showing import show_plan
from app.cli.connection.working import (
    LikeTutorial,
    Name,
    Record,
    ShowCalls,
    chosen_tutorial,
    the_setup,
    told_when_slow,
    with_wiring,
)
from app.cli.reading import Json, echo_json
from app.connect.plan import Plan
from app.connect.wiring import Wiring


def plan(
    name: Name,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 also when there is anything to do.")
    ] = False,
    like_tutorial: LikeTutorial = "",
    show_calls: ShowCalls = False,
    as_json: Json = False,
) -> None:
    """Show what exists at both ends, and what apply would do. Changes nothing.

    Exit 1 when something is in the way that only a person can change.
    """
    tutorial = chosen_tutorial(like_tutorial)

    async def look(wiring: Wiring, _record: Record) -> Plan:
        with told_when_slow():
            return await wiring.plan(like_tutorial=tutorial)

    found = with_wiring(the_setup(name), look, show_calls=show_calls, needs_redis=False)
    if as_json:
        echo_json(found.document())
    else:
        show_plan(found)
    if found.blocked or (check and found.work):
        raise typer.Exit(1)
