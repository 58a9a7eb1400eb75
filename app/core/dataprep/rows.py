"""The rows of a mapping set, in Adobe's current spelling and in its older one (section 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.core.dataprep.values import Value, kind_of
from app.core.dataprep.variables import VariableInvalid, fill

# The older spelling of stored sets (platform.md section 4.1).
_KINDS: Final = {
    "ATTRIBUTE": "ATTRIBUTE",
    "EXPRESSION": "EXPRESSION",
    "STATIC": "STATIC",
    "text/x.schema-path": "ATTRIBUTE",
    "text/x.aep-xl": "EXPRESSION",
}

MAX_ROWS: Final = 2_000


class RowInvalid(ValueError):
    """The document has no rows to read."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, its variables filled in. `number` counts from 1, as people do."""

    number: int
    kind: str
    source: str | int | float | bool
    destination: str

    def __str__(self) -> str:
        return f"#{self.number} {self.kind} {str(self.source)[:200]} -> {self.destination}"


def read_rows(
    document: Mapping[str, Value], variables: Mapping[str, str]
) -> tuple[list[Row], list[tuple[int, str]]]:
    """The readable rows, and the faults of the others as (row number, text).

    Raises RowInvalid when there is no list of rows.
    """
    mappings = document.get("mappings") if isinstance(document, Mapping) else None
    if not isinstance(mappings, list) or not mappings:
        raise RowInvalid("the set has no list of rows under `mappings`")
    if len(mappings) > MAX_ROWS:
        raise RowInvalid(f"the set has over {MAX_ROWS} rows")
    rows: list[Row] = []
    faults: list[tuple[int, str]] = []
    for number, entry in enumerate(mappings, 1):
        try:
            rows.append(_row(number, entry, variables))
        except RowInvalid as fault:
            faults.append((number, f"#{number}: {fault}"))
    return rows, faults


def _row(number: int, entry: Value, variables: Mapping[str, str]) -> Row:
    if not isinstance(entry, dict):
        raise RowInvalid(f"the row is {kind_of(entry)}, not an object")
    source = entry.get("source", entry.get("sourceAttribute"))
    destination = entry.get("destination", entry.get("destinationXdmPath"))
    written = entry.get("sourceType", "ATTRIBUTE" if "sourceAttribute" in entry else None)
    kind = _KINDS.get(written) if isinstance(written, str) else None
    if kind is None:
        raise RowInvalid("sourceType is none of ATTRIBUTE, EXPRESSION, STATIC")
    if not isinstance(destination, str) or not destination:
        raise RowInvalid("destination is missing")
    if not (isinstance(source, str) or (kind == "STATIC" and isinstance(source, int | float))):
        raise RowInvalid("source is missing")
    try:
        source = fill(source, variables) if isinstance(source, str) else source
        return Row(number, kind, source, fill(destination, variables))
    except VariableInvalid as fault:
        raise RowInvalid(str(fault)) from None
