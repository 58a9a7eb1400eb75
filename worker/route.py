"""What the pipeline needs of one connection: how to make a message, and whom to give it to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import orjson

from app.core.dataprep import MappingSet
from app.core.errors import EventFault
from app.core.event import Event
from app.core.outcome import Outcome
from app.core.xdm import Schema, Violation


class Sender(Protocol):
    """worker.lane.Lane, as far as the pipeline is concerned."""

    async def send(
        self,
        messages: Sequence[bytes],
        *,
        suspect: bool,
        told: Callable[[int, Sequence[Outcome]], None],
    ) -> list[Outcome]:
        """One outcome per message, in order; raises nothing but CancelledError.

        `suspect`: one of them may be why all failed before. `told` hears of outcomes that are known
        before the last ones are.
        """
        ...


class Route:
    """One connection, compiled: mapping set, schema, envelope, lane."""

    def __init__(
        self,
        name: str,
        lane: Sender,
        mapping: MappingSet | None,
        schema: Schema | None,
        envelope: tuple[bytes, bytes],
    ) -> None:
        """`mapping` None: raw mode, Platform's own mapping set does the work."""
        self.name = name
        self.lane = lane
        self._mapping = mapping
        self._schema = schema
        self._prefix, self._suffix = envelope

    def message(self, event: Event, body: bytes, now: float) -> bytes:
        """The message for one event. `now`: Unix seconds. Raises EventFault."""
        if self._mapping is None:
            return body
        record = self._mapping.transform(event.document).record
        if self._schema is not None and (violations := self._schema.check(record, now)):
            raise _refused(violations, orjson.dumps(record))
        return self._prefix + orjson.dumps(record) + self._suffix

    def record_of(self, message: bytes) -> bytes | None:
        """The XDM record inside a message; None in raw mode, which makes none."""
        if self._mapping is None:
            return None
        return message[len(self._prefix) : len(message) - len(self._suffix)]


class RecordRefused(EventFault):
    """The record does not fit the schema. `record`: its JSON, for the dead letter."""

    def __init__(self, violation: Violation, others: int, record: bytes) -> None:
        more = f" (and {others} more)" if others else ""
        detail = violation.message + more
        super().__init__("check", violation.keyword, detail, violation.path)
        self.record = record


def _refused(violations: Sequence[Violation], record: bytes) -> RecordRefused:
    return RecordRefused(violations[0], len(violations) - 1, record)
