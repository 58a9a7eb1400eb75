"""What an answer of Platform means: one Outcome per message, and what to do next.

Every status of platform.md section 2.6 has its line in `_classify`; everything else falls into
the class that harms an event least. Nothing is delivered unless the answer proves it, and a
request refused as a whole proves nothing about any single one of its messages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, Final

import orjson

from app.core.outcome import Failure, Outcome, Verdict, failed
from app.core.platform.multi_status import OK, Entry, all_delivered, place
from app.core.platform.problem import Problem, problem_of, read_problem

# However long Platform asks us to wait, we look again within the hour.
MAX_RETRY_AFTER: Final = 3600.0
# A receipt has some thirty.
_RECEIPT_MAX_CHARS: Final = 200
_BATCH_REFUSED: Final = frozenset({400, 404, 405, 415, 501})


class Next(Enum):
    """What the lane does before it takes the outcomes as they are."""

    SETTLE = "settle"  # nothing: the outcomes stand
    SPLIT = "split"  # 413: send in halves
    BISECT = "bisect"  # refused as a whole: halves, until the guilty are alone
    SINGLES = "singles"  # send alone: every message if uniform, else those that are UNKNOWN
    REFRESH = "refresh"  # once with a new token, then pause
    PAUSE = "pause"  # hold the lane back and raise an alarm


@dataclass(frozen=True, slots=True)
class Answer:
    """`outcomes`: one per message, in order, and safe to take if `next` can't be followed.
    `uniform`: all of them are the same object."""

    outcomes: tuple[Outcome, ...]
    next: Next = Next.SETTLE
    uniform: bool = True


def read_answer(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    count: int,
    *,
    now: float | None = None,
    batches_proven: bool = True,
) -> Answer:
    """The answer to a request with `count` messages (1 or more). Never raises.

    `headers` are looked up as given and in lower case; `now`: Unix seconds, for a Retry-After
    that is a date in an answer without `Date`. `batches_proven`: False while it is open whether
    this inlet takes batches at all (raw mode, platform.md section 2.3).
    """
    if 200 <= status <= 299:
        return _accepted(status, body, count)
    alone = count == 1
    if not alone and not batches_proven and status in _BATCH_REFUSED:
        refused = failed(Failure.TRANSIENT, status=status, code="batch_refused")
        return _all(refused, count, Next.SINGLES)
    wait = _retry_after(headers, now)
    problem = read_problem(body)
    empty = not body.strip()
    failure, then = _classify(status, empty=empty, alone=alone, asked_to_wait=wait is not None)
    return _all(_failed(failure, status, problem, wait), count, then)


def unsent(failure: Failure, code: str, message: str, count: int) -> Answer:
    """The answer that never came: a network fault. UNKNOWN when the request had been written."""
    return _all(failed(failure, code=code, message=message), count, Next.SETTLE)


def _classify(
    status: int, *, empty: bool, alone: bool, asked_to_wait: bool
) -> tuple[Failure, Next]:
    """The table of platform.md section 2.6 for a request that was not accepted."""
    if status in (400, 422):
        # Of a whole batch: no proof against any one message, so no verdict on them yet.
        return (Failure.CONTRACT, Next.SETTLE) if alone else (Failure.TRANSIENT, Next.BISECT)
    if status == 413:
        return (Failure.TOO_LARGE, Next.SETTLE) if alone else (Failure.TRANSIENT, Next.SPLIT)
    if status == 401 or (status == 403 and not empty):
        return Failure.CREDENTIALS, Next.REFRESH
    if status == 429 or (status == 503 and asked_to_wait):
        return Failure.THROTTLE, Next.SETTLE
    if status in (408, 425) or status >= 500 or status < 300:
        return Failure.TRANSIENT, Next.SETTLE
    # 403 without a body is the address allow-list (section 7, 17). A redirect, 404, 405 and their
    # like mean that the inlet is not where we think: never the event's fault.
    return Failure.BLOCKED, Next.PAUSE


def _accepted(status: int, body: bytes, count: int) -> Answer:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _unclear(status, "unreadable_answer", count)
    if not isinstance(found, dict):
        return _unclear(status, "unreadable_answer", count)
    entries = found.get("responses")
    if isinstance(entries, list):
        return _multi_status(found, entries, count)
    if status == 200 and count == 1 and _is_receipt(found):
        return _all(Outcome(Verdict.DELIVERED, status=200, receipt=_named(found["xactionId"])), 1)
    return _unclear(status, "no_receipt", count)


def _is_receipt(found: dict[str, Any]) -> bool:
    """The three keys of an accepted single message; the time is a number or, in the API file's
    example, a string. A failed sync validation carries no success whatever the status."""
    at = found.get("receivedTimeMs")
    timed = type(at) in (int, float) or (isinstance(at, str) and at.isascii() and at.isdigit())
    named = all(isinstance(found.get(k), str) and found[k] for k in ("xactionId", "inletId"))
    return timed and named and not any(key in found for key in ("status", "statusCode", "report"))


def _named(value: Any) -> str:
    """A receipt's text, or an empty one: it is kept with every event, so a megabyte is none."""
    return value[:_RECEIPT_MAX_CHARS] if isinstance(value, str) else ""


def _multi_status(found: dict[str, Any], entries: list[Any], count: int) -> Answer:
    batch_id = _named(found.get("batchId"))
    if all_delivered(entries, count):
        receipt = batch_id or _named(entries[0]["xactionId"])
        return _all(Outcome(Verdict.DELIVERED, status=207, receipt=receipt), count)
    delivered = Outcome(Verdict.DELIVERED, status=207, receipt=batch_id)
    unknown = failed(Failure.UNKNOWN, status=207, code="unplaced", receipt=batch_id)
    outcomes = tuple(
        _of_entry(entry, delivered, unknown) for entry in place(entries, count, batch_id)
    )
    # Alone already: sending it alone again at once would prove nothing new.
    resend = count > 1 and unknown in outcomes
    then = Next.SINGLES if resend else Next.SETTLE
    return Answer(outcomes, then, uniform=all(o is outcomes[0] for o in outcomes))


def _of_entry(entry: Entry | None, delivered: Outcome, unknown: Outcome) -> Outcome:
    if entry is None:
        return unknown
    status, found = entry
    if status == OK:
        return delivered
    # An entry's 401 or 404 speaks of one message among others: no reason to hold the lane.
    failure, _ = _classify(status, empty=False, alone=True, asked_to_wait=False)
    return _failed(failure, status, problem_of(found), None)


def _failed(failure: Failure, status: int, problem: Problem, wait: float | None) -> Outcome:
    code = f"http_{status}" if problem.code in ("", "empty", "unreadable") else problem.code
    return failed(
        failure,
        status=status,
        code=code,
        message=problem.message,
        path=problem.path,
        retry_after=wait,
    )


def _unclear(status: int, code: str, count: int) -> Answer:
    outcome = failed(Failure.UNKNOWN, status=status, code=code)
    return _all(outcome, count, Next.SETTLE if count == 1 else Next.SINGLES)


def _all(outcome: Outcome, count: int, then: Next = Next.SETTLE) -> Answer:
    return Answer((outcome,) * count, then)


def _retry_after(headers: Mapping[str, str], now: float | None) -> float | None:
    """Seconds, 0 to MAX_RETRY_AFTER; None when there is none or it cannot be read.

    A date is measured from the answer's own `Date`, which no wrong clock of ours can spoil.
    """
    text = _header(headers, "Retry-After").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        until = _http_date(text)
        since = _http_date(_header(headers, "Date")) or now
        if until is None or since is None:
            return None
        seconds = until - since
    return min(max(seconds, 0.0), MAX_RETRY_AFTER) if math.isfinite(seconds) else None


def _header(headers: Mapping[str, str], name: str) -> str:
    return headers.get(name) or headers.get(name.lower()) or ""


def _http_date(text: str) -> float | None:
    try:
        found: datetime = parsedate_to_datetime(text)
        zoned = found if found.tzinfo else found.replace(tzinfo=UTC)
        return zoned.timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
