"""What the pipeline needs of one connection: how to make a message, and whom to give it to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import orjson

from app.core.dataprep import MappingSet, RowWarning
from app.core.errors import EventFault, UnreadableEvent
from app.core.event import MAX_DEPTH, Event, nests_deeper
from app.core.outcome import Outcome
from app.core.xdm import Schema, Violation, over_profile_limit


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


class Version(NamedTuple):
    """What makes a connection's records, as it lay in its files at one time.

    `mapping` None: raw mode, Platform's own mapping set does the work. `digests`: of the files,
    as MappingFiles.digests.
    """

    mapping: MappingSet | None = None
    schema: Schema | None = None
    digests: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """`customerio-default@3+a1b2c3d4`; "" in raw mode."""
        return self.mapping.label if self.mapping is not None else ""


class FailedRow(NamedTuple):
    """A row that failed on events of a batch, each of which goes out without its field."""

    warning: RowWarning
    times: int


@dataclass(slots=True)
class Remarks:
    """What a batch's records gave rise to besides messages. Nothing, on the usual way."""

    failed: dict[tuple[str, str], FailedRow] = field(default_factory=dict)
    over_limit: int = 0

    def row_failed(self, warning: RowWarning) -> None:
        cause = (warning.row, warning.code)
        first, times = self.failed.get(cause, (warning, 0))
        self.failed[cause] = FailedRow(first, times + 1)


class Route:
    """One connection, compiled: version, envelope, lane."""

    def __init__(
        self, name: str, lane: Sender, version: Version, envelope: tuple[bytes, bytes]
    ) -> None:
        self.name = name
        self.lane = lane
        self.version = version
        self._prefix, self._suffix = envelope

    def message(
        self, event: Event, body: bytes, received_ms: int, now: float, remarks: Remarks
    ) -> bytes:
        """The message for one event. `now`: Unix seconds. Raises EventFault."""
        mapping, schema, _ = self.version
        if mapping is None:
            if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
                _refuse_depth(event)
            return body
        record, warnings = mapping.transform(event.document, received_ms)
        for warning in warnings:
            remarks.row_failed(warning)
        if schema is not None and (violations := schema.check(record, now)):
            raise _refused(violations, mapping, record)
        try:
            content = orjson.dumps(record)
        except orjson.JSONEncodeError as fault:
            # A row computed an integer beyond 64 bits: orjson's text says so, and no value.
            raise RecordRefused("unwritable", str(fault), "", "", None) from None
        if over_profile_limit(content):
            remarks.over_limit += 1
        return self._prefix + content + self._suffix

    def ready(self, record: bytes, now: float) -> tuple[str, int, bytes]:
        """(event id, its timestamp in Unix seconds, message) of a record that is sent as it is.

        Raises EventFault when the schema of today does not take it, or the inlet takes no records.
        """
        if self.version.mapping is None:
            detail = "only the XDM record is left of it, and in raw mode the inlet takes events"
            raise RecordRefused("no_body", detail, "", "", record)
        try:
            document = orjson.loads(record)
            event_id = document["_id"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise RecordRefused("unreadable", "the record has no _id", "/_id", "", record) from None
        schema = self.version.schema
        if schema is not None and (violations := schema.check(document, now)):
            raise _refused(violations, self.version.mapping, document)
        return event_id, _seconds(document.get("timestamp")), self._prefix + record + self._suffix

    def record_of(self, message: bytes) -> bytes | None:
        """The XDM record inside a message; None in raw mode, which makes none."""
        if self.version.mapping is None:
            return None
        return message[len(self._prefix) : len(message) - len(self._suffix)]


def _refuse_depth(event: Event) -> None:
    """Raises UnreadableEvent for a body nested so deeply that readers of JSON differ about it: one
    that Platform answers with 500 would hold its lane back."""
    if nests_deeper(event.document, MAX_DEPTH):
        raise UnreadableEvent("too_deep", f"the body is nested over {MAX_DEPTH} levels deep")


def _seconds(timestamp: object) -> int:
    try:
        return int(datetime.fromisoformat(str(timestamp)).timestamp())
    except (ValueError, OverflowError):
        return 0


class RecordRefused(EventFault):
    """The record does not fit the schema. `record`: its JSON, for the dead letter."""

    def __init__(self, code: str, detail: str, path: str, row: str, record: bytes | None) -> None:
        super().__init__("check", code, detail, path, row)
        self.record = record


def _refused(
    violations: Sequence[Violation], mapping: MappingSet, record: dict[str, Any]
) -> RecordRefused:
    first, *others = violations
    row = mapping.row_at(first.path)
    detail = first.message
    if first.wanted not in detail or first.found not in detail:
        detail += f" (wanted {first.wanted}, found {first.found})"
    if others:
        detail += f"; and {len(others)} more: {', '.join(other.path for other in others)}"
    try:
        content = orjson.dumps(record)
    except orjson.JSONEncodeError:
        content = None
    return RecordRefused(first.keyword, detail, first.path, str(row) if row else "", content)
