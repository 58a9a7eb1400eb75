"""The rows of a mapping set, in Adobe's current spelling and in its older one (section 4.1).

    current  sourceType ATTRIBUTE | EXPRESSION | STATIC, source, destination
    older    sourceType text/x.schema-path | text/x.aep-xl, sourceAttribute, destinationXdmPath

Stored sets come back with both, and with keys that say nothing about the mapping (ids, dates,
matchScore): those are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.core.dataprep.language.paths import PathInvalid, parse_path
from app.core.dataprep.language.syntax import Step
from app.core.dataprep.problems import Place, Problem, did_you_mean, one_line
from app.core.dataprep.values import Value, kind_of
from app.core.dataprep.variables import VariableInvalid, fill, written_column

ATTRIBUTE: Final = "ATTRIBUTE"
EXPRESSION: Final = "EXPRESSION"
STATIC: Final = "STATIC"

# Judgement: `text/plain`, which only destinations document, is the older spelling of a constant.
_KINDS: Final = {
    ATTRIBUTE: ATTRIBUTE,
    EXPRESSION: EXPRESSION,
    STATIC: STATIC,
    "text/x.schema-path": ATTRIBUTE,
    "text/x.aep-xl": EXPRESSION,
    "text/plain": STATIC,
}

SOURCE_KEYS: Final = ("source", "sourceAttribute")
DESTINATION_KEYS: Final = ("destination", "destinationXdmPath")

# What else Adobe writes into a row (platform.md section 4.1, API:data-prep).
OTHER_KEYS: Final = frozenset(
    {
        "sourceType", "id", "version", "name", "description", "functionVersion",
        "expressionAttributes", "createdBy", "createdDate", "modifiedBy", "modifiedDate",
        "identity", "primaryIdentity", "identityGroup", "namespaceCode", "matchScore",
        "copyModeMapping",
    }
)  # fmt: skip

MAX_ROWS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row, its variables filled in. `number` counts from 1, as people do."""

    number: int
    kind: str
    source: str | int | float | bool
    destination: str
    written: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __str__(self) -> str:
        source = one_line(str(self.source), 200)
        return f"#{self.number} {self.kind} {source} -> {one_line(self.destination, 200)}"

    def problem(self, place: Place, message: str, column: int | None = None) -> Problem:
        """A fault of this row; `column` counts in the filled text."""
        text = self.written.get(place, "")
        if column is not None:
            column = written_column(text, self.variables, column)
        return Problem(self.number, place, column, message, text, str(self))


class _RowInvalid(ValueError):
    def __init__(self, place: Place, message: str, text: str = "", column: int | None = None):
        self.place: Place = place
        self.text = text
        self.column = column
        super().__init__(message)


def read_rows(
    mappings: list[Value], variables: Mapping[str, str]
) -> tuple[list[Row], list[Problem]]:
    """The readable rows, and the faults of the others."""
    rows: list[Row] = []
    problems: list[Problem] = []
    for number, entry in enumerate(mappings, 1):
        try:
            rows.append(_row(number, entry, variables))
        except _RowInvalid as fault:
            label = f"#{number}"
            problems.append(
                Problem(number, fault.place, fault.column, str(fault), fault.text, label)
            )
    return rows, problems


def kind_in(entry: Mapping[str, Value]) -> str | None:
    """ATTRIBUTE, EXPRESSION or STATIC, as either spelling says; None when neither does."""
    written = entry.get("sourceType")
    if written is None and entry.get("sourceAttribute") is not None:
        return ATTRIBUTE
    return _KINDS.get(written) if isinstance(written, str) else None


def either(entry: Mapping[str, Value], keys: tuple[str, str]) -> Value:
    """What stands under the current key, else under the older one."""
    current = entry.get(keys[0])
    return entry.get(keys[1]) if current is None else current


def step_column(text: str, position: int) -> int:
    """Where the step of that position (from 0) begins in the text of a path; from 1."""
    if position == 0:
        return 1
    above = parse_path(text)[:position]
    ends = (end for end in range(len(text), 0, -1) if _path_in(text[:end]) == above)
    end = next(ends, 0)
    return end + (2 if text[end : end + 1] == "." else 1)


def _path_in(text: str) -> tuple[Step, ...]:
    try:
        return parse_path(text)
    except PathInvalid:
        return ()


def _row(number: int, entry: Value, variables: Mapping[str, str]) -> Row:
    if not isinstance(entry, dict):
        raise _RowInvalid("row", f"the row is {kind_of(entry)}, not an object")
    kind = kind_in(entry)
    if kind is None:
        raise _RowInvalid("row", _no_kind(entry))
    source, destination = either(entry, SOURCE_KEYS), either(entry, DESTINATION_KEYS)
    if not isinstance(destination, str) or not destination:
        raise _RowInvalid("destination", _missing(entry, DESTINATION_KEYS, destination))
    if not isinstance(source, str) and (kind != STATIC or not isinstance(source, int | float)):
        raise _RowInvalid("source", _missing(entry, SOURCE_KEYS, source))
    written = {"destination": destination}
    if isinstance(source, str):
        written["source"] = source
        source = _filled("source", source, variables)
    target = _filled("destination", destination, variables)
    return Row(number, kind, source, target, written, variables)


def _filled(place: Place, text: str, variables: Mapping[str, str]) -> str:
    try:
        return fill(text, variables)
    except VariableInvalid as fault:
        raise _RowInvalid(place, str(fault), text, fault.column) from None


def _no_kind(entry: dict[str, Any]) -> str:
    written = entry.get("sourceType")
    if written is None:
        return "sourceType is missing" + _misspelt(entry, ("sourceType",))
    if not isinstance(written, str):
        return f"sourceType is {kind_of(written)}, not ATTRIBUTE, EXPRESSION or STATIC"
    hint = did_you_mean(written, _KINDS)
    return f"sourceType is none of ATTRIBUTE, EXPRESSION, STATIC{hint}"


def _missing(entry: dict[str, Any], keys: tuple[str, str], found: Value) -> str:
    if found is None:
        return f"{keys[0]} is missing" + _misspelt(entry, keys)
    if found == "":
        return f"{keys[0]} is empty"
    return f"{keys[0]} is {kind_of(found)}, not a text"


def _misspelt(entry: dict[str, Any], keys: tuple[str, ...]) -> str:
    """A key that Adobe does not know and that looks like the wanted one."""
    for written in entry:
        if written not in OTHER_KEYS and written not in (*SOURCE_KEYS, *DESTINATION_KEYS):
            hint = did_you_mean(written, keys)
            if hint:
                return f", but there is {one_line(written, 40)}{hint}"
    return ""
