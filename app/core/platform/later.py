"""One line of a failed batch's file: which event it was, and why Platform refused it.

Shapes: platform.md section 6.2. A line is the message as it was sent, and beside it the errors.
Whatever a line holds, reading it raises nothing: a file has lines of other producers, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from app.core.event import EVENT_ID_MAX_CHARS
from app.core.outcome import MESSAGE_MAX_CHARS
from app.core.platform.problem import Problem, problem_of

_ERROR_KEYS: Final = ("_errors", "_validationErrors", "_streamingValidation")
# Where a row stood, in the lines of row diagnostics.
_PLACE_KEY: Final = "_filename"
# A DCVS text begins with the place: `#/commerce/order/currencyCode: string [eur] does not ...`.
_PLACE: Final = re.compile(r"#(/[^\s:]{1,255})")


class FailedRecord(NamedTuple):
    """`event_id`: "" when the line names none. `body`: JSON of the event itself (raw mode), or
    `record`: JSON of the XDM record; without Platform's error keys. `timestamp`: Unix seconds of
    the event, 0 when the line does not say; `problem`: as Platform tells it."""

    event_id: str
    timestamp: int
    body: bytes
    record: bytes | None
    problem: Problem


def read_failed_line(line: bytes) -> FailedRecord:
    """The record in one line of a failed file. Never raises; see FailedRecord."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        return _nameless("unreadable", "the line is no JSON object")
    told = {key: found.pop(key) for key in _ERROR_KEYS if key in found}
    found.pop(_PLACE_KEY, None)
    entity = _entity(found)
    if entity is not None:
        told = told or {key: entity[key] for key in _ERROR_KEYS if key in entity}
        entity = {key: value for key, value in entity.items() if key not in _ERROR_KEYS}
    problem = _problem(told)
    if entity is not None and _is_id(entity.get("_id")):
        seconds = _seconds(entity.get("timestamp"))
        return FailedRecord(entity["_id"], seconds, b"", orjson.dumps(entity), problem)
    if _is_id(found.get("event_id")):
        stamp = found.get("timestamp")
        seconds = stamp if type(stamp) is int else 0
        return FailedRecord(found["event_id"], seconds, orjson.dumps(found), None, problem)
    return FailedRecord("", 0, b"", None, problem)


def _nameless(code: str, message: str) -> FailedRecord:
    return FailedRecord("", 0, b"", None, Problem(code, message))


def _entity(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """The XDM record: in the envelope, or bare, as rows that failed after the envelope are."""
    body = found.get("body")
    entity = body.get("xdmEntity") if isinstance(body, dict) else None
    if isinstance(entity, dict):
        return entity
    return dict(found) if "_id" in found else None


def _is_id(value: Any) -> bool:
    return type(value) is str and 0 < len(value) <= EVENT_ID_MAX_CHARS


def _problem(told: Mapping[str, Any]) -> Problem:
    if not told:
        return Problem("no_reason", "Platform gave no reason beside the record")
    code, message, path = problem_of(told)
    path = path or _column(told.get("_errors"))
    if not path and (found := _PLACE.search(message)):
        path = found[1]
    return Problem(code, message[:MESSAGE_MAX_CHARS], path)


def _column(errors: Any) -> str:
    """`column` of row diagnostics, as a path: a.b is /a/b."""
    first = errors[0] if isinstance(errors, list) and errors else None
    column = first.get("column") if isinstance(first, dict) else None
    return f"/{column[:255].replace('.', '/')}" if isinstance(column, str) and column else ""


def _seconds(value: Any) -> int:
    try:
        return max(0, int(datetime.fromisoformat(value).timestamp()))
    except (TypeError, ValueError, OverflowError):
        return 0
