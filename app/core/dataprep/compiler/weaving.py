"""Putting rows together that write into one another: loops, and objects copied as a whole.

Each row gives a column: a value, or for `[*]` a list with one item an element. `weave` lays them
on top of each other, the row of a whole object or array first.
"""

from __future__ import annotations

from typing import Any, Final

from app.core.dataprep.language.syntax import Each, Step
from app.core.dataprep.shapes import Fit
from app.core.dataprep.values import RowFault, Value, clean


class Same:
    """A constant under `[*]`: the same in every element that other rows make."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value


# One row's place below the place that is woven, `[*]` among the steps.
Steps = tuple[Step, ...]


def column(value: Value, fit: Fit, depth: int) -> Value:
    """A row's value for `depth` loops, each item brought to the shape of its place.

    Raises RowFault where no array is, and what `fit` raises.
    """
    if depth == 0:
        return fit(value)
    if value is None:
        return None
    if type(value) is not list:
        raise RowFault("a loop needs an array at its source")
    return [column(item, fit, depth - 1) for item in value]


def weave(places: tuple[Steps, ...], columns: tuple[Value, ...]) -> Value:
    """All columns in one value, without nulls and empties; None when nothing is left."""
    holder: Value = None
    for steps, value in zip(places, columns, strict=True):
        if value is not None:
            holder = _put(holder, steps, value)
    return clean(holder)


def _put(holder: Value, steps: Steps, value: Value) -> Value:
    """The holder with a value at a path in it; a holder of another kind stays as it is.

    That is a mismatch which a whole object brought along, and the schema check names it.
    """
    if value is None:
        return holder
    if not steps:
        return value.value if type(value) is Same else value
    step = steps[0]
    if isinstance(step, str):
        return _put_member(holder, step, steps[1:], value)
    if holder is None:
        holder = []
    if type(holder) is list:
        if isinstance(step, Each):
            _put_elements(holder, steps[1:], value)
        else:
            _grow(holder, step + 1)
            holder[step] = _put(holder[step], steps[1:], value)
    return holder


def _put_member(holder: Value, name: str, rest: Steps, value: Value) -> Value:
    if holder is None:
        holder = {}
    if type(holder) is dict:
        holder[name] = _put(holder.get(name), rest, value)
    return holder


def _put_elements(holder: list[Any], rest: Steps, value: Value) -> None:
    if type(value) is Same:
        for index, element in enumerate(holder):
            if element is not None:
                holder[index] = _put(element, rest, value)
        return
    _grow(holder, len(value))
    for index, item in enumerate(value):
        holder[index] = _put(holder[index], rest, item)


def _grow(holder: list[Any], size: int) -> None:
    holder.extend([None] * (size - len(holder)))


BOUND: Final[dict[str, Any]] = {"COLUMN": column, "WEAVE": weave}
