"""What Platform would refuse, told in its own words: where, what the schema wants, what was found.

No text here holds a value of an event; a key that the schema does not know is named, as Platform
names it (platform.md section 2.5).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import jsonschema_rs

from app.core.dataprep.values import kind_of
from app.core.xdm.strict import DATE_TIME

# Platform stops after five errors in one message (platform.md section 2.4).
MAX_VIOLATIONS: Final = 5

# A key may come from the event: a text needs no more of it.
_NAME_SHOWN: Final = 64

_ITEMS_READ: Final = 100

_EMPTY: Final = "is empty; Platform wants the key left out instead"

_LEAST: Final = frozenset({"minLength", "minItems", "minProperties"})

# Judgement: what says most about the cause comes first; of one place only the first is told.
_ORDER: Final = {"required": 0, "type": 1, "additionalProperties": 2, "empty": 4}


class Violation(NamedTuple):
    """One thing that Platform would refuse.

    `path` is a JSON pointer into the record, for a key that is missing or too many to that key;
    `keyword` the schema's word, or one of ours (`empty`, `colon`, `future`, `identity`,
    `unreadable`); `message` demand and finding in one; `wanted` the demand; `found` the kind of the
    value; `row` the row of the mapping set that wrote it, which the caller fills in.
    """

    path: str
    keyword: str
    message: str
    wanted: str = ""
    found: str = ""
    row: str = ""


def most_useful(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """At most five, one per place, those that tell most first."""
    ranked = sorted(violations, key=lambda violation: _ORDER.get(violation.keyword, 3))
    first: dict[str, Violation] = {}
    for violation in ranked:
        first.setdefault(violation.path, violation)
    return tuple(first.values())[:MAX_VIOLATIONS]


def told(
    error: jsonschema_rs.ValidationError, schema: dict[str, Any], record: dict[str, Any]
) -> Iterator[Violation]:
    """A validator's error as violations: more than one when several keys are too many."""
    keyword = str(error.schema_path[-1])
    found: Any = error.instance
    kind: Any = error.kind
    path = pointer(_keys(record, error.instance_path))
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.FalseSchema):
        yield _extra(path, path.rpartition("/")[2], kind_of(found))
    elif keyword == "additionalProperties":
        for name in sorted(kind.unexpected):
            yield _extra(f"{path}/{_escaped(name)}", name, kind_of(found[name]))
    elif keyword == "required":
        yield _missing(path, str(kind.property))
    else:
        yield _unfit(path, keyword, _at(schema, error.schema_path), found)


def shortened(value: Any) -> Any:
    """A copy in which no array has more than its first items: what is wrong with thousands of them
    is wrong with the first ones, mostly."""
    if type(value) is dict:
        return {key: shortened(inner) for key, inner in value.items()}
    if type(value) is list:
        return [shortened(inner) for inner in value[:_ITEMS_READ]]
    return value


def pointer(steps: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901); "" is the record itself."""
    return "".join(f"/{_escaped(str(step))}" for step in steps)


def _extra(path: str, name: str, found: str) -> Violation:
    message = f"extraneous key [{name[:_NAME_SHOWN]}] is not permitted"
    return Violation(path, "additionalProperties", message, "no such key", found)


def _missing(path: str, name: str) -> Violation:
    message = f"required key [{name}] not found"
    return Violation(f"{path}/{_escaped(name)}", "required", message, "a value", "nothing")


def _unfit(path: str, keyword: str, demand: Any, value: Any) -> Violation:
    found = kind_of(value)
    if keyword == "not" or (keyword in _LEAST and demand == 1):
        wanted = "a value, or no key"
        return Violation(path, "empty", _EMPTY, wanted, found)
    if demand in (DATE_TIME, "date-time"):
        keyword, demand = "format", "date-time, as 2023-11-14T22:13:20.000Z"
    wanted = _wanted(keyword, demand)
    if keyword == "type":
        message = f"expected {wanted}, found {found}"
    else:
        message = f"{found} that does not meet {keyword} {demand}"
    return Violation(path, keyword, message, wanted, found)


def _wanted(keyword: str, demand: Any) -> str:
    """The schema's demand, in words."""
    if keyword == "type":
        return " or ".join(demand) if isinstance(demand, list) else str(demand)
    if keyword == "enum":
        return "one of " + ", ".join(map(str, demand))
    words = {
        "format": "the format",
        "pattern": "the pattern",
        "minimum": "at least",
        "maximum": "at most",
        "minLength": "a length of at least",
        "maxLength": "a length of at most",
    }
    return f"{words.get(keyword, keyword)} {demand}"


def _keys(record: Any, path: Iterable[str | int]) -> Iterator[str | int]:
    """The steps of a validator's path. It leaves out empty keys, and `"01"` comes as 1."""
    for step in path:
        if isinstance(record, dict) and isinstance(step, int):
            step = next((key for key in record if key.lstrip("0") == str(step)), str(step))
        yield step
        with contextlib.suppress(LookupError, TypeError):
            record = record[step]


def _at(schema: Any, path: Iterable[str | int]) -> Any:
    """The schema's demand; None where the path is not to be followed, for the reasons above."""
    try:
        for step in path:
            schema = schema[str(step) if isinstance(schema, dict) else step]
    except (LookupError, TypeError):
        return None
    return schema


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
