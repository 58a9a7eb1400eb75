"""When each connection last received and delivered an event, as far as this console has seen.

Redis counts by the hour; that a count has grown since the look before is known to some seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.store.pipeline import Flow


@dataclass(slots=True)
class Last:
    """Counts at the last look, and when they last grew: Unix ms, 0 = not while this console
    watches."""

    received: int = 0
    delivered: int = 0
    received_ms: int = 0
    delivered_ms: int = 0


@dataclass(slots=True)
class Freshness:
    """One console's."""

    _known: dict[str, Last] = field(default_factory=dict)
    _watched: bool = False

    def of(self, connection: str) -> Last:
        """What is known of it."""
        return self._known.get(connection, Last())

    def note(self, flows: Mapping[str, Flow], at_ms: int) -> None:
        """Takes in a look. At the first one counts are there already, and say nothing of when."""
        for name, flow in flows.items():
            last = self._known.setdefault(name, Last())
            received, delivered = flow.counts["received"], flow.counts["delivered"]
            if self._watched and received > last.received:
                last.received_ms = at_ms
            if self._watched and delivered > last.delivered:
                last.delivered_ms = at_ms
            last.received, last.delivered = received, delivered
        self._watched = True
