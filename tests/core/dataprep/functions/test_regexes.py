"""Regular expressions of Java: what is read, what is refused, and that none takes for ever."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.dataprep.functions.regexes import Pattern, matcher, matches_regex, pattern
from app.core.dataprep.values import RowFault
from tests.core.dataprep.evaluate import value, warning

CASES: list[tuple[str, Any]] = [
    # The function page's two examples.
    (
        'extract_regex("E259,E259B_009,1_1", "([^,]+),[^,]*,([^,]+)")',
        ["E259,E259B_009,1_1", "E259", "1_1"],
    ),
    ('matches_regex("E259,E259B_009,1_1", "([^,]+),[^,]*,([^,]+)")', True),
    ("matches_regex('abcd', 'a.c')", False),
    ("matches_regex('a', concat('a', '?'))", True),
    ("matches_regex(missing, 'a')", False),
    ("matches_regex(missing, concat('a', '?'))", False),
    ("matches_regex('a', missing)", False),
    ("matches_regex(n, '5')", True),
    ("extract_regex('a', 'b')", None),
    ("extract_regex(missing, 'b')", None),
    ("extract_regex('a', missing)", None),
    ("size_of(extract_regex('b', '(a)|(b)'))", 3),
]


@pytest.mark.parametrize(("expression", "result"), CASES)
def test_a_regular_expression_function_answers(expression: str, result: Any) -> None:
    assert value(expression, {"n": 5}) == result


# Each pair was tried with java.util.regex (JDK 25).
@pytest.mark.parametrize(
    ("regex", "matching", "other"),
    [
        (r"\p{Alpha}+\p{Punct}", "ab!", "äb!"),
        (r"\p{Lu}\p{IsLatin}*\p{L}", "Äbé", "äbé"),
        (r"[\p{Lu}0-9]+", "É1", "é1"),
        (r"\P{L}\p{javaUpperCase}\p{gc=Nd}", "-A1", "aA1"),
        (r"[a-z&&[^aeiou]]+", "bcd", "bad"),
        (r"[a-c[x-z]]+", "abxy", "abd"),
        (r"[^\d\s]+", "ab", "a1"),
        (r"[]a-]+", "]a-", "b"),
        (r"[a][\x{d000}-\x{f000}]", "a\ue000", "ab"),
        (r"\h+\v", "\u00a0\t\u2028", "\n\n"),
        (r"\R", "\r\n", "\n\r"),
        (r"\Qa.b\E+", "a.bb", "axb"),
        (r"(?<year>\d{4})-(?:\d\d)", "2021-02", "2021-٠٢"),
        (r"a(?i)b|c", "C", "AB"),
        (r"(?i)x(?-i:y)", "Xy", "XY"),
        (r"(?s).(?-s).", "\na", "a\n"),
        (r"(?d).", "\r", "\n"),
        (r"(?m)^a$\n^b$", "a\nb", "a b"),
        (r"\x41\u0042\x{43}\0104\cA\t\e", "ABCD\x01\t\x1b", "ABCD\x02\t\x1b"),
        (r"a{2}b{0,1}c{1,}?d*?", "aacc", "abc"),
        (r"\bab\b\B?", "ab", "abc"),
        (r"\Aab\z", "ab", "b"),
        (r".+\Z", "ab", ""),
        ("𝄞+[é-ü]", "𝄞𝄞ö", "𝄞z"),
    ],
)
def test_java_spellings_are_read(regex: str, matching: str, other: str) -> None:
    matches = matcher(regex)

    assert (matches(matching), matches(other)) == (True, False)
    # The same through RE2, which gets the texts over 256 characters.
    by_re2 = Pattern(regex)
    by_re2.short_fullmatch = None
    assert (by_re2.fullmatch(matching), by_re2.fullmatch(other)) == (True, False)


@pytest.mark.parametrize(
    ("regex", "detail"),
    [
        ("a(?=b)", "look-ahead (?=…) is not supported: match all of it and take a group"),
        (
            "(?!a).*",
            "look-ahead (?!…) is not supported: write two conditions instead, "
            "one of them `not matches_regex(…)`",
        ),
        (
            "(?<=a)b",
            "look-behind (?<=…) is not supported: match what stands before and take a group",
        ),
        (
            "(a)\\1",
            "back references are not supported: compare two items of extract_regex(…) instead",
        ),
        ("a*+", "the possessive quantifier *+ is not supported: write *"),
        ("(?>a)", "the atomic group (?>…) is not supported: write (?:…)"),
        ("(?x) a", "the flag (?x) is not supported: leave out blanks and comments"),
        ("\\Ga", "\\G is not supported: extract_regex(…) finds one match only"),
        ("\\b{g}", "\\b{…} is not supported: write \\b"),
        ("[a&&\\p{Lu}]", "&& and [^…] within […] are not supported beside \\p{…}"),
        ("[a\\P{Lu}]", "&& and [^…] within […] are not supported beside \\p{…}"),
        ("a**", "the * of the regular expression has nothing to repeat"),
        ("(a", "the regular expression has a ( without its )"),
        ("a)", "the regular expression has a ) without its ("),
        ("[a", "the regular expression has a [ without its ]"),
        ("[b-a]", "the regular expression has a range that ends before it begins"),
        ("a{3,2}", "the repetition {3,2} ends before it begins"),
        ("\\y", "\\y of the regular expression means nothing"),
        ("(?q)a", "the flags (?q) mean nothing"),
        ("(?#c)", "the regular expression has a (? that means nothing"),
        ("\\x{110000}", "the regular expression has a character beyond Unicode"),
        ("\\ud800", "the regular expression has half a surrogate pair"),
        ("a{1001}", "the regular expression cannot be read, or repeats over 1000 times"),
        ("\\p{Nope}", "the regular expression cannot be read, or repeats over 1000 times"),
        ("(" * 51 + ")" * 51, "groups nested deeper than 50 levels"),
        ("[" * 51 + "a" + "]" * 51, "sets nested deeper than 50 levels"),
        ("a" * 4097, "a regular expression over 4096 characters"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write_instead(regex: str, detail: str) -> None:
    with pytest.raises(RowFault) as fault:
        pattern(regex)

    assert str(fault.value) == detail


def test_a_literal_expression_is_read_when_the_set_is_compiled() -> None:
    assert warning("explode(s, concat('(', ''))", {"s": "a"}) == (
        "the regular expression has a ( without its )"
    )


@pytest.mark.parametrize(
    ("regex", "text"),
    [
        ("(a+)+b", "a" * 90_000),
        ("(a|a)*b", "a" * 90_000),
        ("a?" * 40 + "a" * 40, "a" * 39),
        ("(?:a|aa)(?:a|aa)(?:a|aa)(?:a|aa)*b", "a" * 250),
        ("a*a*a*a*a*b", "a" * 256),
        (".*.*x", "a" * 256),
        ("(x+x+)+y", "x" * 250),
    ],
)
def test_no_expression_takes_for_ever(regex: str, text: str) -> None:
    """The suite's time limit would end what tries every way to match."""
    assert matches_regex(text, regex) is False


def test_only_expressions_with_few_ways_to_match_are_given_to_python() -> None:
    assert pattern("[^@]+@[^@]+").short_fullmatch is not None
    assert pattern("a?" * 21).short_fullmatch is None
    assert pattern("a*b*c*").short_fullmatch is None
    assert pattern("(ab)*").short_fullmatch is None
    assert pattern("^*a").short_fullmatch is None
    assert pattern("^?a").short_fullmatch is None  # which Python does not read


def test_long_texts_and_large_expressions_are_bounded() -> None:
    with pytest.raises(RowFault, match="a text over 100000 characters before a regular"):
        matches_regex("a" * 100_001, "a*")
    with pytest.raises(RowFault, match=r"a text over \d{4} characters before a regular"):
        matches_regex("a" * 99_999, "(?:[ab]{1000}){1}" * 10)
    with pytest.raises(RowFault, match="a text too long to split"):
        pattern("a(.*b)?").split("a" * 50_000)


@pytest.mark.parametrize(
    ("regex", "text", "parts"),
    [
        (",", "", [""]),
        ("[,;]", "a,b;;c;", ["a", "b", "", "c", ""]),
        ("", "aé𝄞", ["a", "é", "𝄞", ""]),
        ("x*", "axb", ["a", "", "b", ""]),
        (r"\B", "é-a", ["é", "-a"]),
    ],
)
def test_a_text_is_split_as_by_java(regex: str, text: str, parts: list[str]) -> None:
    assert pattern(regex).split(text) == parts


@given(
    st.text(alphabet=r"ab.*+?|()[]^$\dwpQE{}1,2-&i:<=!", max_size=20),
    st.text(alphabet="ab1 -,\né", max_size=20),
)
def test_any_text_as_an_expression_is_read_or_refused(regex: str, text: str) -> None:
    try:
        found = pattern(regex)
    except RowFault:
        return
    by_re2 = found.groups(text)
    if found.fullmatch(text):
        assert by_re2 is not None
    assert "".join(found.split(text)) in text or found.split(text)
