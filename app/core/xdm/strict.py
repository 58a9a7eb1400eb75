"""A schema with all that Platform demands of a record and the schema does not say.

* Nothing null or empty, required or not (platform.md section 2.8).
* Dates in the forms of section 2.4: upper-case T and Z, at most nine digits of a fraction.
* No keys that the schema does not know (section 2.5), which the registry leaves out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

_NOT_EMPTY: Final = {"string": "minLength", "array": "minItems", "object": "minProperties"}
_NOTHING: Final[dict[str, Any]] = {"not": {"enum": [None, "", [], {}]}}

# The validator's \d is not ASCII only; the format check beside it is. Judgement: no leap second,
# which Customer.io's Unix seconds cannot tell and hardly anybody reads.
DATE_TIME: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$"

# What says what kind of value belongs somewhere.
_KINDS: Final = frozenset({"type", "enum", "const", "allOf", "anyOf", "oneOf", "$ref"})


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """A copy that demands as much as Platform does."""
    tightened: dict[str, Any] = rebuilt(schema, _tightened)
    return tightened


def rebuilt(schema: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of a schema in which every part, the innermost first, went through `change`.

    Parts are what stands for a value: under properties, definitions, items, additionalProperties
    (where it is no boolean) and allOf, and the whole.
    """
    if not isinstance(schema, dict):
        return change(schema)
    copy = dict(schema)
    for key in ("properties", "definitions"):
        if key in copy:
            copy[key] = {name: rebuilt(part, change) for name, part in copy[key].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(copy.get(key), dict):
            copy[key] = rebuilt(copy[key], change)
    if "allOf" in copy:
        copy["allOf"] = [rebuilt(part, change) for part in copy["allOf"]]
    return change(copy)


def _tightened(part: Any) -> Any:
    if not isinstance(part, dict):
        return _NOTHING if part is True else part
    if not _KINDS & part.keys():
        part |= _NOTHING
    least = _NOT_EMPTY.get(str(part.get("type", "")))
    if least and not part.get(least):
        part[least] = 1
    if part.get("format") == "date-time" and "pattern" not in part:
        part["pattern"] = DATE_TIME
    if _is_closed(part):
        part["additionalProperties"] = False
    return part


def _is_closed(part: dict[str, Any]) -> bool:
    """An object of a registry's answer, which lists its fields and says nothing of others."""
    listed = part.get("meta:xdmType") == "object" and "properties" in part
    return listed and "additionalProperties" not in part
