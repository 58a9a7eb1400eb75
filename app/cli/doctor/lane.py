"""Lanes: is one held back, by whom, and until when?"""

from __future__ import annotations

from typing import Final

from app.cli.doctor.finding import Said, failed, ok, warning
from app.cli.doctor.ground import Ground
from app.connect.lane import REASON
from app.core.moments import span_text
from app.core.outcome import Failure
from app.settings import Connection
from app.store.lanes import OPERATOR, Gate, Lanes

# Pauses that a person must end; all others end by themselves.
_PERSONS: Final = {
    Failure.CREDENTIALS.value: "mend the credentials (check `token` says more)",
    Failure.BLOCKED.value: "let Platform's allow-list have this address (platform.md section 2.6)",
}


async def state(ground: Ground, connection: Connection) -> list[Said]:
    """Whether deliveries go on."""
    name = connection.name
    lane = await Lanes(ground.redis).state(name)
    if lane.gate is Gate.OPEN:
        return [ok("the lane is open")]
    group, _, detail = lane.reason.partition(":")
    if group == REASON:
        return [_held_by_connect(name, lane.seconds, detail)]
    until = "until it is resumed" if lane.seconds is None else f"for {span_text(lane.seconds)} more"
    resume = f"sluice lanes resume {name}"
    held = f"the lane is held back since {span_text(lane.held_seconds)}, {until}"
    if group == OPERATOR:
        return [warning(f"{held}: {detail or 'by a person'}", resume)]
    if group in _PERSONS:
        return [failed(f"{held}: {lane.reason}", f"{_PERSONS[group]}, then: {resume}")]
    return [
        warning(f"{held}: {lane.reason}", f"it opens by itself once Platform is well; {resume}")
    ]


def _held_by_connect(name: str, seconds: float | None, why: str) -> Said:
    """What it waits for is a dataflow: resumed by hand, what is sent is lost."""
    if seconds is None:
        text = f"events wait: {why}, or a command that was switching it ended in the middle"
        fix = f"sluice connection enable {name}, or disable {name} if it is to stay off"
        return warning(text, f"{fix}; never `sluice lanes resume`, that loses events")
    text = f"events wait for {span_text(seconds)} more: {why}"
    return warning(text, f"wait, it opens by itself; or sluice connection apply {name}")
