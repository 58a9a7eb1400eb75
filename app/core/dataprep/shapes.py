"""What the target schema wants at each path, and how a value is brought to it.

The table is path → XDM type: `_acme.customerio.recipients` array, `….recipients[*]` object,
`….recipients[*].device_id` string; of a map `identityMap` map and `identityMap.*` its values'
type. Coercion is Adobe's (platform.md section 4.4, help/data-prep/data-handling.md): text to
boolean, text to date, number to text. Judgement, after the same page's spirit: whole numbers in
texts or doubles to integers, numbers in texts to doubles, dates to the form the place wants.

What cannot be brought to its type stays as it is, for the schema check to name: Platform counts
an XDM type mismatch as an error of the record, not as a warning (monitor-streaming.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from app.core.dataprep.functions.dates import date
from app.core.dataprep.language.paths import PathInvalid, parse_path
from app.core.dataprep.language.syntax import Step
from app.core.dataprep.problems import did_you_mean, one_line
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
_FULL_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

Fit = Callable[[Value], Value]

_WHOLE: Final = frozenset({"integer", "long", "int", "short", "byte"})

# XDM's types (platform.md section 5.1), by the names of the registry and of its pages; "" is
# a place without one.
TYPES: Final = _WHOLE | frozenset(
    {
        "", "string", "number", "double", "float", "boolean", "date", "date-time", "object",
        "array", "map",
    }
)  # fmt: skip

# Spellings of Platform's pages and of JSON Schema that mean one of them.
_SPELLINGS: Final = {"datetime": "date-time", "decimal": "number", "text": "string"}

# Any name: the step that stands for the keys of a map.
ANY: Final = "*"


class TypesInvalid(ValueError):
    """A table of types that cannot be read. `faults`: one line each."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


class Shape:
    """What the schema knows of one place."""

    __slots__ = ("children", "items", "type")

    def __init__(self, kind: str = "") -> None:
        self.type = kind
        self.children: dict[str, Shape] = {}
        self.items: Shape | None = None

    def at(self, steps: tuple[Step, ...]) -> Shape | None:
        """The shape at a path below; None where the schema knows none."""
        shape: Shape | None = self
        for step in steps:
            if shape is None:
                return None
            shape = shape.step(step)
        return shape

    def step(self, step: Step) -> Shape | None:
        """The shape one step below."""
        if isinstance(step, str):
            return self.children.get(step) or self.children.get(ANY)
        return self.items

    @property
    def is_open(self) -> bool:
        """Does the schema say nothing of what lies below, though something may?"""
        return not self.children and self.items is None and self.type in ("", "object", "map")


def shape_of(types: Mapping[str, str]) -> Shape:
    """The tree of a table of types. Raises TypesInvalid with all faults."""
    root = Shape("object")
    faults: list[str] = []
    for path, kind in types.items():
        known = _known_type(kind)
        if known is None:
            faults.append(f"types: {one_line(path, 80)}: {_no_type(kind)}")
            continue
        try:
            _grow(root, parse_path(path)).type = known
        except PathInvalid as fault:
            faults.append(f"types: {one_line(path, 80)!r} is no path: {fault}")
    if faults:
        raise TypesInvalid(faults)
    return root


def _grow(root: Shape, steps: tuple[Step, ...]) -> Shape:
    shape = root
    for step in steps:
        if isinstance(step, str):
            shape = shape.children.setdefault(step, Shape())
        else:
            shape.items = shape.items or Shape()
            shape = shape.items
    return shape


def _known_type(kind: object) -> str | None:
    if not isinstance(kind, str):
        return None
    lower = kind.lower()
    lower = _SPELLINGS.get(lower, lower)
    return lower if lower in TYPES else None


def _no_type(kind: object) -> str:
    if not isinstance(kind, str):
        return "its type is no text"
    hint = did_you_mean(kind, TYPES)
    return f"{one_line(kind, 40)!r} is no XDM type{hint or f': {_all_types()}'}"


def _all_types() -> str:
    return "there are " + ", ".join(sorted(TYPES - {""}))


def fit_for(shape: Shape | None) -> Fit:
    """The function that brings a value to a shape; it gives None when nothing is left."""
    if shape is None:
        return clean
    if ANY in shape.children:
        return _map_fit(shape)
    if shape.children:
        return _object_fit({name: fit_for(child) for name, child in shape.children.items()})
    if shape.items is not None:
        return _array_fit(fit_for(shape.items))
    if shape.type in _WHOLE:
        return _whole
    return _FITS.get(shape.type, clean)


def nesting_fit(shape: Shape, name: str) -> Fit:
    """For a loop onto an object: a value that is none goes under the name it had.

    The documented sample (help/data-prep/mapping-set.md) maps `emails[*].name` onto `pi[*].names`
    and shows `{"names": {"name": "John Smith"}}`, which contradicts every other sample of the page
    unless `names` is an object with a `name` of its own. Judgement: so it is where the schema says
    so; else the value goes in as it is (section 4.2).
    """
    fit = fit_for(shape)
    return lambda value: fit(value if value is None or type(value) is dict else {name: value})


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


def _map_fit(shape: Shape) -> Fit:
    """Every key comes along, its value in the one type that the map's values have.

    Judgement: in a map of texts an object or array goes as its JSON, for a map holds what has no
    field of its own, and its values can be nothing else.
    """
    named = {name: fit_for(child) for name, child in shape.children.items()}
    other = named.pop(ANY)
    other = _any_text if other is _text else other

    def fit(value: Value) -> Value:
        if type(value) is not dict:
            return clean(value)
        kept = {}
        for name, child in value.items():
            if (left := named.get(name, other)(child)) is not None:
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


def _any_text(value: Value) -> Value:
    if type(value) is str:
        return value or None
    left = clean(value) if isinstance(value, dict | list) else value
    return as_text(left) or None


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
    found = _date_in(value)
    return show_date(found) if found is not None else value or None


def _day(value: Value) -> Value:
    """A full date; of a moment its day, in its own time zone (judgement)."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if type(value) is not str:
        return clean(value)
    if _FULL_DATE.fullmatch(value):
        return value
    if _RFC_3339.fullmatch(value):
        return value[:10]
    found = _date_in(value)
    return found.date().isoformat() if found is not None else value or None


def _date_in(text: str) -> datetime | None:
    """A text read with the default patterns, in their order (section 4.4)."""
    try:
        found = date(text)
    except RowFault:
        return None
    return found if isinstance(found, datetime) else None


_FITS: Final[Mapping[str, Fit]] = {
    "string": _text,
    "number": _number,
    "double": _number,
    "float": _number,
    "boolean": _boolean,
    "date": _day,
    "date-time": _moment,
}
