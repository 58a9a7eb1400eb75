"""How both ends stand now: every object, the lane, the webhook, the last test. Only looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.adobe.flow_service import Flow
from app.connect.engine import make_plan
from app.connect.lane import Lane
from app.connect.plan import Plan
from app.connect.run import Run, Step
from app.core.moments import moment
from app.customerio.webhooks import Webhook


@dataclass(frozen=True, slots=True)
class Standing:
    """`flow_state`, `webhook_on`: None when there is none. Times: Unix seconds, 0 = never;
    `ready_at`: from when on the flow may be sent to; `lane`: (state, reason), None when Redis was
    not asked; `under_way`: the step that a killed command may have left half done; `retired`: what
    was replaced, and is still there for all that is known."""

    plan: Plan
    flow_state: str | None
    webhook_on: bool | None
    changed_at: float
    ready_at: float
    tested_at: float
    lane: tuple[str, str] | None
    tests: int
    in_flight: int
    under_way: str
    retired: tuple[tuple[str, str], ...]

    @property
    def in_order(self) -> bool:
        """Whether everything is there as it is wanted, and events can flow."""
        whole = not self.plan.work and not self.plan.blocked and not self.under_way
        on = self.flow_state == "enabled" and self.webhook_on is True
        return whole and on and self.lane is not None and self.lane[0] == "open"

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **self.plan.document(),
            "in_order": self.in_order,
            "flow_state": self.flow_state,
            "webhook_on": self.webhook_on,
            "flow_changed": _time(self.changed_at),
            "flow_ready": _time(self.ready_at),
            "tested": _time(self.tested_at),
            "lane": self.lane[0] if self.lane else None,
            "lane_reason": (self.lane[1] or None) if self.lane else None,
            "tests": self.tests,
            "in_flight": self.in_flight,
            "under_way": self.under_way or None,
            "retired": [{"step": step, "id": found} for step, found in self.retired],
        }


async def look(steps: Sequence[Step], run: Run, lane: Lane | None) -> Standing:
    """Raises what a plan raises."""
    plan = await make_plan(steps, run)
    flow: Flow | None = run.facts.get("flow")
    webhook: Webhook | None = run.facts.get("webhook")
    state = run.state
    settle = run.setup.platform.settle_seconds
    return Standing(
        plan,
        None if flow is None else flow.state.lower(),
        None if webhook is None else not webhook.disabled,
        state.changed_at,
        state.changed_at + settle if state.changed_at else 0.0,
        state.tested_at,
        None if lane is None else await lane.said(),
        0 if lane is None else await lane.tests(),
        0 if lane is None else await lane.in_flight(),
        state.under_way,
        tuple(state.retired),
    )


def _time(seconds: float) -> str | None:
    return moment(int(seconds * 1000)) if seconds else None
