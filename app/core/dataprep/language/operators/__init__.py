"""Operators of the expression language (platform.md section 4.3).

What is whose, in each docstring:
* Adobe documents `+ / ~ - !` by one line and one example each, and only on numbers and booleans
  ("simple arithmetic addition", `~33` is -34, `!x` is `not x`).
* JEXL: Commons JEXL, the language's ancestor; its syntax reference and JexlArithmetic, in the mode
  that JexlOptions calls the sensible default (strict arithmetic).
* Judgement: ours, all through: arithmetic on null gives null, so that an absent field leaves its
  destination out. JEXL makes that an error, which for a row comes to the same but for a warning on
  every event. An empty text counts as null there: XDM has no empty texts (section 2.8), and
  JEXL's 0 would be a number made of nothing.

Bounds, so that no expression eats time or memory: a whole number has at most 300 digits, a text at
most 1,000,000 characters; beyond, and for numbers that are not finite, the row fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from app.core.dataprep.language.operators import arithmetic, comparison
from app.core.dataprep.language.operators.comparison import equal, same_key
from app.core.dataprep.values import MAX_TEXT, RowFault, Value, as_text

__all__ = ["BOOLEAN", "OPERATORS", "UNARY", "child", "distinct", "equal"]


def is_empty(value: Value) -> bool:
    """`empty x`: null, "", `[]`, `{:}` (JEXL); all else is not, 0 and false neither."""
    return value is None or (isinstance(value, str | list | dict) and not value)


def size(value: Value) -> int:
    """`size x`: characters, items or names; 0 for null and what has no size (JEXL)."""
    return len(value) if isinstance(value, str | list | dict) else 0


def child(value: Value, key: Value) -> Value:
    """`a[key]` with a computed key: of an object by its text, of an array by its number from 0.

    JEXL tells `map["7"]` from `map[7]`; JSON has names that are texts only, so here both are the
    same (judgement). Null where there is no such child, as for a path.
    """
    if type(value) is dict:
        return None if key is None else value.get(as_text(key))
    if type(value) is list:
        if type(key) is float and key.is_integer():
            key = int(key)
        if type(key) is int and 0 <= key < len(value):
            return value[key]
    return None


def distinct(*items: Value) -> list[Value]:
    """`{a, b}`: the items without those that are there already; that it keeps its order is ours.

    Objects and arrays are compared by their texts: together up to MAX_TEXT characters of them.
    """
    kept: dict[object, Value] = {}
    left = MAX_TEXT
    for item in items:
        key = same_key(item)
        if isinstance(item, dict | list):
            left -= len(key[1])
            if left < 0:
                raise RowFault(f"a set of objects with over {MAX_TEXT} characters")
        kept.setdefault(key, item)
    return list(kept.values())


OPERATORS: Final[Mapping[str, Callable[[Value, Value], Value]]] = {
    "+": arithmetic.add,
    "-": arithmetic.subtract,
    "*": arithmetic.multiply,
    "/": arithmetic.divide,
    "%": arithmetic.modulo,
    "==": equal,
    "!=": comparison.unequal,
    "<": comparison.ordered(lambda left, right: left < right),
    "<=": comparison.ordered(lambda left, right: left <= right, of_nulls=True),
    ">": comparison.ordered(lambda left, right: left > right),
    ">=": comparison.ordered(lambda left, right: left >= right, of_nulls=True),
    "=~": comparison.matches,
    "!~": lambda left, right: not comparison.matches(left, right),
    "=^": comparison.starts_with,
    "!^": lambda left, right: not comparison.starts_with(left, right),
    "=$": comparison.ends_with,
    "!$": lambda left, right: not comparison.ends_with(left, right),
    "&": arithmetic.bitwise(lambda left, right: left & right),
    "|": arithmetic.bitwise(lambda left, right: left | right),
    "^": arithmetic.bitwise(lambda left, right: left ^ right),
}

UNARY: Final[Mapping[str, Callable[[Value], Value]]] = {
    "-": arithmetic.negate,
    "+": arithmetic.confirm,
    "~": arithmetic.complement,
    "empty": is_empty,
    "size": size,
}

# Operators that always give a boolean: conditions on them need no further reading.
BOOLEAN: Final = frozenset(
    {"==", "!=", "<", "<=", ">", ">=", "=~", "!~", "=^", "!^", "=$", "!$", "and", "or"}
)
