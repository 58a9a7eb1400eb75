"""Object functions (platform.md section 4.3); maps are in maps.py.

Null semantics: null for null, judgement unless said. No function makes more than 1,000,000 values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Final

from app.core.dataprep.functions.arrays import array_of
from app.core.dataprep.values import RowFault, Value, as_text, kind_of

_MAX_CELLS: Final = 1_000_000


def is_empty(value: Value) -> bool:
    """Null, "", {} and [] are empty; an array of nulls only is too (judgement)."""
    if type(value) is list:
        return all(item is None for item in value)
    return value is None or value == "" or value == {}


def to_object(*pairs: Value) -> dict[str, Value]:
    """An object of keys and values in turn; a null key is left out, the last of equal keys wins."""
    if len(pairs) % 2:
        raise RowFault("keys and values must come in pairs")
    names, values = pairs[::2], pairs[1::2]
    return {as_text(n): v for n, v in zip(names, values, strict=True) if n is not None}


def arrays_to_object(*pairs: Value) -> Value:
    """Columns as a list of objects: `("id", [1, 2], "on", [true])` → `[{id,on},{id}]`.

    A null array has no items; nulls in arrays leave their key out.
    """
    if len(pairs) % 2:
        raise RowFault("names and arrays must come in pairs")
    columns = [array_of(column) for column in pairs[1::2]]
    if max(map(len, columns), default=0) * len(columns) > _MAX_CELLS:
        raise RowFault(f"arrays that come to over {_MAX_CELLS} values")
    names = [as_text(name) for name in pairs[::2]]
    rows = zip_longest(*columns)
    return [{n: v for n, v in zip(names, row, strict=True) if v is not None} for row in rows]


def str_to_object(text: Value, value_mark: Value = ":", field_mark: Value = ",") -> Value:
    """`"a:1,b:2"` → `{"a": "1", "b": "2"}`.

    Null or empty delimiters are the default ones (documented at `get_values`). Judgement: blanks
    around names and values go; a field without a value mark or a name is left out; the value
    begins behind the first mark.
    """
    if text is None:
        return None
    between, after = as_text(value_mark) or ":", as_text(field_mark) or ","
    fields = (field.partition(between) for field in as_text(text).split(after))
    return {name.strip(): value.strip() for name, mark, value in fields if mark and name.strip()}


def get(value: Value, key: Value) -> Value:
    """`x.get("k")`: a child of an object, an item of an array; null when it is not there."""
    if type(value) is dict:
        return value.get(as_text(key))
    if type(value) is list and type(key) is int and 0 <= key < len(value):
        return value[key]
    return None


def get_keys(value: Value) -> Value:
    """The names of an object's children, in their order."""
    if value is None:
        return None
    if type(value) is not dict:
        raise RowFault(f"{kind_of(value)} where an object is needed")
    return list(value)


def get_values(text: Value, key: Value, value_mark: Value = ":", field_mark: Value = ",") -> Value:
    """The value of one key of a text like `a:1,b:2`; null when the key is not there."""
    return get(str_to_object(text, value_mark, field_mark), key)


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "is_empty": is_empty,
    "to_object": to_object,
    "arrays_to_object": arrays_to_object,
    # The documentation's own example spells it so.
    "arrays_to_objects": arrays_to_object,
    "str_to_object": str_to_object,
    "get": get,
    "get_keys": get_keys,
    "get_values": get_values,
}
