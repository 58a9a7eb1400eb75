"""Operators of the expression language (platform.md section 4.3; Commons JEXL is the ancestor).

Documented are only the symbols. Judgement, all through: arithmetic on null gives null, so that an
absent field leaves its destination out rather than writing a number made of nothing; comparing
with null is false but for `==` and `!=`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from app.core.dataprep.values import RowFault, Value, as_integer, as_number, as_text


def add(left: Value, right: Value) -> Value:
    """Sum of numbers; text put together when either side is a string. Null with anything: null."""
    if left is None or right is None:
        return None
    if type(left) is str or type(right) is str:
        return as_text(left) + as_text(right)
    return as_number(left) + as_number(right)


def subtract(left: Value, right: Value) -> Value:
    """Difference of numbers or numeric strings."""
    if left is None or right is None:
        return None
    return as_number(left) - as_number(right)


def multiply(left: Value, right: Value) -> Value:
    """Product of numbers or numeric strings."""
    if type(left) is int and type(right) is int:
        return left * right
    if left is None or right is None:
        return None
    return as_number(left) * as_number(right)


def divide(left: Value, right: Value) -> Value:
    """Quotient; of two whole numbers it is whole, cut toward zero (JEXL, Java). By zero: fault."""
    if left is None or right is None:
        return None
    upper, lower = as_number(left), as_number(right)
    if lower == 0:
        raise RowFault("division by zero")
    if isinstance(upper, int) and isinstance(lower, int):
        whole = abs(upper) // abs(lower)
        return whole if (upper < 0) == (lower < 0) else -whole
    return upper / lower


def modulo(left: Value, right: Value) -> Value:
    """Remainder with the sign of the left side (Java). By zero: fault."""
    if left is None or right is None:
        return None
    upper, lower = as_number(left), as_number(right)
    if lower == 0:
        raise RowFault("division by zero")
    if isinstance(upper, int) and isinstance(lower, int):
        rest = abs(upper) % abs(lower)
        return rest if upper >= 0 else -rest
    return math.fmod(upper, lower)


def negate(operand: Value) -> Value:
    """`-x`; of null null."""
    return None if operand is None else -as_number(operand)


def equal(left: Value, right: Value) -> bool:
    """`==`: null equals null only; a number equals its text (`1 == "1"`), a boolean its word."""
    if left is None or right is None:
        return left is right
    if type(left) is type(right) or (_is_number(left) and _is_number(right)):
        return bool(left == right)
    if isinstance(left, dict | list) or isinstance(right, dict | list):
        return False
    return as_text(left) == as_text(right)


def unequal(left: Value, right: Value) -> bool:
    """`!=`."""
    return not equal(left, right)


def _ordered(compare: Callable[[Value, Value], bool]) -> Callable[[Value, Value], bool]:
    def ordered(left: Value, right: Value) -> bool:
        if left is None or right is None:
            return False
        if type(left) is str and type(right) is str:
            return compare(left, right)
        return compare(as_number(left), as_number(right))

    return ordered


def _is_number(value: Value) -> bool:
    return type(value) is int or type(value) is float


OPERATORS: Final[Mapping[str, Callable[[Value, Value], Value]]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
    "==": equal,
    "!=": unequal,
    "<": _ordered(lambda left, right: bool(left < right)),
    "<=": _ordered(lambda left, right: bool(left <= right)),
    ">": _ordered(lambda left, right: bool(left > right)),
    ">=": _ordered(lambda left, right: bool(left >= right)),
    "&": lambda left, right: as_integer(left) & as_integer(right),
    "|": lambda left, right: as_integer(left) | as_integer(right),
    "^": lambda left, right: as_integer(left) ^ as_integer(right),
}

# Operators that always give a boolean: conditions on them need no further reading.
BOOLEAN: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "and", "or"})
