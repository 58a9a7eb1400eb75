"""Conversions and JSON (platform.md section 4.3).

Null semantics, judgement: null and "" give null; other text that is no number is a fault.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from typing import Final

import orjson

from app.core.dataprep.values import RowFault, Value, as_integer, as_number, kind_of


def to_integer(text: Value) -> int | None:
    """A whole number; fractions are cut off, and there is no end at 2^31 (judgement)."""
    return None if text is None or text == "" else as_integer(text)


def to_bigint(text: Value) -> int | float | None:
    """A number of any size; the documented example keeps its fraction (`1000000.34`)."""
    return None if text is None or text == "" else as_number(text)


def to_decimal(text: Value) -> float | None:
    """A double (documented)."""
    if text is None or text == "":
        return None
    try:
        return float(as_number(text))
    except OverflowError:
        raise RowFault("a number too large for a double") from None


def to_float(text: Value) -> float | None:
    """A number with the precision of Java's float (documented), in its shortest digits.

    The page's own example turns "12.3456" into 12.34566, which no float does; it is 12.3456.
    """
    number = to_decimal(text)
    if number is None:
        return None
    single = _single(number)
    if math.isinf(single) and not math.isinf(number):
        raise RowFault("a number too large for a float")
    # Nine digits tell any two floats apart.
    shown = (float(f"{single:.{digits}g}") for digits in range(1, 9))
    return next((found for found in shown if _single(found) == single), single)


_FLOAT: Final = struct.Struct("<f")


def _single(number: float) -> float:
    """The nearest of Java's floats; infinity for what is too large."""
    try:
        single: float = _FLOAT.unpack(_FLOAT.pack(number))[0]
    except OverflowError:
        return math.inf
    return single


def json_to_object(text: Value) -> Value:
    """The value written in a JSON text. What is not JSON is a fault.

    An object is taken as it is: the documented example has one.
    """
    if text is None or text == "":
        return None
    if isinstance(text, dict | list):
        return text
    if type(text) is not str:
        raise RowFault(f"{kind_of(text)} where a JSON text is needed")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise RowFault("the text is not JSON") from None


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "to_bigint": to_bigint,
    "to_integer": to_integer,
    "to_decimal": to_decimal,
    "to_float": to_float,
    "json_to_object": json_to_object,
}
