"""Arithmetic and bits: `+ - * / %`, unary `- + ~`, `& | ^`. Whose rules these are: __init__.py."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Final

from app.core.dataprep.language.literals import MAX_DIGITS
from app.core.dataprep.values import MAX_TEXT, RowFault, Value, as_number, as_text

_BEYOND: Final = 10**MAX_DIGITS
_LONG: Final = 2**63


def add(left: Value, right: Value) -> Value:
    """`+`: the sum of numbers; when either side is a string, both as text one after the other.

    Adobe: "simple arithmetic addition", `1 + 2`; for texts it has `concat`. JEXL, strict: text as
    soon as one side is a string, so `"1" + 2` is `"12"`, never 3; only its lenient mode counts with
    numeric strings. Judgement: the strict way, for strict is JEXL's default and fits what nulls do
    on Platform; and the kind of the result then hangs on the kinds of the sides, not on whether a
    text happens to consist of digits (`"02134" + 1`). To count with texts: to_integer(x) + 1.
    """
    if left is None or right is None:
        return None
    if type(left) is str or type(right) is str:
        first, second = as_text(left), as_text(right)
        if len(first) + len(second) > MAX_TEXT:
            raise RowFault(f"a text over {MAX_TEXT} characters")
        return first + second
    return _computed(operator.add, number_of(left), number_of(right))


def subtract(left: Value, right: Value) -> Value:
    """`-`: the difference of numbers or numeric strings; a boolean is 1 or 0 (JEXL)."""
    return _computed(operator.sub, _operand(left), _operand(right))


def multiply(left: Value, right: Value) -> Value:
    """`*`: the product of numbers or numeric strings; a boolean is 1 or 0 (JEXL)."""
    if type(left) is int and type(right) is int:
        product = left * right
        if -_LONG < product < _LONG:
            return product
    return _computed(operator.mul, _operand(left), _operand(right))


def divide(left: Value, right: Value) -> Value:
    """`/`, `div`: of two whole numbers the whole quotient, cut toward zero: `-7 / 2` is -3 (JEXL).

    Adobe: "simple arithmetic division", `1 / 2`. By zero, 0.0 too, is a fault (JEXL).
    """
    return _computed(_quotient, _operand(left), _operand(right))


def modulo(left: Value, right: Value) -> Value:
    """`%`, `mod`: the remainder, with the sign of the left side: `-7 % 4` is -3 (JEXL, Java).

    By zero, 0.0 too, is a fault (JEXL).
    """
    return _computed(_remainder, _operand(left), _operand(right))


def negate(operand: Value) -> Value:
    """`-x` (Adobe: `-12`). Of a boolean the opposite (JEXL); of a numeric string its negative."""
    if type(operand) is bool:
        return not operand
    number = _operand(operand)
    return None if number is None else -number


def confirm(operand: Value) -> Value:
    """`+x`: the number itself, of a numeric string its number; a boolean as it is (JEXL)."""
    return operand if type(operand) is bool else _operand(operand)


def complement(operand: Value) -> Value:
    """`~x` (Adobe: `~33` is -34): every bit turned. JEXL: of 64 bits, fractions cut off."""
    number = _bits(operand)
    return None if number is None else ~number


def bitwise(combine: Callable[[int, int], int]) -> Callable[[Value, Value], Value]:
    """`&`, `|`, `^`: JEXL's, on whole numbers of 64 bits, fractions cut off."""

    def combined(left: Value, right: Value) -> Value:
        first, second = _bits(left), _bits(right)
        return None if first is None or second is None else combine(first, second)

    return combined


def _computed(compute: Callable[[Value, Value], Value], left: Value, right: Value) -> Value:
    """The result of two operands; null of null. Raises RowFault beyond the bounds."""
    if left is None or right is None:
        return None
    try:
        number = compute(left, right)
    except OverflowError:
        raise RowFault("a number that is not finite") from None
    if type(number) is int:
        if -_BEYOND < number < _BEYOND:
            return number
        raise RowFault(f"a number of over {MAX_DIGITS} digits")
    if math.isfinite(number):
        return number
    raise RowFault("a number that is not finite")


def _quotient(left: Value, right: Value) -> Value:
    if right == 0:
        raise RowFault("division by zero")
    if isinstance(left, int) and isinstance(right, int):
        whole = abs(left) // abs(right)
        return whole if (left < 0) == (right < 0) else -whole
    return left / right


def _remainder(left: Value, right: Value) -> Value:
    if right == 0:
        raise RowFault("division by zero")
    if isinstance(left, int) and isinstance(right, int):
        rest = abs(left) % abs(right)
        return rest if left >= 0 else -rest
    return math.fmod(left, right) if math.isfinite(left) else left


def number_of(value: Value) -> int | float:
    """A number, of a numeric string its number, of a boolean 1 or 0 (JEXL). Raises RowFault."""
    return int(value) if type(value) is bool else as_number(value)


def _operand(value: Value) -> Value:
    """A number, or None for null and the empty text."""
    if type(value) is int or type(value) is float:
        return value
    return None if value is None or value == "" else number_of(value)


def _bits(value: Value) -> int | None:
    number = _operand(value)
    if number is None:
        return None
    if math.isfinite(number) and -_LONG <= int(number) < _LONG:
        return int(number)
    raise RowFault("a number of over 64 bits")
