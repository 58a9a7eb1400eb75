"""What there is of a connection at both ends, and whether we made it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from app.adobe.flow_service import specs
from app.connect.run import Run
from app.customerio.webhooks import Webhook


class Belonging(NamedTuple):
    """`ours`: it was not there before us."""

    step: str
    id: str
    name: str
    ours: bool


async def belongings(run: Run) -> list[Belonging]:
    """Dataflow and connections in use: of our name, and those that we made, whatever they are
    called by now."""
    flows, name = run.ends.flows, run.setup.flow_name
    customerio = await flows.source_connections_named(name, specs.CUSTOMERIO)
    http = await flows.source_connections_named(name, specs.HTTP_API)
    return [
        *await _of(run, "flow", await flows.flows_named(name), flows.flow),
        *await _of(run, "source", [*customerio, *http], flows.source_connection),
        *await _of(
            run, "target", await flows.target_connections_named(name), flows.target_connection
        ),
        *await _of(run, "base", await flows.base_connections_named(name), flows.base_connection),
    ]


async def webhooks_of(run: Run) -> list[tuple[Webhook, bool]]:
    """Reporting webhooks in use: ours, and such as were there before; with whether it is ours."""
    known, name = run.state.ids.get("webhook"), run.setup.webhook_name
    judged = [
        (each, made_by_us(run, "webhook", str(each.id))) for each in await run.ends.webhooks.all()
    ]
    return [
        (each, ours) for each, ours in judged if ours or str(each.id) == known or each.name == name
    ]


def made_by_us(run: Run, step: str, found: str) -> bool:
    """Whether an object was not there before us; one that a killed command made is ours, too."""
    state = run.state
    if (step, found) in state.made:
        return True
    before = {state.changing, state.ids.get(step), *run.retired(step)}
    return state.under_way == step and found not in before


async def _of(
    run: Run, step: str, named: list[Any], get: Callable[[str], Awaitable[Any]]
) -> list[Belonging]:
    found = {each.id: each for each in named}
    for kind, known in run.state.made:
        if kind == step and known not in found and (there := await get(known)) is not None:
            found[known] = there
    replaced = run.retired(step)
    return [
        Belonging(step, known, each.name, made_by_us(run, step, known))
        for known, each in found.items()
        if known not in replaced
    ]
