"""String functions: the function page's examples first, then our judgement on nulls and bounds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.dataprep.evaluate import value, warning

SOURCE = {"s": " Aé ", "n": 5, "f": 1.5, "t": True, "o": {"a": 1, "b": "x"}, "l": [3, None, 1]}

# Expressions and outputs of Adobe's function page (platform.md section 4.3).
DOCUMENTED: list[tuple[str, Any]] = [
    ('concat("Hi, ", "there", "!")', "Hi, there!"),
    # The page's output lacks the exclamation mark.
    ('explode("Hi, there!", " ")', ["Hi,", "there!"]),
    ('instr("adobe.com", "com")', 6),
    (
        'replacestr("This is a string re test", "re", "replace")',
        "This is a string replace test",
    ),
    ('substr("This is a substring test", 7, 8)', " a subst"),
    ('lower("HeLLo")', "hello"),
    ('lcase("HeLLo")', "hello"),
    ('upper("HeLLo")', "HELLO"),
    ('ucase("HeLLo")', "HELLO"),
    ('split("Hello world", " ")', ["Hello", "world"]),
    ('join(" ", to_array(true, "Hello", "world"))', "Hello world"),
    ('lpad("bat", 8, "yz")', "yzyzybat"),
    ('rpad("bat", 8, "yz")', "batyzyzy"),
    ('left("abcde", 2)', "ab"),
    ('right("abcde", 2)', "de"),
    ('ltrim(" hello")', "hello"),
    ('rtrim("hello ")', "hello"),
    ('trim(" hello ")', "hello"),
    ('"string1".equals("STRING1")', False),
    # The page's own example lacks its last quote.
    ('"string1".equalsIgnoreCase("STRING1")', True),
]

JUDGED: list[tuple[str, Any]] = [
    ("concat('a', 1, null, true, 1.5)", "a1true1.5"),
    ("concat('', n)", "5"),
    ("concat(o)", '{"a":1,"b":"x"}'),
    ("concat()", None),
    ("lower(s)", " aé "),
    ("ucase(s)", " AÉ "),
    ("ltrim(s)", "Aé "),
    ("rtrim(s)", " Aé"),
    ("lower(missing)", None),
    ("explode('a,b')", ["a", "b"]),
    ("explode('a1b', '([0-9])')", ["a", "b"]),
    # Special delimiters need a backslash; several characters are one delimiter (documented).
    ("explode('a.b+c', '\\\\.')", ["a", "b+c"]),
    ("explode('a||b|c', '\\\\|\\\\|')", ["a", "b|c"]),
    ("explode('a,b', null)", ["a", "b"]),
    ("size_of(explode('a,,b,'))", 4),
    ("explode(missing)", None),
    # Any of the separators, empty parts left out (documented).
    ("split('a-b_c', '_-')", ["a", "b", "c"]),
    ("size_of(split(',a,,b,', ','))", 2),
    ("size_of(split('-a,,b,', ',-'))", 2),
    ("split('a]b^c', ']^')", ["a", "b", "c"]),
    ("split('a', '')", ["a"]),
    ("split(missing, ',')", None),
    ("join(', ', to_array(true, 'a', null, 1))", "a, 1"),
    ("join(', ', missing)", None),
    ("instr('aXaXa', 'a', 1, 2)", 4),
    ("instr('aaa', 'aa', 0, 2)", 1),
    ("instr('a', 'b')", -1),
    ("instr(missing, 'b')", None),
    ("instr('b', 'b', missing)", None),
    ("replacestr('aa', 'a', null)", None),
    ("replacestr('aa', '', 'x')", "aa"),
    ("replacestr('a.a', '.', '-')", "a-a"),
    ("replacestr(missing, 'a', 'b')", None),
    ("substr('abc', 1)", "bc"),
    ("substr('abc', -1, 2)", "ab"),
    ("substr('abc', 5, 2)", None),
    ("substr(missing, 1, 1)", None),
    ("lpad('abc', 2, 'x')", "abc"),
    ("rpad('a', 2, null).equals('a ')", True),
    ("lpad('a', 2, '').equals(' a')", True),
    ("lpad(missing, 2, 'x')", None),
    ("rpad(missing, 2, 'x')", None),
    ("rpad('a', missing, 'x')", None),
    ("right('a', 0)", None),
    ("left('a', -1)", None),
    ("left(missing, 1)", None),
    ("right(missing, 1)", None),
    ("n.equals('5')", True),
    ("missing.equals('5')", False),
    ("missing.equalsIgnoreCase(null)", True),
    ("'É'.equalsIgnoreCase('é') && not 'ß'.equalsIgnoreCase('SS')", True),
]


@pytest.mark.parametrize(("expression", "result"), DOCUMENTED + JUDGED)
def test_a_string_function_answers(expression: str, result: Any) -> None:
    assert value(expression, SOURCE) == result


@pytest.mark.parametrize(
    ("expression", "detail"),
    [
        ("join(',', 'a')", "a string where an array is needed"),
        ("lpad('a', 99999999, 'x')", "a text over 1000000 characters"),
        (
            "replacestr(rpad('', 2000, 'a'), 'a', rpad('', 600, 'b'))",
            "a text over 1000000 characters",
        ),
        ("concat(rpad('', 600000, 'a'), rpad('', 600000, 'b'))", "a text over 1000000 characters"),
        ("join(rpad('', 600000, 'a'), ['a', 'b', 'c'])", "a text over 1000000 characters"),
        ("split(rpad('', 300000, 'a,'), ',')", "an array over 100000 items"),
        (
            "instr(rpad('', 900000, 'a'), rpad('', 400000, 'a'), 0, 400000)",
            "too many occurrences of too long a text to count",
        ),
        ("left('a', 'x')", "a string that is no number"),
    ],
)
def test_a_string_function_says_what_it_cannot_do(expression: str, detail: str) -> None:
    assert warning(expression, SOURCE) == detail
