"""Calls: which there are, what is said of others, and what is written out instead of called."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.dataprep import compile_expression, compile_mapping_set
from app.core.dataprep.compiler.others import others, others_of
from app.core.dataprep.functions import FUNCTIONS, FUNCTIONS_OF_EVENT
from app.core.dataprep.language.grammar import parse_expression
from app.core.dataprep.values import Occasion, RowFault
from app.core.errors import MappingSetInvalid
from tests.core.dataprep.evaluate import row, run, value


@pytest.mark.parametrize(
    ("expression", "column", "message"),
    [
        ("nope(1)", 1, "there is no function nope()"),
        ("Lower(a)", 1, "capital and small letters differ, write lower()"),
        ("1 + equalsignorecase(a)", 5, "there is no function equalsignorecase()"),
        ("lowr(a)", 1, "did you mean lower()?"),
        ("matches_regexp(a, 'b')", 1, "did you mean matches_regex()?"),
        ("contains(a, 'b')", 1, "write it as a method, value.contains(...)"),
        ("a.b.lower()", 5, "lower() is a function, no method: write lower(value, ...)"),
        ("a.startswith('b')", 3, "capital and small letters differ, write startsWith()"),
        ("a.equal('b')", 3, "did you mean equals()?"),
        ("a.equals()", 3, "equals() takes 1 argument, not 0: value.equals("),
        ("lower()", 1, "lower() takes 1 argument, not 0: lower(text)"),
        ("concat(a, substr('a'))", 11, "substr() takes 2 to 3 arguments, not 1: substr("),
        ("iif(a)", 1, "iif() takes 3 arguments, not 1: iif(condition, a, b)"),
        ("nullify(1)", 1, "nullify() takes no arguments, not 1: nullify()"),
        ("coalesce()", 1, "coalesce() takes 1 or more arguments, not 0: coalesce(values...)"),
        ("decode(a)", 1, "decode(key, key1, value1, ..., default?)"),
        ("to_object('a')", 1, "to_object() takes keys and values in pairs"),
        ("contains_key('a..b')", 1, "contains_key(): a name is missing before this dot"),
        ("is_empty()", 1, "is_empty() takes 1 argument, not 0: is_empty(object)"),
        ("matches_regex(a)", 1, "matches_regex() takes 2 arguments, not 1"),
        ("to_array()", 1, "to_array() takes 1 or more arguments, not 0"),
        ("is_set()", 1, "is_set() takes 1 argument, not 0: is_set(path)"),
        ("fpid_to_ecid(a)", 1, "fpid_to_ecid() cannot be used here: "),
        ("array_to_string(a)", 1, "array_to_string() cannot be used here: "),
        ("aa_get_products(a)", 1, "only for Adobe Analytics and Web SDK sources"),
    ],
)  # fmt: skip
def test_a_call_that_cannot_be_says_where_and_why(
    expression: str, column: int, message: str
) -> None:
    with pytest.raises(MappingSetInvalid) as invalid:
        compile_expression(expression)

    [problem] = invalid.value.problems
    assert problem.column == column
    assert message in problem.message
    assert "character" not in problem.message


@pytest.mark.parametrize("expression", ["matches_regex(a, '(')", "a =~ '('", "a !~ '('"])
def test_a_constant_regular_expression_is_read_beforehand(expression: str) -> None:
    with pytest.raises(MappingSetInvalid):
        compile_expression(expression)


def test_all_faults_of_an_expression_are_told_at_once() -> None:
    with pytest.raises(MappingSetInvalid) as invalid:
        compile_expression("nope(lower(), a.nope()) + iif(1)")

    assert [problem.column for problem in invalid.value.problems] == [6, 17, 1, 27]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """uuid() tells how many calls there were before."""
    monkeypatch.setitem(dict_of_event(), "uuid", lambda occasion: occasion.number())


def dict_of_event() -> dict[str, Any]:
    assert isinstance(FUNCTIONS_OF_EVENT, dict)
    return FUNCTIONS_OF_EVENT


@pytest.mark.usefixtures("counted")
def test_each_call_for_the_occasion_is_a_call_of_its_own() -> None:
    rows = [
        row("concat('a', uuid())", "a"),
        row("concat('a', uuid())", "b"),
        row("upper(concat('a', uuid()))", "c"),
        row("concat(lower(x), uuid(), lower(x))", "d"),
    ]
    transform = compile_mapping_set({"mappings": rows}).transform

    for _ in range(2):
        record, warnings = transform({"x": "X"}, 5)

        assert (record, warnings) == ({"a": "a1", "b": "a2", "c": "A3", "d": "x4x"}, ())


@pytest.mark.usefixtures("counted")
def test_a_call_that_is_not_needed_is_not_made() -> None:
    assert compile_expression("iif(false, uuid(), uuid()) + uuid()")({}, 5) == 3


def test_only_expressions_that_ask_make_an_occasion(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(Occasion, "__init__", refused)

    assert value("concat('a', 'b')") == "ab"


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("decode(a, 'x', 1, 'y', 2)", 1),
        ("decode(n, 5, 'five', 6, 'six')", "five"),
        ("decode(n, '5', 'five')", "five"),
        ("decode(missing, 'x', 1, 9)", 9),
        ("decode(a, 'z', 1)", None),
        ("decode(o, 'z', 1, 9)", 9),
        ("decode(a, b, 1, lower('X'), 2, 9)", 2),
        ("decode(a, b, 1, 9)", 9),
        ("decode(a, a, missing, 9)", None),
        ("decode(missing, missing, 1, 9)", 9),
        ("decode(o, o, 1, 9)", 9),
        ("decode(lower(a), 'x', 1, 9)", 1),
        ("coalesce(missing, missing, a, b)", "x"),
        ("coalesce(missing)", None),
        ("concat(a, '')", "x"),
        ("concat('', n)", "5"),
        ("concat('n-', n, null, '!', 1.5)", "n-5!1.5"),
        ("concat(o, '{}')", '{"k":1}{}'),
        ("concat('{}', missing)", "{}"),
        ("concat(a, '-', n)", "x-5"),
        ("is_empty(missing)", True),
        ("is_empty(o) or is_empty(o)", False),
        ("is_empty(o) or o == null", False),
        ("is_empty(a)", False),
        ("is_empty(lower(missing))", True),
        ("is_empty(lower(a))", False),
        ("is_empty(o)", False),
        ("iif(is_empty('') and not is_empty([1]), 1, 2)", 1),
        ("contains_key(missing) or contains_key(o.k) and contains_key('o.k')", True),
        ("contains_key(lower(a)) and contains_key(5)", True),
        ("'a' == null", False),
        ("to_map('p', 1, 'q', missing)", {"p": 1}),
        ("to_map(a, 1)", {"x": 1}),
        ("matches_regex(n, 5)", True),
        ("is_empty(iif(b == 'y', 'x', null))", False),
        ("is_empty(iif(b == 'x', 'x', null))", True),
        ("concat('n-', iif(b == 'y', 'q', 'r'))", "n-q"),
        ("concat(concat('', n), concat('-', n), concat('-', a), concat('-', a))", "5-5-x-x"),
        ("matches_regex(a, b)", False),
        ("concat('', a)", "x"),
        ("concat('', sha256(null), '')", None),
        ("concat('n-', substr(a, 0, 1))", "n-x"),
        ("to_array(false, to_object('k', 1), to_object('l', 2))", [{"k": 1}, {"l": 2}]),
        ("to_array(false, a, missing)", ["x"]),
        ("decode(a, 'x', null, 9)", None),
        ("a.equals(null) or null.equals(a)", False),
        ("matches_regex(a, null)", False),
    ],
)
def test_what_is_written_out_gives_what_a_call_would(expression: str, result: Any) -> None:
    assert value(expression, {"a": "x", "b": "y", "n": 5, "o": {"k": 1}}) == result


IDIOM = "add_to_map(to_map('a', nullify(), 'b', null), object_to_map(x))"


@pytest.mark.parametrize(
    "x", [None, {}, {"a": 1}, {"a": 1, "b": None}, {"a": 1, "c": 2, "d": None, "e": {"a": 3}}, []]
)
def test_the_idiom_for_all_other_children_is_what_its_functions_are(x: Any) -> None:
    plain = "concat('', null) ?: add_to_map(to_map('a', nullify(), 'b', null), object_to_map(x))"

    assert run(IDIOM, {"x": x})[0] == run(plain, {"x": x})[0]
    assert [w.detail for w in run(IDIOM, {"x": x}).warnings] == [
        w.detail for w in run(plain, {"x": x}).warnings
    ]


def test_the_idiom_is_known_by_its_shape_only() -> None:
    assert others_of(parse_expression(IDIOM)) == (
        frozenset({"a", "b"}),
        parse_expression("x"),
    )
    assert others_of(parse_expression(IDIOM.replace("object_to_map(x)", "x"))) is not None
    for other in (
        IDIOM.replace("null)", "1)"),
        IDIOM.replace("'a'", "a"),
        IDIOM.replace("'a', ", ""),
        IDIOM.replace("object_to_map(x)", "x, y"),
        "add_to_map(x)",
    ):
        assert others_of(parse_expression(other)) is None


def test_all_others_are_those_that_the_functions_leave() -> None:
    left = others(frozenset({"a", "b"}))
    source = {"a": 1, "c": {"a": 2}, "d": None}
    merged = FUNCTIONS["add_to_map"]({"a": None, "b": None}, FUNCTIONS["object_to_map"](source))

    assert left(source) == {name: child for name, child in merged.items() if name not in ("a", "b")}
    assert left({"a": 1}) is None
    assert left(None) is None
    with pytest.raises(RowFault, match="an array where an object is needed"):
        left([])
