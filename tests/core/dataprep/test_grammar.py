"""The expression language's text: precedence, names, literals, faults with their place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.dataprep.language.grammar import (
    MAX_CHARACTERS,
    ExpressionInvalid,
    parse_expression,
    path_in,
)
from app.core.dataprep.language.paths import PathInvalid, parse_path
from app.core.dataprep.language.syntax import Access, Each, Literal, Path, show_path
from tests.core.dataprep.evaluate import value


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 2 - 3", 5),
        ("7 / 2", 3),
        ("-7 div 2", -3),
        ("7.0 / 2", 3.5),
        ("7 mod 4", 3),
        ("-7 % 4", -3),
        ("7.5 % 2", 1.5),
        ("-2 + +5", 3),
        ("2 < 3 == true", True),
        ("1 + 1 == 2 && 2 > 1", True),
        ("false && true || true", True),
        ("not true or true", True),
        ("!(true and false)", True),
        ("1 lt 2 and 2 le 2 and 3 gt 2 and 3 ge 3 and 1 ne 2 and 1 eq 1", True),
        ("true ? 'a' : true ? 'b' : 'c'", "a"),
        ("false ? 'a' : false ? 'b' : 'c'", "c"),
        ("1 == 2 ? 'a' : 'b'", "b"),
        ("6 & 3 | 8 ^ 1", 2 | 9),
        ("1.5e2", 150.0),
        ("3L + 2d", 5.0),
        ("'it\\'s'", "it's"),
        ('"a\\"b\\n\\u00e4"', 'a"b\nä'),
        ("null", None),
        ("['a', null, 1]", ["a", 1]),
        ("{'a': 1, 'b': []}", {"a": 1}),
        ("{}", None),
    ],
)
def test_operators_and_literals(expression: str, result: Any) -> None:
    assert value(expression) == result


SOURCE = {
    "a": {"b": [{"c": 1}, {"c": 2}, {}], "street.name": "x"},
    "First Name": "Ada",
    "order": "o",
    "new": {"if": 1},
    "$x": "dollar",
}


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("a.b[0].c", 1),
        ("a.b[9].c", None),
        ("a.b[*].c", [1, 2]),
        ("a[*]", None),
        ("a.street\\.name", "x"),
        ("${First Name}", "Ada"),
        ("order", "o"),
        ("${new.if}", 1),
        ("$x", "dollar"),
        ("a['street.name']", "x"),
        ("missing.b.c", None),
        ("order.b", None),
        ("split('a,b', ',')[1]", "b"),
        ("split('a,b', ',')[5]", None),
        ('json_to_object(\'{"k": [{"x": 1}, {}]}\').k[*].x', [1]),
        ("json_to_object('[1]')[*]", [1]),
        ("json_to_object('1').k", None),
        ("json_to_object('1')[*].k", None),
        ("order.equals('o')", True),
        ("order.equalsIgnoreCase('O') ? 1 : 2", 1),
        ("(order).get('x')", None),
        ("a.get('street.name')", "x"),
    ],
)
def test_paths_in_expressions(expression: str, result: Any) -> None:
    assert value(expression, SOURCE) == result


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("a +", 4),
        ("a b", 3),
        ("", 1),
        ("lower(", 7),
        ("data.new", 6),
        ("if", 1),
        ("'open", 1),
        ("${.a}", 1),
        ("a[99999999]", 3),
        ("a[2000]", 3),
        ("9" * 301, 1),
        ("x" * (MAX_CHARACTERS + 1), MAX_CHARACTERS),
    ],
)
def test_a_fault_says_where_it_is(text: str, column: int) -> None:
    with pytest.raises(ExpressionInvalid) as fault:
        parse_expression(text)

    assert fault.value.column == column
    assert f"(character {column})" in str(fault.value)


@pytest.mark.parametrize("text", ["not " * 500 + "a", "trim(" * 500 + "a" + ")" * 500])
def test_nesting_is_bounded(text: str) -> None:
    with pytest.raises(ExpressionInvalid, match="nested deeper"):
        parse_expression(text)


def test_parentheses_alone_are_no_nesting() -> None:
    assert parse_expression("(" * 1000 + "a" + ")" * 1000) == Path(("a",))


def test_steps_after_a_computed_value_are_accesses() -> None:
    assert parse_expression("'a'.${b.c}") == Access(Literal("a"), ("b", "c"))


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet="ab.'\"\\$ {}()[]*,?:!<=>&|^%/+-10 eqnot", max_size=40))
def test_any_text_is_an_expression_or_a_fault(text: str) -> None:
    try:
        parse_expression(text)
    except ExpressionInvalid as fault:
        assert 1 <= fault.column <= len(text) + 1


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("a", ("a",)),
        ("a.b[0].c[*]", ("a", "b", 0, "c", Each.EACH)),
        ("a[0][1]", ("a", 0, 1)),
        ("street\\.name.x", ("street.name", "x")),
        ("${First Name}.b", ("First Name", "b")),
        ("xdm:id.First Name", ("xdm:id", "First Name")),
        ("_acme.new", ("_acme", "new")),
    ],
)
def test_paths_of_rows(text: str, steps: tuple[Any, ...]) -> None:
    assert parse_path(text) == steps
    assert parse_path(show_path(steps)) == steps
    assert path_in(text) == Path(steps)


@pytest.mark.parametrize(
    "text", ["", ".a", "a.", "a..b", "[0]", "a.[0]", "a[x]", "a]", "a[0]b", "a[5000]", "${a"]
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(PathInvalid):
        if parse_path(text) == ("${a",):
            raise PathInvalid("read as a plain name, which no source has")
