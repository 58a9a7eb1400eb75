"""Methods: `value.name(arguments)`.

Documented by Adobe are `equals`, `equalsIgnoreCase` and `get` (platform.md section 4.3); `size` and
`empty` are JEXL's. The rest are Java's own of String, Map and List, which JEXL lets an expression
call; that Platform does, too, is our judgement. Of null every method gives null, but those that
compare. Adobe's functions are no methods: what runs here must run there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from app.core.dataprep.functions import FUNCTIONS
from app.core.dataprep.language import operators
from app.core.dataprep.language.operators import comparison
from app.core.dataprep.values import RowFault, Value, as_text, kind_of


def contains(value: Value, part: Value) -> Value:
    """Java's String.contains and List.contains: a text in a text, an item in an array."""
    if value is None:
        return None
    if type(value) is list:
        return any(comparison.same_key(item) == comparison.same_key(part) for item in value)
    return as_text(part) in _text(value)


def contains_key(value: Value, key: Value) -> Value:
    """Java's Map.containsKey."""
    if value is None:
        return None
    if type(value) is dict:
        return key is not None and as_text(key) in value
    raise RowFault(f"{kind_of(value)} where an object is needed")


def is_empty(value: Value) -> Value:
    """Java's isEmpty of String, Map and List."""
    return None if value is None else operators.is_empty(value)


def starts_with(value: Value, beginning: Value) -> Value:
    """Java's String.startsWith."""
    return None if value is None else comparison.starts_with(value, beginning)


def ends_with(value: Value, end: Value) -> Value:
    """Java's String.endsWith."""
    return None if value is None else comparison.ends_with(value, end)


def index_of(value: Value, part: Value) -> Value:
    """Java's String.indexOf: the place of a part, counted from 0, or -1."""
    return None if value is None else _text(value).find(as_text(part))


def length(value: Value) -> Value:
    """Java's String.length, in characters."""
    return None if value is None else len(_text(value))


def _text(value: Value) -> str:
    if isinstance(value, dict | list):
        raise RowFault(f"{kind_of(value)} where a text is needed")
    return as_text(value)


METHODS: Final[Mapping[str, Callable[..., Value]]] = {
    "equals": FUNCTIONS["equals"],
    "equalsIgnoreCase": FUNCTIONS["equalsIgnoreCase"],
    "get": FUNCTIONS["get"],
    "size": operators.size,
    "empty": operators.is_empty,
    "contains": contains,
    "containsKey": contains_key,
    "isEmpty": is_empty,
    "startsWith": starts_with,
    "endsWith": ends_with,
    "indexOf": index_of,
    "length": length,
    "toLowerCase": FUNCTIONS["lower"],
    "toUpperCase": FUNCTIONS["upper"],
    "trim": FUNCTIONS["trim"],
}
