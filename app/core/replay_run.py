"""A bulk replay of dead letters: its orders, and how far it is.

freezing -> frozen -> running <-> paused          a person's turns
                         |----> stopped           too many died again; may be resumed
                         `----> finished          all is put, and all is settled
cancelled: from any of them but the last; what is on the queue goes on, the rest stays dead
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

import orjson

DEFAULT_RATE: Final = 500.0
DEFAULT_STOP_AT: Final = 0.2
DEFAULT_STOP_LEAST: Final = 100

# Fields of a run's hash that count letters by why they stay dead (scripts/run_step.lua).
_KEPT: Final = "kept:"


class RunState(StrEnum):
    FREEZING = "freezing"  # its selection is being written
    FROZEN = "frozen"  # complete, and waits for a person's yes
    RUNNING = "running"
    PAUSED = "paused"  # by a person
    STOPPED = "stopped"  # by itself, at its bound
    CANCELLED = "cancelled"
    FINISHED = "finished"

    @property
    def over(self) -> bool:
        return self in (RunState.CANCELLED, RunState.FINISHED)


@dataclass(frozen=True, slots=True)
class Orders:
    """How a run is to go. `rate`: events per second; `stop_at`: the share of those settled lately
    (`stop_least` to ten times as many) that may die again, above which it stops by itself."""

    rate: float = DEFAULT_RATE
    stop_at: float = DEFAULT_STOP_AT
    stop_least: int = DEFAULT_STOP_LEAST


@dataclass(frozen=True, slots=True)
class ReplayRun:
    """A run as it is now. Times in Unix ms of Redis, 0 = not yet.

    `cutoff`: the last dead letter number that could be selected. `frozen`: letters selected; each
    of them is put, or gone (replayed or discarded by others meanwhile; or its body cannot be read,
    and it stays dead), kept (the run's recipe cannot mend it: it stays dead as it is; `kept_why`
    counts the reasons), or still to come. What was put is delivered, dead again, a duplicate or a
    test, or in flight. `holding`: why a running one waits; `reason`: why it is in this state.
    `census`: app.core.selection.Census.document. `recipe`: NAME@VERSION of the one that it
    follows, "" without; `recipe_text`: its YAML, as it was when the run was made.
    """

    number: int
    state: RunState
    by: str = ""
    wanted: Mapping[str, Any] = field(default_factory=dict)
    orders: Orders = field(default_factory=Orders)
    cutoff: int = 0
    frozen: int = 0
    put: int = 0
    gone: int = 0
    delivered: int = 0
    dead: int = 0
    duplicates: int = 0
    tests: int = 0
    reason: str = ""
    holding: str = ""
    owner: str = ""
    made_ms: int = 0
    started_ms: int = 0
    put_ms: int = 0
    ended_ms: int = 0
    census: Mapping[str, Any] = field(default_factory=dict)
    kept: int = 0
    kept_why: Mapping[str, int] = field(default_factory=dict)
    recipe: str = ""
    recipe_text: str = ""

    @property
    def settled(self) -> int:
        return self.delivered + self.dead + self.duplicates + self.tests

    @property
    def in_flight(self) -> int:
        return self.put - self.settled

    @property
    def passed(self) -> int:
        return self.put + self.gone + self.kept

    @property
    def to_come(self) -> int:
        return self.frozen - self.passed

    def document(self) -> dict[str, Any]:
        """As JSON knows it."""
        found = asdict(self)
        orders = found.pop("orders")
        counts = {name: getattr(self, name) for name in ("settled", "in_flight", "to_come")}
        return {**found, "state": str(self.state), **orders, **counts}


def read_run(number: int, fields: Mapping[bytes, bytes]) -> ReplayRun:
    """A run's hash, read."""
    text = {str(name, "utf-8"): str(value, "utf-8") for name, value in fields.items()}
    numbers = {
        name: int(float(text.get(name) or 0))
        for name in ("cutoff", "frozen", "put", "gone", "kept", "delivered", "dead", "duplicates",
                     "tests", "made_ms", "started_ms", "put_ms", "ended_ms")
    }  # fmt: skip
    return ReplayRun(
        number,
        RunState(text["state"]),
        text.get("by", ""),
        orjson.loads(text.get("wanted", "{}")),
        Orders(float(text["rate"]), float(text["stop_at"]), int(text["stop_least"])),
        reason=text.get("reason", ""),
        holding=text.get("holding", ""),
        owner=text.get("owner", ""),
        census=orjson.loads(text.get("census", "{}")),
        kept_why={
            name.removeprefix(_KEPT): int(count)
            for name, count in sorted(text.items())
            if name.startswith(_KEPT)
        },
        recipe=text.get("recipe", ""),
        recipe_text=text.get("recipe_text", ""),
        **numbers,
    )
