"""Flow Service's `property=` filters and `orderby=` (platform.md sections 1.10 and 6.1). Pure.

Codes beyond the reference's are of the page it cites, flow-service-errors.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

_FORM: Final = re.compile(r"([A-Za-z_][\w.\[\]]*)\s*(==|!=|>=|<=|>|<)(.*)", re.ASCII | re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z_][\w.\[\]]*", re.ASCII)


class BadFilter(Exception):
    """A filter or an order that Flow Service does not take."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Filter:
    """`path`: dotted, `[]` behind an array's name. `operator` "": the property must be there."""

    path: str
    operator: str
    values: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Filter:
        """Raises BadFilter."""
        found = _FORM.fullmatch(text.strip())
        if found is None:
            if _NAME.fullmatch(text.strip()):
                return cls(text.strip(), "", ())
            raise BadFilter("1450-400", f"Invalid operator in filter params: {text}")
        path, operator, wanted = found.groups()
        values = tuple(value.strip() for value in wanted.split(","))
        if not all(values):
            raise BadFilter("1453-400", f"Invalid query value {text} provided in query param.")
        if operator in (">", "<", ">=", "<="):
            if len(values) > 1:
                text = f"Operator '{operator}' is not allowed for multiple values."
                raise BadFilter("1443-400", text)
            if _number(values[0]) is None:
                raise BadFilter("1452-400", f"Invalid value {values[0]} for field {path}.")
        return cls(path, operator, values)

    def takes(self, item: dict[str, Any]) -> bool:
        """Whether `item` has a value at the path for which the filter holds."""
        found = list(values_at(item, self.path))
        if self.operator == "!=":
            return not any(self._equals(value) for value in found)
        if self.operator == "":
            return bool(found)
        return any(self._holds(value) for value in found)

    def _holds(self, value: Any) -> bool:
        if self.operator == "==":
            return self._equals(value)
        wanted = _number(self.values[0])
        if wanted is None or isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return {
            ">": value > wanted,
            "<": value < wanted,
            ">=": value >= wanted,
            "<=": value <= wanted,
        }[self.operator]

    def _equals(self, value: Any) -> bool:
        """The page's own example asks for `status==Failed` where answers say `failed`."""
        return str(value).casefold() in [wanted.casefold() for wanted in self.values]


def values_at(item: Any, path: str) -> Iterator[Any]:
    """Every value that `path` leads to."""
    name, _, rest = path.partition(".")
    in_array = name.endswith("[]")
    if not isinstance(item, dict) or name.removesuffix("[]") not in item:
        return
    value = item[name.removesuffix("[]")]
    for below in value if in_array and isinstance(value, list) else [value]:
        if rest:
            yield from values_at(below, rest)
        else:
            yield below


def ordered(items: Sequence[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    """`items` by the property that `order` names: `name` or `+name` up, `-name` down."""
    # A plus sign in a query is a blank.
    path = order.lstrip(" +-")
    if _NAME.fullmatch(path) is None:
        raise BadFilter("1433-400", f"Incorrect field= {order} passed in orderBy")

    def place(item: dict[str, Any]) -> tuple[bool, str, Any]:
        value = next(values_at(item, path), None)
        return value is not None, type(value).__name__, value

    try:
        return sorted(items, key=place, reverse=order.startswith("-"))
    except TypeError:
        raise BadFilter("1433-400", f"Incorrect field= {order} passed in orderBy") from None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
