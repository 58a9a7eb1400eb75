"""Is a record what Platform will take?

Platform checks type, presence, enum, range, pattern and format only after it has said 200
(platform.md section 2.4), so the same is checked here before anything is sent. On top of the
schema: nothing null or empty (section 2.8), the rules of identities (section 2.7), `_id` without a
colon, `timestamp` in a form that Platform takes (section 2.4) and not in the future.

The usual record costs one call into a compiled validator and a look at its identities and its
time; violations are looked for only when one of them says no.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import jsonschema_rs

from app.core.xdm.fast import fast
from app.core.xdm.identities import identity_violations
from app.core.xdm.strict import strict
from app.core.xdm.violation import Violation, most_useful, shortened, told

# How far a sender's clock may be ahead of ours; one-second grain on Customer.io's side.
FUTURE_ALLOWANCE_SECONDS: Final = 60.0

# A larger record stays out of Profile, though not out of the data lake (platform.md section 2.7:
# 10 KB, measured as uncompressed JSON; judgement: of 1,024 bytes).
PROFILE_LIMIT_BYTES: Final = 10_240

# A record with more errors than this has the same few over and over.
_ERRORS_READ: Final = 100


class Schema:
    """A compiled schema. Made by `compile_schema`."""

    __slots__ = ("_is_valid", "_latest", "_now", "_schema", "_validator")

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = strict(schema)
        self._validator = _compiled(self._schema)
        self._is_valid = _compiled(fast(self._schema)).is_valid
        self._now = -1.0
        self._latest = ""

    def check(self, record: dict[str, Any], now: float | None = None) -> tuple[Violation, ...]:
        """What is wrong with a record, at most five things; empty when nothing is.

        `now` (Unix seconds) adds the check that `timestamp` is not in the future.
        """
        try:
            # All in one place: what is left to Python is a fifth of the whole cost.
            if (
                self._is_valid(record)
                and ":" not in record["_id"]
                and (now is None or not self._is_ahead(record["timestamp"], now))
            ):
                if "identityMap" not in record:
                    return ()
                primaries = 0
                for (identity,) in record["identityMap"].values():
                    if identity.get("primary"):
                        primaries += 1
                if primaries == 1:
                    return ()
        except (AttributeError, KeyError, TypeError, ValueError):
            pass  # not the usual record, which is no fault yet
        return self._look_closer(record, now)

    def _look_closer(self, record: dict[str, Any], now: float | None) -> tuple[Violation, ...]:
        """What is wrong, if anything is: what was said of the record so far was a guess."""
        try:
            return most_useful(self._violations(record, now))
        except (ValueError, RecursionError):
            # The validator stops at some 250 levels; no field of ours is that deep.
            message = "is nested too deeply, or no JSON"
            return (Violation("", "unreadable", message, "JSON", "something else"),)

    def _is_ahead(self, timestamp: str, now: float) -> bool:
        if now != self._now:
            self._now = now
            latest = datetime.fromtimestamp(now + FUTURE_ALLOWANCE_SECONDS, UTC)
            # "~" sorts after all that may follow the seconds.
            self._latest = latest.strftime("%Y-%m-%dT%H:%M:%S~")
        # The usual form sorts as text: reading it would cost more than all the rest.
        if timestamp[-1] == "Z":
            return timestamp > self._latest
        return is_ahead(timestamp, now)

    def _violations(self, record: dict[str, Any], now: float | None) -> Iterator[Violation]:
        for error in self._errors(record):
            yield from told(error, self._schema, record)
        if ":" in str(record.get("_id", "")):
            message = "holds a colon, so it is no uri-reference"
            yield Violation("/_id", "colon", message, "no colon", "a string")
        yield from identity_violations(record.get("identityMap"))
        if now is not None and is_ahead(record.get("timestamp"), now):
            message = f"lies over {FUTURE_ALLOWANCE_SECONDS:.0f} s in the future"
            yield Violation("/timestamp", "future", message, "a time in the past", "a later one")

    def _errors(self, record: dict[str, Any]) -> list[jsonschema_rs.ValidationError]:
        """Some of the validator's errors. It makes an object for each before it gives the first,
        15 µs apiece: for 200,000 wrong items in an array a worker would stand still for seconds."""
        found = list(islice(self._validator.iter_errors(shortened(record)), _ERRORS_READ))
        if not found:
            try:
                self._validator.validate(record)
            except jsonschema_rs.ValidationError as error:
                found.append(error)
        return found


def compile_schema(schema: dict[str, Any]) -> Schema:
    """The schema, as the Schema Registry returns it (`xed-full`), compiled.

    Raises ValueError when it is no JSON Schema.
    """
    try:
        _compiled(schema)
        return Schema(schema)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as fault:
        raise ValueError(f"not a JSON Schema: {fault.message}") from None


def over_profile_limit(record_json: bytes) -> bool:
    """Whether Profile would drop a record for its size; `record_json` is the record's JSON."""
    return len(record_json) > PROFILE_LIMIT_BYTES


def _compiled(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(schema, validate_formats=True)


def is_ahead(timestamp: Any, now: float) -> bool:
    """Whether a time is further in the future than a clock may be wrong."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except (TypeError, ValueError):  # no time at all, which is for the schema to say
        return False
    return moment.timestamp() > now + FUTURE_ALLOWANCE_SECONDS
