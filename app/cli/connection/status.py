"""`sluice connection status`: how both ends stand."""

from __future__ import annotations

import time

import typer

from app.cli.connection.showing import show_plan
from app.cli.connection.working import (
    Name,
    Record,
    ShowCalls,
    the_setup,
    told_when_slow,
    with_wiring,
)
from app.cli.reading import Json, echo_json, moment
from app.connect.standing import Standing
from app.connect.wiring import Wiring


def status(name: Name, show_calls: ShowCalls = False, as_json: Json = False) -> None:
    """Every object, the lane, the webhook and the last test. Exit 1 unless events can flow."""

    async def look(wiring: Wiring, _record: Record) -> Standing:
        with told_when_slow():
            return await wiring.status()

    found = with_wiring(the_setup(name), look, show_calls=show_calls, needs_redis=False)
    if as_json:
        echo_json(found.document())
    else:
        _show(found)
    if not found.in_order:
        raise typer.Exit(1)


def _show(found: Standing) -> None:
    show_plan(found.plan)
    left = found.ready_at - time.time()
    young = f", {left:.0f} s to go until it may be sent to" if left > 0 else ""
    changed = f", made or changed {_utc(found.changed_at)}{young}" if found.changed_at else ""
    typer.echo(f"dataflow: {found.flow_state or 'none'}{changed}")
    webhook = {True: "on", False: "off", None: "none"}[found.webhook_on]
    typer.echo(f"webhook: {webhook}")
    typer.echo(f"last test: {_utc(found.tested_at)}")
    if found.lane is None:
        typer.echo("lane: unknown, Redis cannot be asked")
    else:
        state, reason = found.lane
        why = f" ({reason})" if reason else ""
        typer.echo(f"lane: {state}{why}; {found.in_flight} events on their way")
    if found.under_way:
        typer.echo(f"a command ended in the middle of: {found.under_way}; apply again")
    for step, old in found.retired:
        typer.echo(f"replaced, still there: {step} {old}; `destroy --retired` takes it away")


def _utc(seconds: float) -> str:
    return f"{moment(int(seconds * 1000))} UTC" if seconds else "never"
