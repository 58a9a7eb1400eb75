"""Rows read, values brought to the types of the schema, and the record they leave (section 4.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, Final, NamedTuple

from app.sandbox.dataprep.reading.expression import Computed, Unread, child, read
from app.sandbox.dataprep.reading.functions import Fault, text
from app.sandbox.dataprep.stored import destination_of, kind_of, source_of

_BOOLEANS: Final = {
    **dict.fromkeys(("y", "yes", "Y", "YES", "on", "ON", "true", "TRUE"), True),
    **dict.fromkeys(("n", "N", "no", "NO", "off", "OFF", "false", "FALSE"), False),
}


class Failed(NamedTuple):
    """A row, by its place in the set, that left its field out."""

    place: int
    detail: str


class _Row(NamedTuple):
    place: int
    path: list[str]
    computed: Computed
    schema: Mapping[str, Any]


class Reading:
    """A set, read. Raises Unread for a row that is beyond this."""

    def __init__(self, rows: Sequence[dict[str, Any]], schema: Mapping[str, Any]) -> None:
        read_rows = [_row(place, row, schema) for place, row in enumerate(rows)]
        # What is copied whole comes before what is written into it, whatever the order.
        self._rows = sorted(read_rows, key=lambda row: len(row.path))

    def record(self, event: dict[str, Any]) -> tuple[dict[str, Any], list[Failed]]:
        """A row that fails leaves its field out, and the others go on."""
        made: dict[str, Any] = {}
        failed = []
        for row in self._rows:
            try:
                value = _fit(row.computed(event), row.schema)
                if value is not None:
                    _write(made, row.path, value)
            except (Fault, TypeError, ValueError, AttributeError, re.error) as fault:
                failed.append(Failed(row.place, f"{type(fault).__name__} in the row"))
        return made, sorted(failed)


def _row(place: int, row: dict[str, Any], schema: Mapping[str, Any]) -> _Row:
    """Raises Unread."""
    source, path = source_of(row), _steps(destination_of(row))
    for name in path:
        below = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
        if not isinstance(below, Mapping):
            raise Unread(name)
        schema = below
    match kind_of(row):
        case "text/plain":
            return _Row(place, path, lambda _: source, schema)
        case "text/x.aep-xl":
            return _Row(place, path, read(str(source)), schema)
    if schema.get("format") in ("date", "date-time"):  # the formats that are tried are not read
        raise Unread(source)
    steps = _steps(str(source))
    return _Row(place, path, lambda event: reduce(child, steps, event), schema)


def _steps(path: str) -> list[str]:
    if re.search(r"[\\\[\]${}]", path):
        raise Unread(path)
    return path.split(".")


def _fit(value: Any, schema: Mapping[str, Any]) -> Any:
    """A value as its place has it, without nulls and empties; None when nothing is left."""
    kind, nested = schema.get("type"), isinstance(value, dict | list)
    if isinstance(value, dict) and kind == "object":
        named, other = schema.get("properties", {}), schema.get("additionalProperties")
        fitted = {
            name: _fit(
                text(each) if name not in named and isinstance(each, list | dict) else each, to
            )
            for name, each in value.items()
            if isinstance(to := named.get(name, other), Mapping)  # equal names come along
        }
        return {name: each for name, each in fitted.items() if each is not None} or None
    if isinstance(value, list) and kind == "array":
        items = [_fit(item, schema.get("items", {})) for item in value]
        return [item for item in items if item is not None] or None
    if kind == "string" and value is not None and not nested:
        return text(value) or None
    if kind == "boolean" and isinstance(value, str):
        return _BOOLEANS.get(value, value or None)
    return None if value == "" else value


def _write(made: dict[str, Any], path: list[str], value: Any) -> None:
    *above, last = path
    for name in above:
        made = made.setdefault(name, {})
    made[last] = {**made[last], **value} if isinstance(made.get(last), dict) else value
