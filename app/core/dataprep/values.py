"""What values may be, and how one kind is read as another.

A value is what JSON knows, plus an aware `datetime` between date functions. Nothing here may put
a value of an event into the text of a fault: those texts reach logs.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, Final

import orjson

# JSON-like data of any shape: narrowing it is what this module is for.
Value = Any

# XDM's long, and what a double still tells apart (platform.md section 5.1).
MAX_INTEGER: Final = 2**53

# Adobe's words for booleans (platform.md section 4.4).
TRUE_WORDS: Final = frozenset({"y", "yes", "Y", "YES", "on", "ON", "true", "TRUE"})
FALSE_WORDS: Final = frozenset({"n", "N", "no", "NO", "off", "OFF", "false", "FALSE"})


class RowFault(Exception):
    """One row cannot be computed for one event. The text is ours and names kinds, not values."""


def kind_of(value: Value) -> str:
    """A person's word for the kind of a value."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    names |= {int: "a number", float: "a number", type(None): "null", datetime: "a date"}
    return names.get(type(value), "a value of another kind")


def clean(value: Value) -> Value:
    """A copy without nulls and empties (platform.md section 2.8); None when nothing is left.

    Raises RowFault for what JSON or XDM cannot hold: NaN, infinities, integers over 2^53.
    """
    kind = type(value)
    if kind is str:
        return value or None
    if kind is dict:
        kept = {name: left for name, child in value.items() if (left := clean(child)) is not None}
        return kept or None
    if kind is list:
        return [left for child in value if (left := clean(child)) is not None] or None
    if value is None or kind is bool:
        return value
    return _clean_other(value)


def _clean_other(value: Value) -> Value:
    if isinstance(value, int):
        if -MAX_INTEGER <= value <= MAX_INTEGER:
            return value
        raise RowFault("an integer beyond 2^53, which XDM cannot hold")
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise RowFault("a number that is not finite, which JSON cannot hold")
    if isinstance(value, datetime):
        return show_date(value)
    raise RowFault(f"{kind_of(value)} cannot be written to a record")


def show_date(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: `2021-02-11T17:04:49.000Z`."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def as_text(value: Value) -> str:
    """A value as a string: null is "", booleans `true`/`false`, objects and arrays JSON.

    Judgement: Adobe documents only number to string (platform.md section 4.4).
    """
    if type(value) is str:
        return value
    if value is None:
        return ""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int or type(value) is float:
        return str(value)
    if isinstance(value, datetime):
        return show_date(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def as_number(value: Value) -> int | float:
    """A value as a number: numeric strings count, booleans, null and the rest raise RowFault."""
    if type(value) is int or type(value) is float:
        return value
    if type(value) is str:
        number = _number_in(value)
        if number is not None:
            return number
        raise RowFault("a string that is no number")
    raise RowFault(f"{kind_of(value)} where a number is needed")


# Longer digits are no quantity, and int() of very long ones is slow or refused.
_MAX_DIGITS: Final = 400


def _number_in(text: str) -> int | float | None:
    if len(text) > _MAX_DIGITS or "_" in text:
        return None
    for read in (int, float):
        try:
            number = read(text)
        except (ValueError, OverflowError):
            continue
        return number if isinstance(number, int) or math.isfinite(number) else None
    return None


def as_integer(value: Value) -> int:
    """A value as a whole number; fractions are cut off. Raises RowFault."""
    number = as_number(value)
    if isinstance(number, float) and not math.isfinite(number):
        raise RowFault("a number that is not finite")
    return int(number)


def truthy(value: Value) -> bool:
    """Is a value true in a condition? Null, false, 0, "" and Adobe's words for false are not.

    Judgement: any other string is true, as are objects and arrays that are not empty.
    """
    if type(value) is str:
        return bool(value) and value not in FALSE_WORDS
    return bool(value)
