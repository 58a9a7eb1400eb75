"""The expression language's text: precedence, names, literals, faults with their place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.dataprep.language.grammar import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    ExpressionInvalid,
    parse_expression,
)
from app.core.dataprep.language.lexing import RESERVED, STATEMENT_WORDS
from app.core.dataprep.language.paths import PathInvalid, parse_path, path_in
from app.core.dataprep.language.syntax import (
    Access,
    ArrayOf,
    Binary,
    Call,
    Each,
    Index,
    Literal,
    Method,
    Node,
    ObjectOf,
    Path,
    SetOf,
    Ternary,
    Unary,
    show_path,
)
from tests.core.dataprep.evaluate import run, value

A, B, C, D, E = (Path((name,)) for name in "abcde")
ONE, TWO, THREE = (Literal(number) for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1 + 2 * 3", Binary("+", ONE, Binary("*", TWO, THREE))),
        ("(1 + 2) * 3", Binary("*", Binary("+", ONE, TWO), THREE)),
        ("a - b - c", Binary("-", Binary("-", A, B), C)),
        ("a / b * c", Binary("*", Binary("/", A, B), C)),
        ("a or b and c", Binary("or", A, Binary("and", B, C))),
        ("a || b && c", Binary("or", A, Binary("and", B, C))),
        ("a | b ^ c & d", Binary("|", A, Binary("^", B, Binary("&", C, D)))),
        ("a && b | c", Binary("and", A, Binary("|", B, C))),
        ("a & b == c", Binary("&", A, Binary("==", B, C))),
        ("1 < 2 == true", Binary("==", Binary("<", ONE, TWO), Literal(True))),
        ("a == b =~ c", Binary("==", A, Binary("=~", B, C))),
        ("a =^ b + c", Binary("=^", A, Binary("+", B, C))),
        ("!a == b", Binary("==", Unary("not", A), B)),
        ("not a.b", Unary("not", Path(("a", "b")))),
        ("-2 * 3", Binary("*", Literal(-2), THREE)),
        ("-a.b * c", Binary("*", Unary("-", Path(("a", "b"))), C)),
        ("~a | b", Binary("|", Unary("~", A), B)),
        ("- -a", Unary("-", Unary("-", A))),
        ("a - -2", Binary("-", A, Literal(-2))),
        ("empty a and b", Binary("and", Unary("empty", A), B)),
        ("size(a) > 1", Binary(">", Unary("size", A), ONE)),
        ("a ? b : c ? d : e", Ternary(A, B, Ternary(C, D, E))),
        ("a ? b ? c : d : e", Ternary(A, Ternary(B, C, D), E)),
        ("a or b ? c : d", Ternary(Binary("or", A, B), C, D)),
        ("a ?: b ?: c", Binary("?:", A, Binary("?:", B, C))),
        ("a ?? b ? c : d", Binary("??", A, Ternary(B, C, D))),
        ("a == b ?? c", Binary("??", Binary("==", A, B), C)),
        ("a eq b", Binary("==", A, B)),
        ("a ne b", Binary("!=", A, B)),
        ("a lt b", Binary("<", A, B)),
        ("a le b", Binary("<=", A, B)),
        ("a gt b", Binary(">", A, B)),
        ("a ge b", Binary(">=", A, B)),
        ("a div b mod c", Binary("%", Binary("/", A, B), C)),
        ("a !~ b", Binary("!~", A, B)),
        ("a !^ b", Binary("!^", A, B)),
        ("a =$ b", Binary("=$", A, B)),
        ("a !$ b", Binary("!$", A, B)),
        ("!${a}", Unary("not", A)),
    ],
)
def test_precedence_is_that_of_jexl(text: str, tree: Node) -> None:
    assert parse_expression(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a[0]['b c'].d", Path(("a", 0, "b c", "d"))),
        ("a?.b?[0]", Path(("a", "b", 0))),
        ("a.'b c'.d", Path(("a", "b c", "d"))),
        ("a['']", Path(("a", ""))),
        ("a[b]", Index(A, B)),
        ("a[b.c + 1].d", Access(Index(A, Binary("+", Path(("b", "c")), ONE)), ("d",))),
        ("a[-1]", Index(A, Literal(-1))),
        ("a[*].b[0]", Path(("a", Each.EACH, "b", 0))),
        ("(a[*].b)[0]", Access(Path(("a", Each.EACH, "b")), (0,))),
        ("(a[*].b)[c]", Index(Path(("a", Each.EACH, "b")), C)),
        ("(a).b", Path(("a", "b"))),
        ("'a'.${b.c}", Access(Literal("a"), ("b", "c"))),
        ("${First\\.Name}", Path(("First.Name",))),
        ("${a\\}b}", Path(("a}b",))),
        ("a.b(c).d(1, 2)", Method(Method(Path(("a",)), "b", (C,)), "d", (ONE, TWO))),
        ("a.size()", Method(A, "size", ())),
        ("f()", Call("f", ())),
        ("f(a, g(b))", Call("f", (A, Call("g", (B,))))),
        ("[]", ArrayOf(())),
        ("[a, [b]]", ArrayOf((A, ArrayOf((B,))))),
        ("{}", SetOf(())),
        ("{a}", SetOf((A,))),
        ("{1, 2}", SetOf((ONE, TWO))),
        ("{:}", ObjectOf(())),
        ("{'a': 1, b: a ? b : c}", ObjectOf(((Literal("a"), ONE), (B, Ternary(A, B, C))))),
        ("{a ? b : c}", SetOf((Ternary(A, B, C),))),
        ("a // to the end\n+ b", Binary("+", A, B)),
        ("a ## to the end\n+ b", Binary("+", A, B)),
        ("a /* + c */ + b", Binary("+", A, B)),
    ],
)
def test_accesses_calls_and_collections(text: str, tree: Node) -> None:
    assert parse_expression(text) == tree


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("7", 7), ("7L", 7), ("7h", 7), ("0x1F", 31), ("0xffL", 255), ("010", 8), ("0", 0),
        ("1.5", 1.5), ("1.5e2", 150.0), ("1.5E-1F", 0.15), ("1e3", 1000.0), ("7F", 7.0),
        ("7d", 7.0), ("7B", 7.0), ("-5", -5), ("+5", 5), ("-0.0", -0.0),
        ("'it\\'s'", "it's"), ('"a\\"b"', 'a"b'), ('"it\\\'s"', "it's"), ("''", ""),
        ('"\\n\\t\\r\\b\\f\\\\"', "\n\t\r\b\f\\"), ('"\\u00e4\\u0041"', "äA"),
        ('"\\ud83d\\ude00"', "\U0001f600"), ('"\\\\u0041"', "\\u0041"), ('"\\d+\\.x"', "\\d+\\.x"),
        ("~/a\\/b\\d/", "a/b\\d"), ("true", True), ("false", False), ("null", None),
    ],
)  # fmt: skip
def test_literals(text: str, literal: Any) -> None:
    assert parse_expression(text) == Literal(literal)


SOURCE = {
    "a": {"b": [{"c": 1}, {"c": 2}, {}], "street.name": "x"},
    "First Name": "Ada",
    "First.Name": "Grace",
    "order": "o",
    "new": {"if": 1},
    "size": 3,
    "$x": "dollar",
    "Straße": "ß",
    "key": "b",
    "at": 1,
}


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("a.b[0].c", 1),
        ("a.b[9].c", None),
        ("a.b[*].c", [1, 2]),
        ("(a.b[*].c)[1]", 2),
        ("(a.b[*].c)[at]", 2),
        ("a[*]", None),
        ("a.street\\.name", "x"),
        ("${First Name}", "Ada"),
        ("${First\\.Name}", "Grace"),
        ("order", "o"),
        ("${new.if}", 1),
        ("${new}.${if}", 1),
        ("${size} + 1", 4),
        ("$x", "dollar"),
        ("Straße", "ß"),
        ("a['street.name']", "x"),
        ("a[key][at].c", 2),
        ("a[key][size(a[key]) - 1]", None),
        ("a[order]", None),
        ("order[at]", None),
        ("missing[at]", None),
        ("a.b['0']", None),
        ("missing.b.c", None),
        ("missing?.b?.c", None),
        ("order.b", None),
        ("split('a,b', ',')[1]", "b"),
        ("split('a,b', ',')[at]", "b"),
        ("split('a,b', ',')[5]", None),
        ('json_to_object(\'{"k": [{"x": 1}, {}]}\').k[*].x', [1]),
        ("json_to_object('[1]')[*]", [1]),
        ("json_to_object('1').k", None),
        ("json_to_object('1')[*].k", None),
        ("['a', null, 1]", ["a", 1]),
        ("{'a': 1, 'b': []}", {"a": 1}),
        ("{null: 1, order: 2}", {"o": 2}),
        ("{1, '1', 1.0, [1], [1], true}", [1, "1", [1], True]),
        ("{}", None),
        ("{:}", None),
    ],
)
def test_paths_and_collections_in_expressions(expression: str, result: Any) -> None:
    assert value(expression, SOURCE) == result


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_a_reserved_word_is_a_name_only_in_braces(word: str) -> None:
    with pytest.raises(ExpressionInvalid) as fault:
        parse_expression(f"a.{word}")

    assert fault.value.column == 3
    assert str(fault.value).endswith(f"a field of this name is written ${{{word}}}")
    assert parse_expression(f"a.${{{word}}}") == Path(("a", word))
    assert parse_expression(f"${{{word}}}") == Path((word,))


@pytest.mark.parametrize("word", sorted({*STATEMENT_WORDS, "_errors", "size", "empty"}))
def test_a_reserved_word_is_no_value(word: str) -> None:
    with pytest.raises(ExpressionInvalid) as fault:
        parse_expression(f"1 + {word} == 2")

    assert fault.value.column == 5
    assert f"{word} is a reserved word" in str(fault.value)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, "the expression is empty"),
        ("a +", 4, "a value is missing"),
        ("a b", 3, "an operator or a comma is missing before b"),
        ("a 'b'", 3, "missing before this string"),
        ("* a", 1, "a value is missing before *"),
        ("a AND b", 3, "operators are written in small letters: and"),
        ("lower(", 6, "this ( is not closed: a ) is missing"),
        ("lower(a", 6, "this ( is not closed: a ) is missing"),
        ("lower(a]", 8, "the ( at character 6 is closed by ]"),
        ("[1, 2", 1, "this [ is not closed: a ] is missing"),
        ("{'a': 1", 1, "this { is not closed: a } is missing"),
        ("{'a': 1, 'b'}", 13, "a : and a value are missing"),
        ("a)", 2, "there is no ( for this )"),
        ("f(a,)", 5, "a value is missing before )"),
        ("[1,,2]", 4, "an absent one is null"),
        ("(a, b)", 3, "a comma where one value stands"),
        ("a, b", 2, "a calculated field is one value"),
        ("a.b.", 5, "a name is missing after the dot"),
        ("a..b", 3, "a name is missing after the dot"),
        ("a.1", 3, "an index is written [1]"),
        ("data.new", 6, "written ${new}"),
        ("if", 1, "${if}"),
        ("if (a) b", 1, "iif(condition, a, b)"),
        ("return a", 1, "leave it out"),
        ("for (x : a) x", 1, "a path with [*] goes through an array"),
        ("a = 1", 3, "== compares"),
        ("a += 1", 3, "+= assigns"),
        ("a;", 2, "leave out the ;"),
        ("a === b", 3, "write =="),
        ("a << 1", 3, "no shift operators"),
        ("a == b == c", 8, "join them with and, or parentheses"),
        ("1 < a < 3", 7, "join them with and, or parentheses"),
        ("a ? b", 3, "write condition ? a : b"),
        ("a : b", 3, "a : without its ?"),
        ("(a : b)", 4, "a : without its ?"),
        ("a ? b c", 7, "missing before c"),
        ("a if b", 3, "iif(condition, a, b)"),
        ("{'a': 1, 'b' 2}", 14, "missing before 2"),
        ("!~a", 1, "for two operators ! ~"),
        ("'open", 1, "this ' is not closed"),
        ('concat(a, "open)', 11, 'this " is not closed'),
        ("'two\nlines'", 1, "write a line break in a string as \\n"),
        ("\u201ca\u201d", 1, "is no quote here"),
        ("${a", 1, "this ${ is not closed"),
        ("${.a}", 1, "an empty name"),
        ("${a}(b)", 1, "is no function"),
        ("a /* b", 3, "this comment is not closed"),
        ("a =~ ~/b", 6, "this regular expression is not closed"),
        ("`a`", 1, "concat()"),
        ("a + @b", 5, "${...}"),
        ("a\\", 2, "a backslash with nothing behind it"),
        ("'\\ud800'", 2, "come in pairs"),
        ("a[99999999]", 3, "an index over 1000"),
        ("a[2000]", 3, "an index over 1000"),
        ("a[*].b[c]", 7, "(a[*].b)[i]"),
        ("1 + 12abc", 5, "runs into letters"),
        ("09", 1, "leave out the 0"),
        ("9" * 301, 1, "over 300 digits"),
        ("0x" + "f" * 300, 1, "over 300 digits"),
        ("1e999", 1, "too large"),
        ("x" * (MAX_CHARACTERS + 1), MAX_CHARACTERS + 1, "longer than 4096 characters"),
        ("a" + ".a" * 100, 201, "more than 100 names"),
        ("not " * 500 + "a", MAX_DEPTH * 4 + 1, "nested deeper"),
        ("trim(" * 500 + "a" + ")" * 500, MAX_DEPTH * 5 + 1, "nested deeper"),
        ("(" * 500 + "a" + ")" * 500, MAX_DEPTH + 1, "nested deeper"),
        ("a" + "+a" * 500, MAX_DEPTH * 2, "nested deeper"),
    ],
)
def test_a_fault_says_where_and_what(text: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionInvalid) as fault:
        parse_expression(text)

    assert (fault.value.column, message in str(fault.value)) == (column, True), fault.value
    assert "(character" not in str(fault.value)


@pytest.mark.parametrize(
    "text",
    [
        "x" * MAX_CHARACTERS,
        "trim(" * (MAX_DEPTH - 2) + "a" + ")" * (MAX_DEPTH - 2),
        "not " * (MAX_DEPTH - 2) + "a",
        "a" + "+a" * (MAX_DEPTH - 2),
        "a" + " ? b : c" * (MAX_DEPTH // 2 - 2),
        "a" + " ?: b" * (MAX_DEPTH // 2 - 2),
        "(" * (MAX_DEPTH - 1) + "a" + ")" * (MAX_DEPTH - 1),
        "{'a': " * (MAX_DEPTH - 2) + "a" + "}" * (MAX_DEPTH - 2),
        "a" + "[a" * (MAX_DEPTH - 2) + "]" * (MAX_DEPTH - 2),
        "coalesce(" + ",".join("a" * 2000) + ")",
        "decode(" + ",".join("a" * 2000) + ")",
        "concat(" + ",".join("a" * 2000) + ")",
        "a" + ".b" * 99,
    ],
)
def test_whatever_is_within_the_bounds_can_be_computed(text: str) -> None:
    _, warnings = run(text)

    # Values may be nested less deep than expressions, which is a fault of the row.
    assert {warning.code for warning in warnings} <= {"row_failed"}


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet="ab.'\"\\$ {}()[]*,?:!<=>&|^%/+-10~#;@ eqnot", max_size=40))
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
        ("${First\\.Name}.b", ("First.Name", "b")),
        ("xdm:id.First Name", ("xdm:id", "First Name")),
        ("_acme.new", ("_acme", "new")),
        ("a\\[0\\].b", ("a[0]", "b")),
        ("\\${a}", ("${a}",)),
    ],
)
def test_paths_of_rows(text: str, steps: tuple[Any, ...]) -> None:
    assert parse_path(text) == steps
    assert parse_path(show_path(steps)) == steps
    assert path_in(text) == Path(steps)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 1), (".a", 1), ("a.", 3), ("a..b", 3), ("[0]", 1), ("a.[0]", 3), ("a[x]", 2),
        ("a]", 2), ("a[0]b", 5), ("a[5000]", 2), ("a[99999999]", 2), ("${a", 1), ("a.${}", 3),
        ("a\\", 2), ("a" + ".a" * 100, 1),
    ],
)  # fmt: skip
def test_what_is_no_path_is_refused_with_its_place(text: str, column: int) -> None:
    with pytest.raises(PathInvalid) as fault:
        parse_path(text)

    assert fault.value.column == column
