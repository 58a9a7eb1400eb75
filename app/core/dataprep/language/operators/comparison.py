"""Comparing and finding: `== != < <= > >=`, `=~ !~ =^ !^ =$ !$`. Whose rules: __init__.py."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from app.core.dataprep.functions.regexes import matches_regex
from app.core.dataprep.language.operators.arithmetic import number_of
from app.core.dataprep.values import (
    FALSE_WORDS,
    TRUE_WORDS,
    RowFault,
    Value,
    as_number,
    as_text,
    kind_of,
)


def equal(left: Value, right: Value) -> bool:
    """`==`, `eq`: null equals null only. JEXL compares by the more telling side:

    a boolean with a number as booleans, a number with a string as numbers (`1.0 == "1"`), all else
    with a string as texts, objects and arrays by what is in them. Judgement: a string equals a
    boolean when it is one of Adobe's words for it (section 4.4; in JEXL any text is true but "" and
    "false"), and a string that is no number equals no number (in JEXL an error).
    """
    if left is None or right is None:
        return left is right
    if type(left) is type(right) or (_is_number(left) and _is_number(right)):
        return _same(left, right)
    if type(left) is bool or type(right) is bool:
        return _equals_boolean(left, right) if type(left) is bool else _equals_boolean(right, left)
    if isinstance(left, dict | list) or isinstance(right, dict | list):
        return False
    if _is_number(left) or _is_number(right):
        try:
            return bool(as_number(left) == as_number(right))
        except RowFault:
            return False
    return as_text(left) == as_text(right)


def unequal(left: Value, right: Value) -> bool:
    """`!=`, `ne`: not `==`."""
    return not equal(left, right)


def ordered(
    compare: Callable[[Value, Value], bool], of_nulls: bool = False
) -> Callable[[Value, Value], bool]:
    """`< <= > >=`, `lt le gt ge`: false when one side is null; two nulls are `<=` and `>=` (JEXL).

    JEXL: with a number as numbers (a boolean is 1 or 0), else with a string as texts; booleans and
    dates in their order. What cannot be compared is a fault.
    """

    def compared(left: Value, right: Value) -> bool:
        if left is None or right is None:
            return of_nulls and left is right
        return bool(compare(*_comparable(left, right)))

    return compared


def matches(value: Value, container: Value) -> bool:
    """`=~`: does a text match a regular expression, as a whole; is a value in a container (JEXL)?

    A string on the right is a regular expression for the left side's text. In an array are its
    items, of the same kind and value (JEXL: Java's equals); in an object are its names. Of an array
    or object on the left all items or names must be there. Two nulls match, one does not.
    """
    if value is None or container is None:
        return value is container
    if type(container) is str:
        return bool(matches_regex(value, container))
    if type(container) is dict:
        wanted = list(value) if isinstance(value, dict | list) else [value]
        return all(as_text(name) in container for name in wanted)
    if type(container) is list:
        there = set(map(same_key, container))
        return all(same_key(one) in there for one in (value if type(value) is list else [value]))
    raise RowFault(f"{kind_of(container)} holds nothing that =~ could find")


def starts_with(text: Value, beginning: Value) -> bool:
    """`=^`: does a text begin so (JEXL)? Two nulls do, one does not; a number by its text."""
    if text is None or beginning is None:
        return text is beginning
    return _text(text).startswith(_text(beginning))


def ends_with(text: Value, end: Value) -> bool:
    """`=$`: does a text end so (JEXL)? Two nulls do, one does not; a number by its text."""
    if text is None or end is None:
        return text is end
    return _text(text).endswith(_text(end))


def same_key(item: Value) -> tuple[type | bool, Value]:
    """What two items have in common when they are the same: 1 and 1.0 are, 1 and true are not."""
    if isinstance(item, dict | list):
        return type(item), as_text(item)
    return type(item) is bool, item


def _is_number(value: Value) -> bool:
    return type(value) is int or type(value) is float


def _same(left: Value, right: Value) -> bool:
    try:
        return bool(left == right)
    except RecursionError:
        raise RowFault("values nested too deep to compare") from None


def _equals_boolean(boolean: bool, other: Value) -> bool:
    if _is_number(other):
        return boolean is (other != 0)
    return type(other) is str and other in (TRUE_WORDS if boolean else FALSE_WORDS)


def _comparable(left: Value, right: Value) -> tuple[Value, Value]:
    """Both sides as one kind that has an order."""
    if type(left) is type(right) and isinstance(left, str | int | float | datetime):
        return left, right
    if isinstance(left, dict | list) or isinstance(right, dict | list):
        held = left if isinstance(left, dict | list) else right
        raise RowFault(f"{kind_of(held)} cannot be compared with < or >")
    if _is_number(left) or _is_number(right):
        return number_of(left), number_of(right)
    return as_text(left), as_text(right)


def _text(value: Value) -> str:
    if isinstance(value, dict | list):
        raise RowFault(f"{kind_of(value)} where a text is needed")
    return as_text(value)
