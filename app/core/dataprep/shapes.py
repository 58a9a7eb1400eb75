"""What the target schema wants at each path, and how a value is brought to it.

The table is path → XDM type: `_acme.customerio.recipients` array, `….recipients[*]` object,
`….recipients[*].device_id` string. Coercion is Adobe's (platform.md section 4.4); what cannot be
brought to its type stays as it is, for the schema check to name: Platform counts it as an error of
the record, not as a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from app.core.dataprep.functions.dates import date
from app.core.dataprep.language.paths import parse_path
from app.core.dataprep.language.syntax import Step
from app.core.dataprep.values import (
    FALSE_WORDS,
    TRUE_WORDS,
    RowFault,
    Value,
    as_number,
    as_text,
    clean,
    show_date,
)

# The forms that Platform takes (platform.md section 2.4): they go through as they are.
RFC_3339: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)"
_RFC_3339: Final = re.compile(RFC_3339, re.ASCII)

Fit = Callable[[Value], Value]

_WHOLE: Final = frozenset({"integer", "long", "int", "short", "byte"})


class Shape:
    """What the schema knows of one place."""

    __slots__ = ("children", "items", "type")

    def __init__(self) -> None:
        self.type = ""
        self.children: dict[str, Shape] = {}
        self.items: Shape | None = None

    def at(self, steps: tuple[Step, ...]) -> Shape | None:
        """The shape at a path below; None where the schema knows none."""
        shape: Shape | None = self
        for step in steps:
            if shape is None:
                return None
            shape = shape.children.get(step) if isinstance(step, str) else shape.items
        return shape


def shape_of(types: Mapping[str, str]) -> Shape:
    """The tree of a table of types. Raises PathInvalid for a key that is no path."""
    root = Shape()
    for path, kind in types.items():
        shape = root
        for step in parse_path(path):
            if isinstance(step, str):
                shape = shape.children.setdefault(step, Shape())
            else:
                shape.items = shape.items or Shape()
                shape = shape.items
        shape.type = kind
    return root


def fit_for(shape: Shape | None) -> Fit:
    """The function that brings a value to a shape; it gives None when nothing is left."""
    if shape is None:
        return clean
    if shape.children:
        return _object_fit({name: fit_for(child) for name, child in shape.children.items()})
    if shape.items is not None:
        return _array_fit(fit_for(shape.items))
    if shape.type in _WHOLE:
        return _whole
    return _FITS.get(shape.type, clean)


def _object_fit(fits: dict[str, Fit]) -> Fit:
    """Children with equal names come along, others do not (platform.md section 4.2)."""

    def fit(value: Value) -> Value:
        if type(value) is not dict:
            return clean(value)
        kept = {}
        for name, child in value.items():
            known = fits.get(name)
            if known is not None and (left := known(child)) is not None:
                kept[name] = left
        return kept or None

    return fit


def _array_fit(fits: Fit) -> Fit:
    def fit(value: Value) -> Value:
        if type(value) is not list:
            return clean(value)
        return [left for item in value if (left := fits(item)) is not None] or None

    return fit


def _text(value: Value) -> Value:
    if type(value) is str:
        return value or None
    if isinstance(value, dict | list):
        return clean(value)
    return as_text(value) or None


def _whole(value: Value) -> Value:
    number = _read(value)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    return clean(number)


def _number(value: Value) -> Value:
    return clean(_read(value))


def _read(value: Value) -> Value:
    if type(value) is not str:
        return value
    try:
        return as_number(value)
    except RowFault:
        return value


def _boolean(value: Value) -> Value:
    if value is True or value is False:
        return value
    if type(value) is str:
        if value in TRUE_WORDS:
            return True
        if value in FALSE_WORDS:
            return False
    return clean(value)


def _moment(value: Value) -> Value:
    if type(value) is not str:
        return clean(value)
    if _RFC_3339.fullmatch(value):
        return value
    try:
        found = date(value)
    except RowFault:
        return value or None
    return show_date(found) if isinstance(found, datetime) else None


_FITS: Final[Mapping[str, Fit]] = {
    "string": _text,
    "number": _number,
    "double": _number,
    "boolean": _boolean,
    "date-time": _moment,
}
