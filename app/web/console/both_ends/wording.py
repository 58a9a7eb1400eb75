"""Actions and standings in words and signs; what nobody is to see, masked."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final, NamedTuple

import orjson

from app.connect.destroying import Stay, Why
from app.connect.plan import Action, Plan
from app.connect.standing import Standing
from app.core.errors import ConfigError, SluiceError, StoreUnavailable
from app.web.console.panels import explain

# Whoever has all of an open inlet's address can post to it (platform.md section 1.7).
_INLET_ID: Final = re.compile(
    r"(?:(?<=/collection/)(?!batch/)|(?<=/collection/batch/)|\b(?=[0-9a-f]{64}\b))"
    r"([^/?\s\"'.,]{4})[^/?\s\"'.,]*(?:\.{3})?"
)


class Mark(NamedTuple):
    """`tone`: of the style sheet, good, wait, bad or ""; `sign`: never alone, for who sees no
    colour; `text`: the words."""

    tone: str
    sign: str
    text: str


# What a plan says will be done.
PLANNED: Final = {
    Action.EXISTS: Mark("good", "✓", "as wanted"),
    Action.CREATE: Mark("wait", "+", "will be created"),
    Action.CHANGE: Mark("wait", "~", "will be changed"),
    Action.REPLACE: Mark("wait", "±", "will be replaced"),
    Action.LEAVE: Mark("", "=", "left as it is"),
    Action.BLOCKED: Mark("bad", "✗", "impossible: you must act"),
}
# What the same says of how things stand.
STANDING: Final = {
    **PLANNED,
    Action.CREATE: Mark("wait", "○", "not there"),
    Action.CHANGE: Mark("wait", "~", "not as wanted"),
    Action.REPLACE: Mark("wait", "±", "not as wanted"),
}
# What makes each sum of a plan.
_SUMS: Final = (
    (Action.CREATE, "to create"),
    (Action.CHANGE, "to change"),
    (Action.REPLACE, "to replace"),
    (Action.EXISTS, "as wanted"),
    (Action.LEAVE, "left as they are"),
    (Action.BLOCKED, "impossible"),
)


def summary(plan: Plan) -> str:
    """How much of what there is to do."""
    counts = plan.counts()
    found = [f"{counts[act.value]} {text}" for act, text in _SUMS if act.value in counts]
    return ", ".join(found) or "nothing"


def digest(plan: Plan) -> str:
    """Equal for equal plans: what was shown is what is done."""
    return digest_of(plan.document())


def digest_of(document: dict[str, Any]) -> str:
    """The same of whatever was shown."""
    content = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def verdict(standing: Standing | None, fault: str = "") -> Mark:
    """All of a connection in a few words."""
    if standing is None:
        return Mark("bad", "✗", "cannot be asked") if fault else Mark("", "…", "being looked at")
    if standing.plan.blocked:
        return Mark("bad", "✗", "a person must act")
    if standing.in_order:
        return Mark("good", "✓", "in order")
    if standing.flow_state is None:
        return Mark("wait", "○", "not set up yet")
    if standing.under_way:
        return Mark("wait", "~", "half done: apply again")
    if standing.flow_state != "enabled":
        return Mark("wait", "‖", f"the dataflow is {standing.flow_state}")
    if standing.webhook_on is False:
        return Mark("wait", "‖", "the webhook is off")
    return Mark("wait", "~", "not as wanted")


def stays(stay: Stay) -> str:
    """What stays when a connection is destroyed, and why."""
    why = {
        Why.BEFORE: "it was there before",
        Why.SWITCHED_OFF: "it was there before; it is switched off, since it calls this receiver",
        Why.USED: "what stays needs it",
        Why.SHARED: f"the setup {', '.join(stay.others)} names it, too",
        Why.DATA: "it goes only when you ask for it, below",
        Why.NO_CALL: "Platform has no call that deletes one",
        Why.NEEDED: "needed to take the data away later; they go with it",
    }[stay.why]
    return f"{stay.kind.capitalize()}: {why}"


def masked(text: str) -> str:
    """A text without the ids of inlets."""
    return _INLET_ID.sub(r"\1…", text)


def told(fault: Exception) -> str:
    """A fault of a look or an act, for people. The engine's say themselves what to do, and carry
    no secret."""
    own = isinstance(fault, SluiceError) and not isinstance(fault, StoreUnavailable | ConfigError)
    return masked(str(fault) if own else explain(fault))
