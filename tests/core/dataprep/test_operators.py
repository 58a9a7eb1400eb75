"""Operators: JEXL's arithmetic, our nulls, and the bounds of both."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.dataprep.language.operators import OPERATORS, UNARY
from app.core.dataprep.values import RowFault, Value
from tests.core.dataprep.evaluate import value, warning


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        # Adobe's own examples (help/data-prep/api/functions.md).
        ("1 + 2", 3),
        ("1 / 2", None),
        ("~44", -45),
        ("~33", -34),
        ("-12", -12),
        ("!true or not false", True),
        # Precedence, by what comes out.
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 2 - 3", 5),
        ("100 / 10 / 2", 5),
        ("7 - -2 * 3", 13),
        ("-2 * 3", -6),
        ("-2 + +5", 3),
        ("2 < 3 == true", True),
        ("1 + 1 == 2 && 2 > 1", True),
        ("false && true || true", True),
        ("true or true and false", True),
        ("not true or true", True),
        ("!(true and false)", True),
        ("!false == true", True),
        ("6 & 3 | 8 ^ 1", 11),
        ("6 & 3 == 3 ? 'bits' : 'no bits'", "no bits"),
        ("1 lt 2 and 2 le 2 and 3 gt 2 and 3 ge 3 and 1 ne 2 and 1 eq 1", True),
        ("true ? 'a' : true ? 'b' : 'c'", "a"),
        ("false ? 'a' : false ? 'b' : 'c'", "c"),
        ("1 == 2 ? 'a' : 'b'", "b"),
        # Whole numbers stay whole, as in Java; the sign of a remainder is the left side's.
        ("7 / 2", 3),
        ("-7 div 2", -3),
        ("7 / -2", -3),
        ("7.0 / 2", 3.5),
        ("'7' / 2", 3),
        ("'7.5' / 2.5", 3.0),
        ("7 mod 4", 3),
        ("-7 % 4", -3),
        ("7 % -4", 3),
        ("7.5 % 2", 1.5),
        ("-7.5 % 2", -1.5),
        ("'10' - 1", 9),
        ("'2' * '3'", 6),
        ("'1.5' * 2", 3.0),
        ("true + 1", 2),
        ("3 - true", 2),
        ("-'5'", -5),
        ("+'5'", 5),
        ("-(true)", False),
        ("+(true)", True),
        ("6.9 & 3", 2),
        ("'6' | 1", 7),
        ("5 ^ true", 4),
        # A text makes a text of the sum.
        ("'a' + 'b'", "ab"),
        ("'1' + 2", "12"),
        ("1 + '2'", "12"),
        ("'a' + true", "atrue"),
        ("1 + 2 + 'x'", "3x"),
    ],
)
def test_arithmetic(expression: str, result: Any) -> None:
    # A zero of whole numbers is a value, and is written.
    assert value(expression) == (0 if expression == "1 / 2" else result)


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "%", "&", "|", "^"])
@pytest.mark.parametrize("sides", [(None, 1), (1, None), (None, None)])
def test_arithmetic_on_null_is_null(operator: str, sides: tuple[Value, Value]) -> None:
    assert OPERATORS[operator](*sides) is None


@pytest.mark.parametrize("operator", ["-", "*", "/", "%", "&", "|", "^"])
def test_an_empty_text_is_no_number(operator: str) -> None:
    assert OPERATORS[operator]("", 2) is None
    assert OPERATORS[operator](2, "") is None


@pytest.mark.parametrize("operator", ["-", "+", "~"])
@pytest.mark.parametrize("operand", [None, ""])
def test_a_sign_before_nothing_is_null(operator: str, operand: Value) -> None:
    assert UNARY[operator](operand) is None


SOURCE = {
    "n": 5,
    "f": 5.0,
    "s": "5",
    "t": "abc",
    "yes": True,
    "no": False,
    "l": [1, 2],
    "o": {"a": 1},
}


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        # Null equals null only.
        ("missing == null", True),
        ("missing != null", False),
        ("null == missing", True),
        ("n == null", False),
        ("n != null", True),
        ("missing == missing2", True),
        ("missing == ''", False),
        ("missing == false", False),
        # A number with a text as numbers, where the text is one.
        ("n == f", True),
        ("n == '5'", True),
        ("f == '5'", True),
        ("s == 5.0", True),
        ("n == 'abc'", False),
        ("n != 'abc'", True),
        ("n == t", False),
        ("s == ' 5'", False),
        ("n == ' 5'", True),
        ("t == 'abc'", True),
        ("'abc' == t", True),
        ("t == s", False),
        ("s == '5'", True),
        ("s == '05'", False),
        ("n == '05'", True),
        # A boolean with a number as booleans, with a text by Adobe's words.
        ("yes == true", True),
        ("yes == 1", True),
        ("yes == 7", True),
        ("no == 0", True),
        ("no == 1", False),
        ("yes == 'true'", True),
        ("yes == 'Y'", True),
        ("no == 'off'", True),
        ("yes == 'abc'", False),
        ("no == 'abc'", False),
        ("'no' == no", True),
        # Objects and arrays by what is in them.
        ("l == [1, 2]", True),
        ("l == [2, 1]", False),
        ("o == {'a': 1}", True),
        ("o == '{\"a\":1}'", False),
        ("l == o", False),
        ("date('2019-10-23') == date('2019-10-23')", True),
        ("date('2019-10-23') == '2019-10-23T00:00:00Z'", True),
        ("date('2019-10-23') == 'abc'", False),
        # Order.
        ("n < 6 and n <= 5 and n > 4 and n >= 5", True),
        ("s < 10", True),
        ("s < '10'", False),
        ("'a' < 'b'", True),
        ("yes > 0", True),
        ("no < yes", True),
        ("yes < 'zzz'", True),
        ("1.5 < 2 and 2 > 1.5", True),
        ("date('2019-10-23') < date('2019-10-24')", True),
        ("missing < 1 or missing > 1 or missing <= 1 or 1 >= missing", False),
        ("missing <= missing2 and missing >= missing2", True),
        ("missing < missing2", False),
    ],
)
def test_comparison(expression: str, result: bool) -> None:
    assert value(expression, SOURCE) is result
    # The same where neither side is known beforehand.
    assert value(f"coalesce({expression})", SOURCE) is result


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("'abcdef' =~ 'abc.*'", True),
        ("'abcdef' !~ 'abc.*'", False),
        ("'abcdef' =~ 'abc'", False),
        ("t =~ ~/[a-c]+/", True),
        ("t =~ concat('[a', '-c]+')", True),
        ("t !~ concat('[a', '-c]+')", False),
        ("n =~ '[0-9]'", True),
        ("missing =~ 'a'", False),
        ("missing !~ 'a'", True),
        ("missing =~ missing2", True),
        ("t =~ missing", False),
        ("'a' =~ ['a', 'b']", True),
        ("'a' !~ ['a', 'b']", False),
        ("1 =~ l", True),
        ("1.0 =~ l", True),
        ("'1' =~ l", False),
        ("true =~ l", False),
        ("[2, 1] =~ l", True),
        ("[2, 3] =~ l", False),
        ("[o] =~ [l, o]", True),
        ("'a' =~ o", True),
        ("'b' =~ o", False),
        ("['a', 'b'] =~ o", False),
        ("o =~ {'a': 2, 'b': 3}", True),
        ("'a' =~ {'a', 'b'}", True),
        ("t =^ 'ab'", True),
        ("t !^ 'ab'", False),
        ("t =$ 'bc'", True),
        ("t !$ 'bc'", False),
        ("n =^ '5'", True),
        ("missing =^ 'a'", False),
        ("missing !^ 'a'", True),
        ("missing =$ missing2", True),
        ("t =$ missing", False),
        ("missing ?? 'x'", "x"),
        ("no ?? 'x'", False),
        ("missing ?? missing2 ?? t", "abc"),
        ("missing ?: 'x'", "x"),
        ("no ?: 'x'", "x"),
        ("t ?: 'x'", "abc"),
        ("'' ?: 'x'", "x"),
        ("0 ?: 'x'", "x"),
        ("empty missing and empty '' and empty [] and empty {:}", True),
        ("empty 0 or empty false or empty t", False),
        ("size(t) + size(l) + size o", 6),
        ("size(missing) + size(5)", 0),
        ("l.size() == 2 and not l.empty()", True),
        ("t.length()", 3),
        ("t.contains('b')", True),
        ("l.contains(2)", True),
        ("o.containsKey('a')", True),
        ("t.startsWith('a') and t.endsWith('c') and not t.isEmpty()", True),
        ("t.indexOf('c')", 2),
        ("t.toUpperCase().toLowerCase().trim().equals('abc')", True),
        ("missing.length()", None),
        ("missing.contains('a') or missing.isEmpty() or missing.containsKey('a')", False),
        ("missing.startsWith('a') or missing.endsWith('a')", False),
        ("missing.indexOf('a')", None),
        ("t.equalsIgnoreCase('ABC')", True),
        ("l.get(1)", 2),
        ("l[1.0]", 2),
        ("l[0.5]", None),
    ],
)
def test_finding_and_choosing(expression: str, result: Any) -> None:
    assert value(expression, SOURCE) == result


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("1 / 0", "division by zero"),
        ("1.5 / 0.0", "division by zero"),
        ("1 % 0", "division by zero"),
        ("1 - 'abc'", "a string that is no number"),
        ("1 + o", "an object where a number is needed"),
        ("-l", "an array where a number is needed"),
        ("n < 'abc'", "a string that is no number"),
        ("l < 1", "an array cannot be compared with < or >"),
        ("1 < o", "an object cannot be compared with < or >"),
        ("t =~ 5", "a number holds nothing that =~ could find"),
        ("l =^ 'a'", "an array where a text is needed"),
        ("l.length()", "an array where a text is needed"),
        ("t.containsKey('a')", "a string where an object is needed"),
        ("t + 'x'" + " + t" * 3 + " - 1", "a string that is no number"),
        ("1e300 * 1e300", "a number that is not finite"),
        ("1e300 * 1e300 % 2", "a number that is not finite"),
        ("9" * 300 + " + 1", "a number of over 300 digits"),
        ("9" * 300 + " * " + "9" * 300, "a number of over 300 digits"),
        ("to_bigint('" + "9" * 399 + "') / 1.5", "a number"),
        ("1e30 & 1", "a number of over 64 bits"),
        ("~9223372036854775808", "a number of over 64 bits"),
    ],
)
def test_what_cannot_be_computed_is_a_fault_of_the_row(expression: str, fault: str) -> None:
    assert fault in warning(expression, SOURCE)


def test_products_and_texts_do_not_grow_without_end() -> None:
    # 4,096 characters of either.
    assert "digits" in warning("*".join(["a"] * 140), {"a": 2**63})
    assert "characters" in warning("+".join(["a"] * 140), {"a": "x" * 10_000})


def test_values_nested_too_deep_to_compare_are_a_fault() -> None:
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    other: list[Any] = []
    for _ in range(5_000):
        other = [other]

    with pytest.raises(RowFault):
        OPERATORS["=="](deep, other)
