"""Conversions (platform.md section 4.3).

Judgement: null and "" give null; other text that is no number is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import orjson

from app.core.dataprep.values import RowFault, Value, as_integer, as_number, kind_of


def to_integer(text: Value) -> Value:
    """A whole number; fractions are cut off."""
    return None if text is None or text == "" else as_integer(text)


def to_bigint(text: Value) -> Value:
    """A number of any size; the documented example keeps its fraction (`1000000.34`)."""
    return None if text is None or text == "" else as_number(text)


def to_decimal(text: Value) -> Value:
    """A double."""
    if text is None or text == "":
        return None
    try:
        return float(as_number(text))
    except OverflowError:
        raise RowFault("a number too large for a double") from None


def json_to_object(text: Value) -> Value:
    """The value written in a JSON text. What is not JSON is a fault; null gives null.

    An object is taken as it is: the documented example has one.
    """
    if text is None:
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
    "to_float": to_decimal,
    "json_to_object": json_to_object,
}
