"""What arrived: counts of everything, and the newest records whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.sandbox.compact import kept_json


@dataclass(frozen=True, slots=True)
class Taken:
    """One accepted message. `number` counts from 1 in order of arrival; `record` is JSON."""

    number: int
    record_id: str | None
    inlet_id: str
    received_ms: int
    xaction_id: str
    record: bytes

    def as_dict(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "_id": self.record_id,
            "inlet": self.inlet_id,
            "received_ms": self.received_ms,
            "xactionId": self.xaction_id,
            "record": orjson.loads(self.record),
        }


@dataclass(slots=True)
class PerInlet:
    """`by_id` counts each id's copies; messages without one are only in `messages`."""

    requests: int = 0
    messages: int = 0
    refused: int = 0
    without_id: int = 0
    by_id: Counter[str] = field(default_factory=Counter)

    def counts(self) -> dict[str, int]:
        """`repeats`: copies beyond the first of their id; 0 and no ids in sink mode."""
        distinct = len(self.by_id)
        known = sum(self.by_id.values())
        return {
            "requests": self.requests,
            "messages": self.messages,
            "distinct": distinct,
            "repeats": known - distinct,
            "without_id": self.without_id,
            "refused": self.refused,
        }


class Received:
    """Memory: about 150 bytes for each distinct id, and `keep` whole records."""

    def __init__(self, keep: int) -> None:
        self.inlets: dict[str, PerInlet] = {}
        self._keep = keep
        self._kept: dict[int, Taken] = {}
        self._newest: dict[str, int] = {}
        self._number = 0

    def inlet(self, inlet_id: str) -> PerInlet:
        """The counts of one inlet, made when first asked for."""
        counts = self.inlets.get(inlet_id)
        if counts is None:
            counts = self.inlets[inlet_id] = PerInlet()
        return counts

    def add(
        self, inlet_id: str, record_id: str | None, record: Any, received_ms: int, xaction_id: str
    ) -> None:
        """Count one accepted message and keep its record."""
        counts = self.inlet(inlet_id)
        counts.messages += 1
        if record_id is None:
            counts.without_id += 1
        else:
            counts.by_id[record_id] += 1
        self._number += 1
        if self._keep <= 0:
            return
        if len(self._kept) >= self._keep:
            self._forget_oldest()
        self._kept[self._number] = Taken(
            self._number, record_id, inlet_id, received_ms, xaction_id, kept_json(record)
        )
        if record_id is not None:
            self._newest[record_id] = self._number

    def clear(self) -> None:
        self.inlets.clear()
        self._kept.clear()
        self._newest.clear()
        self._number = 0

    def totals(self) -> dict[str, int]:
        """The sums over all inlets; one id at two inlets is two records."""
        total: Counter[str] = Counter(PerInlet().counts())
        for inlet in self.inlets.values():
            total.update(inlet.counts())
        return dict(total)

    def copies(self, record_id: str) -> int:
        """How often `record_id` was accepted, over all inlets."""
        return sum(inlet.by_id.get(record_id, 0) for inlet in self.inlets.values())

    def newest(self, record_id: str) -> Taken | None:
        """The last copy of a record, while it is among those kept."""
        return self._kept.get(self._newest.get(record_id, 0))

    def after(self, number: int, limit: int) -> Iterator[Taken]:
        """Kept records in order of arrival, those that came after record `number`."""
        first = max(number + 1, self._number - len(self._kept) + 1)
        for at in range(first, min(self._number + 1, first + limit)):
            yield self._kept[at]

    def ids(self) -> Iterator[tuple[str, str, int]]:
        """(inlet id, record id, copies) of everything that was accepted."""
        for inlet_id, inlet in self.inlets.items():
            for record_id, copies in inlet.by_id.items():
                yield inlet_id, record_id, copies

    def _forget_oldest(self) -> None:
        # Numbers have no gaps; next(iter()) would scan the places of those already deleted.
        oldest = self._kept.pop(self._number - len(self._kept))
        if oldest.record_id is not None and self._newest.get(oldest.record_id) == oldest.number:
            del self._newest[oldest.record_id]
