"""What of the lake shows at a moment: only what is over, and only as the faults in force let it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.sandbox.control.rule import Rule, Side
from app.sandbox.lake.cut import Cut
from app.sandbox.state import Sandbox

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class View:
    """One answer's view. `up_to`: Unix seconds; what ended later does not show yet."""

    sandbox: Sandbox
    side: Side
    up_to: float
    halved: bool

    @classmethod
    def of(cls, sandbox: Sandbox, side: Side, rule: Rule | None) -> View:
        """The view under the rule that befell the request, if any."""
        stale_hours = (rule.stale_hours or 0.0) if rule is not None else 0.0
        now = sandbox.clock() - stale_hours * sandbox.config.hour_seconds
        halved = rule is not None and rule.half_page
        return cls(sandbox, side, min(now, sandbox.later.settled_up_to), halved)

    def page(self, items: Sequence[Item]) -> Sequence[Item]:
        """The page as it is answered: half of it is missing when a fault says so."""
        return items[: len(items) // 2] if self.halved else items

    def cuts(self) -> list[Cut]:
        """The micro-batches that are over, oldest first."""
        return [cut for cut in self.sandbox.lake.cuts.values() if cut.span.end <= self.up_to]

    def hours(self) -> Iterator[list[Cut]]:
        """The micro-batches that are over, by flow and hour, oldest hour first."""
        hours: dict[tuple[str, float], list[Cut]] = {}
        for cut in self.cuts():
            hours.setdefault((cut.flow_id, cut.hour.start), []).append(cut)
        yield from hours.values()
