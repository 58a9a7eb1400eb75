"""POST /flows/{id}/action: enable and disable (platform.md section 1.10)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from app.sandbox.flowservice.flow import Flow, State
from app.sandbox.flowservice.flows import operation_at, wanted
from app.sandbox.gateway.errors import json_answer
from app.sandbox.gateway.view import View
from app.sandbox.plane.body import client_of, refused

_STATES: Final[dict[str, State]] = {"ENABLE": "enabled", "DISABLE": "disabled"}
_DOING: Final = {"enabled": "enabling", "disabled": "disabling"}
# The API file marks it as required, the guides never send it (section 1.10).
_SUB_OPS: Final = ("APPLY", "ROLLBACK", "PROGRESS")


async def act_on_flow(request: web.Request, view: View) -> web.StreamResponse:
    """The flow has its new state at once, and can be changed again a moment later."""
    flow, sandbox = wanted(request, view), view.sandbox
    op = request.query.get("op", "")
    if op.upper() not in _STATES:
        raise refused(view, f"Unsupported operation '{op}' received.", "1434-400")
    sub_op = request.query.get("subOp")
    if sub_op is not None and sub_op.upper() not in _SUB_OPS:
        raise refused(view, f"Unsupported sub action '{sub_op}' received.", "1435-400")
    now = sandbox.clock()
    if doing := flow.transition(now):
        text = f"The current state {doing} cannot be transitioned."
        raise refused(view, text, "1421-400")
    state = _STATES[op.upper()]
    if flow.state == state:
        text = f"Flow {flow.id} is not in expected state {_other(state)}."
        raise refused(view, text, "1444-400")
    _turn(view, flow, state, now)
    flow.document.touch(sandbox, client_of(request))
    return json_answer({"id": flow.id, "etag": flow.document.etag})


def _turn(view: View, flow: Flow, state: State, now: float) -> None:
    """Judgement: enabling is an update too, so that what is sent at once after it is lost."""
    config = view.sandbox.config
    flow.state = state
    flow.doing = _DOING[state]
    flow.until = now + config.transition_seconds * config.hour_seconds / 3600
    flow.operation = operation_at(now, "enable" if state == "enabled" else "disable")
    flow.settles = now + config.settle_seconds


def _other(state: State) -> State:
    return "disabled" if state == "enabled" else "enabled"
