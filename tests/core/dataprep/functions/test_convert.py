"""Conversions and JSON: the page's examples, then our judgement."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.dataprep.evaluate import value, warning

CASES: list[tuple[str, Any]] = [
    # The function page's examples; a BigInteger with a fraction is the page's own.
    ('to_bigint("1000000.34")', 1000000.34),
    ('to_decimal("20.5")', 20.5),
    # The page says 12.34566, which no float makes of this text.
    ('to_float("12.3456")', 12.3456),
    ('to_integer("12")', 12),
    (
        'json_to_object({"info":{"firstName":"John","lastName": "Doe"}})',
        {"info": {"firstName": "John", "lastName": "Doe"}},
    ),
    # Judgement from here on.
    ("to_integer('1.9')", 1),
    ("to_integer('3000000000')", 3000000000),
    # Java's Float.parseFloat (JDK 25).
    ("to_float('0.123456789')", 0.12345679),
    ("to_float(16777217)", 16777216.0),
    ("to_float(2)", 2.0),
    ("to_float('-1e-45')", -1e-45),
    ("to_float('3.4028235e38')", 3.4028235e38),
    ("coalesce(to_integer(''), to_decimal(missing), to_float(''), to_bigint(missing))", None),
    ("json_to_object('{\"a\": [1]}')", {"a": [1]}),
    ("json_to_object('5')", 5),
    ("json_to_object(missing)", None),
    ("json_to_object('')", None),
]


@pytest.mark.parametrize(("expression", "result"), CASES)
def test_a_conversion_answers(expression: str, result: Any) -> None:
    assert value(expression) == result


@pytest.mark.parametrize(
    ("expression", "detail"),
    [
        ("json_to_object('{')", "the text is not JSON"),
        ("json_to_object(5)", "a number where a JSON text is needed"),
        ("to_integer('x')", "a string that is no number"),
        ("to_decimal(to_bigint(rpad('1', 390, '0')))", "a number too large for a double"),
        ("to_float('1e39')", "a number too large for a float"),
        ("to_decimal('Infinity')", "a string that is no number"),
    ],
)
def test_a_conversion_says_what_it_cannot_do(expression: str, detail: str) -> None:
    assert warning(expression) == detail
