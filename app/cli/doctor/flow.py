"""The dataflow: there, enabled, settled, with the connection's inlet?"""

from __future__ import annotations

from app.adobe.flow_service import FlowService
from app.cli.doctor.credentials import platform_of
from app.cli.doctor.finding import NotAsked, Said, failed, ok, warning
from app.cli.doctor.ground import Ground
from app.cli.doctor.objects import flow_of, the_flow
from app.connect.state import StateFile
from app.core.moments import span_text
from app.settings import Connection
from app.settings.setups import SETTLE_SECONDS
from app.store.lanes import Gate, Lanes


async def state(ground: Ground, connection: Connection) -> list[Said]:
    """Enabled, and older than five minutes: what is sent sooner is answered 200, and lost."""
    found, flow_id = await flow_of(ground, connection), connection.platform.flow_id
    if found is None:
        text = f"there is no dataflow {flow_id} in this sandbox"
        return [failed(text, "copy the dataflow's id into platform.flow_id")]
    if found.state.lower().endswith("ing"):
        return [warning(f"the dataflow {found.name} is {found.state}", "wait a moment, look again")]
    if not found.enabled:
        text = f"the dataflow {found.name} is {found.state or 'in no state'}: nothing lands"
        return [
            failed(text, f"sluice connection enable {connection.name}, or enable it in Platform")
        ]
    # A PATCH shows in updatedAt; that it is a `lastOperation`, too, no page says (section 1.7).
    changed = max(found.created_ms, found.updated_ms, found.operation_ms) / 1000
    age = ground.clock() - max(changed, _applied_at(ground, connection))
    if age >= _settles(ground, connection):
        return [ok(f"{found.name} is enabled, unchanged for {span_text(age)}")]
    return [await _young(ground, connection, age)]


async def inlet(ground: Ground, connection: Connection) -> list[Said]:
    """Whether the connection sends to the dataflow's own inlet, as that wants it."""
    flow, client = await the_flow(ground, connection), await platform_of(ground, connection)
    ours, theirs = connection.platform.inlet, await FlowService(client).inlet(flow)
    if theirs is None:
        text = f"Platform names no streaming endpoint for the dataflow {flow.name} yet"
        return [warning(text, "wait some minutes, and look again")]
    if theirs.inlet_id != ours.inlet_id:
        text = f"the dataflow's inlet is {theirs.inlet_id}, and events go to {ours.inlet_id}"
        return [failed(text, f"write `url: {theirs.url}` under platform")]
    if theirs.authenticated and not ours.authenticated:
        text = "the inlet wants a token, and the connection sends none"
        return [failed(text, "write `authenticated: true` under platform")]
    if theirs.data_type and theirs.data_type != ours.mode:
        text = f"the inlet takes {theirs.data_type} data, and platform.mode is {ours.mode}"
        return [failed(text, f"write `mode: {theirs.data_type}` under platform")]
    return [ok("the connection sends to the dataflow's inlet")]


async def applied(ground: Ground, connection: Connection) -> list[Said]:
    """Whether an apply was left half done."""
    ground.setup(connection)
    kept = StateFile(ground.settings.data_dir, connection.name).state
    if kept.under_way:
        text = f"an apply ended in the middle, at {kept.under_way}"
        return [warning(text, f"sluice connection apply {connection.name}")]
    return [ok("no apply is half done")]


async def _young(ground: Ground, connection: Connection, age: float) -> Said:
    left = span_text(_settles(ground, connection) - age)
    text = f"the dataflow was made or changed {span_text(age)} ago; Platform wants {left} more"
    lane = await Lanes(ground.redis).state(connection.name)
    if lane.gate is not Gate.OPEN:
        return warning(f"{text}; the lane is held back meanwhile", "wait")
    fix = f"sluice lanes pause {connection.name} --reason settling --for 5m"
    return failed(f"{text}, and the lane is open: what is sent now is lost", fix)


def _settles(ground: Ground, connection: Connection) -> float:
    setup = ground.configured.setups.get(connection.name)
    return setup.platform.settle_seconds if setup else SETTLE_SECONDS


def _applied_at(ground: Ground, connection: Connection) -> float:
    try:
        ground.setup(connection)
    except NotAsked:
        return 0.0
    return StateFile(ground.settings.data_dir, connection.name).state.changed_at
