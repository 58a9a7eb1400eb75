"""Map functions (platform.md section 4.3): JSON objects again, with keys that are data.

Null semantics, documented: "a map, or null if input is null". Judgement beyond that: a null map
among several is skipped. Keys of other kinds count as their texts (documented).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from app.core.dataprep.functions.objects import to_object
from app.core.dataprep.values import MAX_ITEMS, RowFault, Value, as_text, kind_of


def to_map(*pairs: Value) -> Value:
    """A map from keys and values in turn; of a single null null (documented)."""
    return None if pairs == (None,) else to_object(*pairs)


def object_to_map(*parts: Value) -> Value:
    """A map from key and value pairs, from one object, or from objects by one of their fields.

    All three are documented. The example of the last writes the field's name without quotes, which
    reads a field of the source; in quotes, as `array_to_map` has it, it works.
    """
    if len(parts) == 1:
        return None if parts[0] is None else dict(_object(parts[0]))
    if len(parts) == 2 and type(parts[0]) is list:
        return array_to_map(*parts)
    return to_object(*parts)


def array_to_map(items: Value, field: Value) -> Value:
    """Objects by the value of one of their fields; those without it are left out (judgement).

    Of equal keys the first wins, which is documented for `add_to_map`.
    """
    if items is None:
        return None
    if field is None:
        raise RowFault("the name of the field is null: write it in quotes")
    if type(items) is not list:
        raise RowFault(f"{kind_of(items)} where an array is needed")
    name, found = as_text(field), dict[str, Value]()
    for item in items:
        if item is not None and (key := _object(item).get(name)) is not None:
            found.setdefault(as_text(key), item)
    return found


def map_get_values(map_: Value, keys: Value) -> Value:
    """The value of a key, or the values of several keys in the order of the keys (documented).

    The page's code sample answers with key and value, its text and the troubleshooting guide's
    `lower(map_get_values(…))` with the value alone; so does this. The text speaks of unique values
    for repeated keys; ours keeps one value a key given, null where there is none, so that values
    stay beside their keys (judgement).
    """
    if map_ is None or keys is None:
        return None
    found = _object(map_)
    if type(keys) is list:
        return [found.get(as_text(key)) for key in keys]
    return found.get(as_text(keys))


def map_has_keys(map_: Value, keys: Value) -> bool:
    """Has the map any of the keys (documented)? A null map has none."""
    if map_ is None or keys is None:
        return False
    wanted = keys if type(keys) is list else [keys]
    return any(as_text(key) in _object(map_) for key in wanted)


def add_to_map(map_: Value, other: Value, *others: Value) -> dict[str, Value]:
    """Maps, at least two (documented), put together; of equal keys the first wins (documented)."""
    merged: dict[str, Value] = {}
    for part in (map_, other, *others):
        for name, value in ({} if part is None else _object(part)).items():
            merged.setdefault(name, value)
        if len(merged) > MAX_ITEMS:
            raise RowFault(f"a map over {MAX_ITEMS} keys")
    return merged


def _object(value: Value) -> dict[str, Value]:
    if type(value) is not dict:
        raise RowFault(f"{kind_of(value)} where an object is needed")
    return value


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "to_map": to_map,
    "object_to_map": object_to_map,
    "array_to_map": array_to_map,
    "map_get_values": map_get_values,
    "map_has_keys": map_has_keys,
    "add_to_map": add_to_map,
}
