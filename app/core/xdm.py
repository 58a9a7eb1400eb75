"""XDM: is a record what Platform will take?

Platform checks type, presence, enum, range, pattern and format only after it has said 200
(platform.md section 2.4), so the same is checked here before anything is sent. On top of the
schema: no nulls and no empty values (section 2.8), `_id` without a colon, `timestamp` in a form
that Platform takes (section 2.4) and not in the future.

The usual record costs one call into the compiled validator; violations are looked for only when
it says no. Their texts name what the schema wants and what kind was found, never a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, NamedTuple

import jsonschema_rs

from app.core.dataprep import fill
from app.core.dataprep.shapes import RFC_3339
from app.core.dataprep.values import kind_of

# How far a sender's clock may be ahead of ours; one-second grain on Customer.io's side.
FUTURE_ALLOWANCE_SECONDS: Final = 60.0

# Platform stops after five errors in one message (platform.md section 2.4).
MAX_VIOLATIONS: Final = 5

# The validator's \d is not ASCII only; the format check beside it is.
_DATE_TIME: Final = f"^{RFC_3339}$"

_NOT_EMPTY: Final = {"string": "minLength", "array": "minItems", "object": "minProperties"}


class Violation(NamedTuple):
    """One thing that Platform would refuse.

    `path` is a JSON pointer into the record, `keyword` the schema's word (or `empty`, `colon`,
    `future`), `message` the demand and the kind found, without values.
    """

    path: str
    keyword: str
    message: str


class Schema:
    """A compiled schema. Made by `compile_schema`."""

    __slots__ = ("_is_valid", "_latest", "_schema", "_second", "_validator")

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = _without_empties(schema)
        self._validator = jsonschema_rs.validator_for(self._schema, validate_formats=True)
        self._is_valid = self._validator.is_valid
        self._second = -1
        self._latest = ""

    def check(self, record: dict[str, Any], now: float | None = None) -> tuple[Violation, ...]:
        """What is wrong with a record; empty when nothing is.

        `now` (Unix seconds) adds the check that `timestamp` is not in the future.
        """
        try:
            if not self._is_valid(record):
                return self._violations(record)
        except ValueError:
            # The validator stops at some 250 levels; no field of ours is that deep.
            return (Violation("", "unreadable", "is nested too deeply, or no JSON"),)
        if ":" in str(record.get("_id", "")):
            return (Violation("/_id", "colon", "holds a colon, so it is no uri-reference"),)
        if now is not None and self._is_ahead(record.get("timestamp"), now):
            message = f"lies over {FUTURE_ALLOWANCE_SECONDS:.0f} s in the future"
            return (Violation("/timestamp", "future", message),)
        return ()

    def _is_ahead(self, timestamp: Any, now: float) -> bool:
        if not isinstance(timestamp, str):
            return False
        if timestamp[-1:] != "Z":
            return _is_ahead(timestamp, now)
        # The usual form sorts as text: reading it would cost more than the rest of this check.
        if self._second != int(now):
            self._second = int(now)
            latest = datetime.fromtimestamp(now + FUTURE_ALLOWANCE_SECONDS, UTC)
            self._latest = latest.strftime("%Y-%m-%dT%H:%M:%S")
        return timestamp[:19] > self._latest

    def _violations(self, record: dict[str, Any]) -> tuple[Violation, ...]:
        errors = islice(self._validator.iter_errors(record), MAX_VIOLATIONS)
        return tuple(self._told(error, record) for error in errors)

    def _told(self, error: jsonschema_rs.ValidationError, record: dict[str, Any]) -> Violation:
        path = [str(step) for step in error.instance_path]
        keyword = str(error.schema_path[-1])
        wanted, found = _at(self._schema, error.schema_path), _at(record, error.instance_path)
        if keyword == "additionalProperties":
            unknown = sorted(getattr(error.kind, "unexpected", ()))[:3]
            message = f"extraneous key {unknown} is not permitted"
        elif keyword == "required":
            message = f"required key [{getattr(error.kind, 'property', '')}] not found"
        elif keyword == "type":
            message = f"expected {wanted}, found {kind_of(found)}"
        elif keyword in _NOT_EMPTY.values() and wanted == 1:
            keyword, message = "empty", "is empty; Platform wants the key left out instead"
        else:
            message = f"{kind_of(found)} that does not meet {keyword} {wanted}"
        return Violation("/" + "/".join(map(_escaped, path)) if path else "", keyword, message)


def compile_schema(schema: dict[str, Any]) -> Schema:
    """The schema, as the Schema Registry returns it (`xed-full`), compiled.

    Raises ValueError when it is no JSON Schema.
    """
    try:
        return Schema(schema)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as fault:
        raise ValueError(f"not a JSON Schema: {fault.message}") from None


def fill_schema(document: Any, variables: Mapping[str, str]) -> Any:
    """A copy of a schema document with `{TENANT}` and the like filled in, in keys and in texts.

    Raises VariableInvalid.
    """
    if isinstance(document, dict):
        return {fill(k, variables): fill_schema(child, variables) for k, child in document.items()}
    if isinstance(document, list):
        return [fill_schema(child, variables) for child in document]
    return fill(document, variables) if isinstance(document, str) else document


def types_of(schema: dict[str, Any]) -> dict[str, str]:
    """Path → XDM type of every place a schema knows: what `compile_mapping_set` coerces to."""
    return dict(_types(schema, ""))


def _types(schema: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    if path:
        yield path, schema.get("meta:xdmType", schema.get("type", ""))
    for name, child in schema.get("properties", {}).items():
        # A dot inside a name is escaped in Data Prep's paths (platform.md section 4.2).
        step = name.replace(".", "\\.")
        yield from _types(child, f"{path}.{step}" if path else step)
    if isinstance(schema.get("items"), dict):
        yield from _types(schema["items"], f"{path}[*]")


def _without_empties(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with what Platform demands of every value: nothing empty, its date forms."""
    strict = dict(schema)
    least = _NOT_EMPTY.get(schema.get("type", ""))
    if least and not schema.get(least):
        strict[least] = 1
    if schema.get("format") == "date-time" and "pattern" not in schema:
        strict["pattern"] = _DATE_TIME
    for key in ("properties", "definitions"):
        if key in schema:
            strict[key] = {name: _without_empties(child) for name, child in schema[key].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            strict[key] = _without_empties(schema[key])
    if "allOf" in schema:
        strict["allOf"] = [_without_empties(child) for child in schema["allOf"]]
    return strict


def _is_ahead(timestamp: str, now: float) -> bool:
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:  # a leap second: valid RFC 3339 that Python does not read
        return False
    return moment.timestamp() > now + FUTURE_ALLOWANCE_SECONDS


def _at(tree: Any, path: list[Any]) -> Any:
    # A key of digits only comes as a number in the validator's path.
    for step in path:
        tree = tree[str(step) if isinstance(tree, dict) else step]
    return tree


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
