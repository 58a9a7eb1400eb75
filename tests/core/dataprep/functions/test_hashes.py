"""Hash functions: the page's examples, charsets as Java writes them, nulls."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.dataprep.evaluate import value, warning

CASES: list[tuple[str, Any]] = [
    # The function page's examples.
    ('sha1("my text", "UTF-8")', "c3599c11e47719df18a2448690840c5dfcce3c80"),
    (
        'sha256("my text", "UTF-8")',
        "7330d2b39ca35eaf4cb95fc846c21ee6a39af698154a83a586ee270a0d372104",
    ),
    (
        'sha512("my text", "UTF-8")',
        "a3d7e45a0d9be5fd4e4b9a3b8c9c2163c21ef708bf11b4232bb21d2a8704ada2"
        "cdcd7b367dd0788a89a5c908cfe377aceb1072a7b386b7d4fd2ff68a8fd24d16",
    ),
    ('md5("my text", "UTF-8")', "d3b96ce8c9fb4e9bd0198d03ba6852c7"),
    ('crc32("my text", "UTF-8")', "8df92e80"),
    # RFC 1321, FIPS 180.
    ("md5('abc')", "900150983cd24fb0d6963f7d28e17f72"),
    ("sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("md5('é', 'ISO-8859-1')", "3406877694691ddd1dfb0aca54681407"),
    # Java's UTF-16: a mark of the byte order, then big-endian.
    ("crc32('a', 'utf-16').equals(crc32('a'))", False),
    ("md5('é', 'US-ASCII').equals(md5('?'))", True),
    ("md5('abc', null).equals(md5('abc', 'UTF-8'))", True),
    ("md5(n).equals(md5('5'))", True),
    ("concat(md5(missing), crc32(missing), sha256(missing))", None),
]


@pytest.mark.parametrize(("expression", "result"), CASES)
def test_a_hash_function_answers(expression: str, result: Any) -> None:
    assert value(expression, {"n": 5}) == result


def test_java_writes_utf_16_with_a_byte_order_mark() -> None:
    # md5 of fe ff 00 61
    assert value("md5('a', 'UTF-16')") == "4b936244fb81c0500598b1938266f69a"


def test_an_unknown_charset_is_a_fault() -> None:
    assert warning("md5('a', 'EBCDIC')") == (
        "the charset is none of UTF-8, UTF-16, ISO-8859-1, US-ASCII"
    )
