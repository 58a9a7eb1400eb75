"""Array and aggregate functions (platform.md section 4.3).

Null semantics, judgement unless said: nulls inside arrays stay until the record is made; what a
null array gives is told at each. No array is over 100,000 items long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from app.core.dataprep.values import MAX_ITEMS, RowFault, Value, as_number, kind_of, truthy


def first(*items: Value) -> Value:
    """The first argument; of one array its first item; null when there is none (documented)."""
    found = _items(items)
    return found[0] if found else None


def last(*items: Value) -> Value:
    """The last argument; of one array its last item; null when there is none."""
    found = _items(items)
    return found[-1] if found else None


def add_to_array(array: Value, *items: Value) -> Value:
    """A new array with the items at its end; a null array counts as an empty one."""
    return _counted([*array_of(array), *items])


def join_arrays(array: Value, *arrays: Value) -> Value:
    """Arrays one after the other; a null array counts as an empty one."""
    joined = list(array_of(array))
    for part in arrays:
        joined += array_of(part)
        _counted(joined)
    return joined


def to_array(include_nulls: Value, *items: Value) -> list[Value]:
    """An array of the items, with or without the nulls among them (documented)."""
    if truthy(include_nulls):
        return list(items)
    return [item for item in items if item is not None]


def size_of(value: Value) -> int:
    """The number of items, children or characters; null has none and gives 0 (judgement)."""
    if value is None:
        return 0
    if isinstance(value, list | dict | str):
        return len(value)
    raise RowFault(f"{kind_of(value)} has no size")


def smallest(item: Value, *items: Value) -> Value:
    """`min`: the smallest by natural order (documented), of the arguments or of one array.

    Judgement: nulls are skipped; texts are compared as texts and dates as dates when there is
    nothing else, all other as numbers.
    """
    return min(_comparable((item, *items)), default=None)


def largest(item: Value, *items: Value) -> Value:
    """`max`: the largest, else as `min`."""
    return max(_comparable((item, *items)), default=None)


def as_it_is(array: Value, _index: Value = None) -> Value:
    """`upsert_array_append` and `upsert_array_replace`: outside updates the input (documented)."""
    return array


def _comparable(items: tuple[Value, ...]) -> list[Value]:
    present = [item for item in _items(items) if item is not None]
    for kind in (str, datetime):
        if all(isinstance(item, kind) for item in present):
            return present
    return [as_number(item) for item in present]


def _items(items: tuple[Value, ...]) -> tuple[Value, ...] | list[Value]:
    if len(items) == 1 and type(items[0]) is list:
        return items[0]
    return items


def array_of(value: Value) -> list[Value]:
    """The array; an empty one for null. Raises RowFault for anything else."""
    if value is None:
        return []
    if type(value) is not list:
        raise RowFault(f"{kind_of(value)} where an array is needed")
    return value


def _counted(items: list[Value]) -> list[Value]:
    if len(items) > MAX_ITEMS:
        raise RowFault(f"an array over {MAX_ITEMS} items")
    return items


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "first": first,
    "last": last,
    "add_to_array": add_to_array,
    "join_arrays": join_arrays,
    "to_array": to_array,
    "size_of": size_of,
    "min": smallest,
    "max": largest,
    "upsert_array_append": as_it_is,
    "upsert_array_replace": as_it_is,
}
