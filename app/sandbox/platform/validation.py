"""What validation finds wrong with a record, in the words Platform uses. Pure.

Sources: platform.md sections 2.4 (what is checked, five errors), 2.6 (codes), 2.8 (`_id`,
`timestamp`, nulls and empty values). Codes of which the reference is uncertain are marked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import jsonschema_rs

ERRORS_PER_MESSAGE: Final = 5
# A timestamp must lie in the past; two clocks are never quite the same.
_CLOCK_SKEW_S: Final = 60.0
_DATE_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_CODES: Final = {
    "null": "DCVS-1101-400",
    "pattern": "DCVS-1103-400",
    "type": "DCVS-1104-400",
    "required": "DCVS-1106-400",
    "format": "DCVS-1105-400",  # uncertain in the reference
    "enum": "DCVS-1111-400",  # uncertain in the reference
}
_KEYWORDS: Final = {code: keyword for keyword, code in _CODES.items()}
_TYPE_NAMES: Final = {
    "string": "String",
    "integer": "Integer",
    "number": "Number",
    "boolean": "Boolean",
    "object": "JSONObject",
    "array": "JSONArray",
    "null": "Null",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """`pointer`: where in the record, `#/a/b`; `schema`: where in the schema. `given_code`: set
    when the violation is a fault on demand."""

    pointer: str
    schema: str
    keyword: str
    message: str
    given_code: str | None = None

    @classmethod
    def on_demand(cls, pointer: str, code: str, message: str) -> Violation:
        """A violation with a code that was asked for, whatever the record says."""
        schema = pointer.replace("/", "/properties/")
        return cls(pointer, schema, _KEYWORDS.get(code, "type"), message, code)

    @property
    def code(self) -> str:
        if self.given_code is not None:
            return self.given_code
        # Keywords that no sample shows (additionalProperties, minimum) go under "type".
        return _CODES.get(self.keyword, _CODES["type"])


class Validator:
    """Checks records against the class's rules and `schema` (JSON Schema of the draft it names)."""

    def __init__(self, schema: Mapping[str, Any] | None) -> None:
        self._schema = (
            jsonschema_rs.validator_for(dict(schema), validate_formats=True)
            if schema is not None
            else None
        )

    def check(self, record: Mapping[str, Any], now: float) -> tuple[Violation, ...]:
        """At most five violations; none: Platform would ingest it. `now`: Unix seconds."""
        found: dict[str, Violation] = {}
        for violation in self._violations(record, now):
            found.setdefault(violation.pointer, violation)
            if len(found) == ERRORS_PER_MESSAGE:
                break
        return tuple(found.values())

    def _violations(self, record: Mapping[str, Any], now: float) -> Iterator[Violation]:
        yield from _check_id(record)
        yield from _check_timestamp(record, now)
        yield from _empty_values(record, "#")
        if self._schema is not None:
            for error in self._schema.iter_errors(record):
                yield _from_schema(error)


def _check_id(record: Mapping[str, Any]) -> Iterator[Violation]:
    given = record.get("_id")
    if given is None:
        yield _missing("_id")
    elif not isinstance(given, str):
        yield _wrong_type("_id", "String", given)
    elif ":" in given or any(mark.isspace() for mark in given):
        yield Violation(
            "#/_id", "#/properties/_id", "format", f"[{given}] is not a valid uri-reference"
        )


def _check_timestamp(record: Mapping[str, Any], now: float) -> Iterator[Violation]:
    given = record.get("timestamp")
    if given is None:
        yield _missing("timestamp")
    elif not isinstance(given, str):
        yield _wrong_type("timestamp", "String", given)
    elif (moment := _moment(given)) is None:
        yield _bad_timestamp(f"[{given}] is not a valid date-time")
    elif moment > now + _CLOCK_SKEW_S:
        yield _bad_timestamp(f"[{given}] lies in the future")


def _moment(text: str) -> float | None:
    if _DATE_TIME.fullmatch(text) is None:
        return None
    # datetime knows microseconds only; the form was checked above.
    shortened = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        return datetime.fromisoformat(shortened).timestamp()
    except ValueError:
        return None


def _empty_values(value: Any, pointer: str) -> Iterator[Violation]:
    """Nulls and empty values are refused for any field, required or not (section 2.8)."""
    if value is None:
        yield Violation(pointer, pointer, "null", "expected type: String, found: Null")
    elif value in ("", {}, []):
        yield Violation(pointer, pointer, "minLength", "expected a value, found: empty")
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from _empty_values(below, f"{pointer}/{key}")
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _empty_values(below, f"{pointer}/{index}")


def _from_schema(error: jsonschema_rs.ValidationError) -> Violation:
    kind: Any = error.kind
    pointer = "/".join(["#", *map(str, error.instance_path)])
    schema = "/".join(["#", *map(str, error.schema_path)])
    message = error.message
    if kind.name == "type":
        wanted = " or ".join(_TYPE_NAMES.get(name, name) for name in kind.types)
        message = f"expected type: {wanted}, found: {_type_name(error.instance)}"
    elif kind.name == "required":
        message = f"required key [{kind.property}] not found"
        pointer = f"{pointer}/{kind.property}"
    elif kind.name == "additionalProperties":
        message = f"extraneous key [{kind.unexpected[0]}] is not permitted"
        pointer = f"{pointer}/{kind.unexpected[0]}"
    elif kind.name == "pattern":
        message = f"string [{error.instance}] does not match pattern {kind.pattern}"
    return Violation(pointer, schema, kind.name, message)


def _missing(key: str) -> Violation:
    return Violation(f"#/{key}", "#", "required", f"required key [{key}] not found")


def _bad_timestamp(text: str) -> Violation:
    return Violation("#/timestamp", "#/properties/timestamp", "format", text)


def _wrong_type(key: str, wanted: str, found: Any) -> Violation:
    text = f"expected type: {wanted}, found: {_type_name(found)}"
    return Violation(f"#/{key}", f"#/properties/{key}", "type", text)


def _type_name(value: Any) -> str:
    names = {str: "String", bool: "Boolean", int: "Integer", float: "Double", list: "JSONArray"}
    return "Null" if value is None else names.get(type(value), "JSONObject")


def streaming_validation(violations: tuple[Violation, ...]) -> dict[str, Any]:
    """The `cause` tree of a synchronous refusal (section 2.5)."""
    return {
        "schemaLocation": "#",
        "pointerToViolation": "#",
        "message": f"{len(violations)} schema violations found",
        "causingExceptions": [
            {
                "schemaLocation": violation.schema,
                "pointerToViolation": violation.pointer,
                "keyword": violation.keyword,
                "message": violation.message,
                "causingExceptions": [],
            }
            for violation in violations
        ],
    }
