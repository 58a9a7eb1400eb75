"""Object and map functions (platform.md section 4.3). Judgement: null for null throughout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Final

from app.core.dataprep.values import RowFault, Value, as_text, kind_of


def is_empty(value: Value) -> bool:
    """Null, "", {} and [] are empty; an array of nulls only is too."""
    if type(value) is list:
        return all(item is None for item in value)
    return value is None or value == "" or value == {}


def to_object(*pairs: Value) -> dict[str, Value]:
    """An object of keys and values in turn; a null key is left out."""
    if len(pairs) % 2:
        raise RowFault("keys and values must come in pairs")
    names, values = pairs[::2], pairs[1::2]
    return {as_text(n): v for n, v in zip(names, values, strict=True) if n is not None}


def arrays_to_object(*pairs: Value) -> Value:
    """Columns as a list of objects: `("id", [1, 2], "on", [true])` → `[{id,on},{id}]`."""
    if len(pairs) % 2:
        raise RowFault("names and arrays must come in pairs")
    columns = [_array(column) for column in pairs[1::2]]
    names = [as_text(name) for name in pairs[::2]]
    rows = zip_longest(*columns)
    return [{n: v for n, v in zip(names, row, strict=True) if v is not None} for row in rows]


def str_to_object(text: Value, value_mark: Value = ":", field_mark: Value = ",") -> Value:
    """`"a:1,b:2"` → `{"a": "1", "b": "2"}`; a field without a value mark is left out.

    Null or empty delimiters are the default ones (documented for `get_values`).
    """
    if text is None:
        return None
    between, after = as_text(value_mark) or ":", as_text(field_mark) or ","
    fields = (field.partition(between) for field in as_text(text).split(after))
    return {name.strip(): value.strip() for name, mark, value in fields if mark}


def get(value: Value, key: Value) -> Value:
    """`x.get("k")`: a child of an object, an item of an array; null when it is not there."""
    if type(value) is dict:
        return value.get(as_text(key))
    if type(value) is list and type(key) is int and 0 <= key < len(value):
        return value[key]
    return None


def get_keys(value: Value) -> Value:
    """The names of an object's children, in their order."""
    return None if value is None else list(_object(value))


def get_values(text: Value, key: Value, value_mark: Value = ":", field_mark: Value = ",") -> Value:
    """The value of one key of a text like `a:1,b:2`."""
    return get(str_to_object(text, value_mark, field_mark), key)


def object_to_map(*parts: Value) -> Value:
    """A map from key and value pairs, from one object, or from objects by one of their fields."""
    if len(parts) == 1:
        return None if parts[0] is None else dict(_object(parts[0]))
    if len(parts) == 2 and type(parts[0]) is list:
        return array_to_map(*parts)
    return to_object(*parts)


def array_to_map(items: Value, field: Value) -> Value:
    """Objects by the value of one of their fields; those without it are left out."""
    if items is None:
        return None
    objects = [_object(item) for item in _array(items) if item is not None]
    name = as_text(field)
    return {as_text(item[name]): item for item in objects if item.get(name) is not None}


def map_get_values(source: Value, keys: Value) -> Value:
    """The value of a key, or the values of several in the order of the keys, nulls where absent.

    The page speaks of unique values for repeated keys; ours keeps one value a key given, so that
    values stay beside their keys (judgement).
    """
    if source is None or keys is None:
        return None
    if type(keys) is list:
        return [_object(source).get(as_text(key)) for key in keys]
    return _object(source).get(as_text(keys))


def map_has_keys(source: Value, keys: Value) -> bool:
    """Has the map any of the keys (documented)? A null map has none."""
    if source is None:
        return False
    wanted = keys if type(keys) is list else [keys]
    return any(as_text(key) in _object(source) for key in wanted)


def add_to_map(*maps: Value) -> dict[str, Value]:
    """Maps put together; of equal keys the first wins (documented)."""
    merged: dict[str, Value] = {}
    for part in maps:
        for name, value in ({} if part is None else _object(part)).items():
            merged.setdefault(name, value)
    return merged


def _object(value: Value) -> dict[str, Value]:
    if type(value) is not dict:
        raise RowFault(f"{kind_of(value)} where an object is needed")
    return value


def _array(value: Value) -> list[Value]:
    if value is None:
        return []
    if type(value) is not list:
        raise RowFault(f"{kind_of(value)} where an array is needed")
    return value


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "is_empty": is_empty,
    "to_object": to_object,
    "to_map": to_object,
    "arrays_to_object": arrays_to_object,
    # The documentation's own example spells it so.
    "arrays_to_objects": arrays_to_object,
    "str_to_object": str_to_object,
    "get": get,
    "get_keys": get_keys,
    "get_values": get_values,
    "object_to_map": object_to_map,
    "array_to_map": array_to_map,
    "map_get_values": map_get_values,
    "map_has_keys": map_has_keys,
    "add_to_map": add_to_map,
}
