"""From a tree to its text: what is read again is the same tree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from app.core.dataprep.language.grammar import parse_expression
from app.core.dataprep.language.printing import show, show_string
from app.core.dataprep.language.syntax import Literal, Node
from tests.core.dataprep.expressions import trees


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("(1 + 2) * 3", "(1 + 2) * 3"),
        ("1 + (2 * 3)", "1 + 2 * 3"),
        ("(a - b) - c", "a - b - c"),
        ("a - (b - c)", "a - (b - c)"),
        ("a && (b || c)", "a and (b or c)"),
        ("(a and b) or c", "a and b or c"),
        ("(a == b) == c", "(a == b) == c"),
        ("a eq (b lt c)", "a == b < c"),
        ("!(a or b)", "not (a or b)"),
        ("! a == b", "not a == b"),
        ("-(-a)", "--a"),
        ("-(5)", "-(5)"),
        ("- 5", "-5"),
        ("- 5 . x", "-5.x"),
        ("(-5).x", "(-5).x"),
        ("a?b:(c?d:e)", "a ? b : c ? d : e"),
        ("(a ? b : c) ? d : e", "(a ? b : c) ? d : e"),
        ("(a ?? b) ?? c", "(a ?? b) ?? c"),
        ("a ?? (b ?: c)", "a ?? b ?: c"),
        ("(a ?: b) + 1", "(a ?: b) + 1"),
        ("empty(a)", "empty a"),
        ("empty(-a)", "empty(-a)"),
        ("size(a or b)", "size (a or b)"),
        ("a['b']['c d'][''][0]", 'a.b.${c d}[""][0]'),
        ("${new}.size()", "${new}.size()"),
        ("a\\.b.${c\\.d e}", "a\\.b.${c\\.d e}"),
        ("${a\\}\\\\b}", "${a\\}\\\\b}"),
        ("(a[*].b)[0]", "(a[*].b)[0]"),
        ("a[*].b.get(0)", "a[*].b.get(0)"),
        ("a[ b ]", "a[b]"),
        ("(a + b).c(d)", "(a + b).c(d)"),
        ("'it\\'s \"x\"\\n\\u2028'", '"it\'s \\"x\\"\\n\\u2028"'),
        ('"\\d"', '"\\\\d"'),
        ("{'a':1,(b?:c):2}", '{"a": 1, (b ?: c): 2}'),
        ("{ } ", "{}"),
        ("{:}", "{:}"),
        ("{1,[2,null]}", "{1, [2, null]}"),
        ("1e16 + 0x10 + 1.50F", "1e+16 + 16 + 1.5"),
        ("f( a,true )", "f(a, true)"),
    ],
)
def test_parentheses_only_where_they_are_needed(text: str, shown: str) -> None:
    tree = parse_expression(text)

    assert show(tree) == shown
    assert parse_expression(shown) == tree


@settings(max_examples=500, deadline=None)
@given(trees())
def test_what_is_shown_is_read_as_the_same_tree(tree: Node) -> None:
    assert parse_expression(show(tree)) == tree


def test_every_character_of_a_string_survives() -> None:
    text = "".join(map(chr, [*range(0x300), 0x2028, 0x2029, 0x1F600]))

    assert parse_expression(show_string(text)) == Literal(text)
