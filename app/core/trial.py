"""One event through a mapping set and a schema, as it would go in the worker: parse, transform,
check. Nothing is sent.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from app.core.dataprep import MappingSet
from app.core.errors import EventFault
from app.core.event import Event, parse_event
from app.core.xdm import Schema


class Outcome(NamedTuple):
    """What a set makes of an event: a record, or why there is none (without values)."""

    record: dict[str, Any] | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """A mapping set, and the schema that its records are checked against."""

    mapping: MappingSet
    schema: Schema | None

    def outcome(self, body: bytes, received_ms: int, now: float) -> Outcome:
        """What becomes of a body. `now`: Unix seconds."""
        try:
            event = parse_event(body)
        except EventFault as fault:
            return Outcome(None, _told(fault.stage, fault.code, fault.path, fault.row))
        return self.of_event(event, received_ms, now)

    def of_event(self, event: Event, received_ms: int, now: float) -> Outcome:
        """The same for an event that was read already."""
        try:
            record = self.mapping.transform(event.document, received_ms).record
        except EventFault as fault:
            return Outcome(None, _told(fault.stage, fault.code, fault.path, fault.row))
        for violation in self.schema.check(record, now) if self.schema else ():
            told = _told("check", violation.keyword, violation.path, self.row_at(violation.path))
            return Outcome(None, f"{told}: {violation.message}")
        return Outcome(record)

    def row_at(self, pointer: str) -> str:
        """The row that writes a place, as text; "" when none is known."""
        row = self.mapping.row_at(pointer)
        return str(row) if row else ""


def _told(stage: str, code: str, path: str, row: str) -> str:
    return " ".join(part for part in (stage, code, path, row and f"by {row}") if part)
