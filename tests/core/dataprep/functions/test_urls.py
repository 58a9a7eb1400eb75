"""URL functions: the page's examples, its table of encoded characters, what is no URL."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.dataprep.evaluate import value, warning

QUERY = "foo://example.com:8042/over/there?name=ferret#nose"
SFTP = "sftp://example.com//home/joe/employee.csv"

CASES: list[tuple[str, Any]] = [
    # The function page's examples.
    ('get_url_protocol("https://platform.adobe.com/home")', "https"),
    ('get_url_host("https://platform.adobe.com/home")', "platform.adobe.com"),
    (f'get_url_port("{SFTP}")', 22),
    (f'get_url_path("{SFTP}")', "//home/joe/employee.csv"),
    (f'get_url_query_str("{QUERY}", "retain")', {"name": "ferret#nose"}),
    (f'get_url_query_str("{QUERY}", "remove")', {"name": "ferret"}),
    (f'get_url_query_str("{QUERY}", "append")', {"name": "ferret", "_anchor_": "nose"}),
    (
        'get_url_encoded("https://example.com/partneralliance_asia-pacific_2022")',
        "https%3A%2F%2Fexample.com%2Fpartneralliance_asia-pacific_2022",
    ),
    (
        'get_url_decoded("https%3A%2F%2Fexample.com%2Fpartneralliance_asia-pacific_2022")',
        "https://example.com/partneralliance_asia-pacific_2022",
    ),
    # Judgement from here on.
    (f"get_url_path('{SFTP}', false)", "employee.csv"),
    (f"get_url_path('{SFTP}', 'no')", "employee.csv"),
    (f"get_url_path('{SFTP}', null)", "//home/joe/employee.csv"),
    ("get_url_path('https://a.example')", None),
    ("get_url_protocol('HTTPS://a.example:8/b?c=d')", "https"),
    ("get_url_host('https://u:p@A.example:8/b?c=d')", "A.example"),
    ("get_url_host('http://[::1]:80/')", "[::1]"),
    ("get_url_port('https://a.example:8/b?c=d')", 8),
    ("get_url_port('https://a.example/')", 443),
    ("get_url_port('http://a.example:/')", 80),
    ("get_url_port('foo://a.example/')", None),
    ("get_url_port('http://a:b/')", None),
    ("get_url_port('http://a:99999/')", None),
    ("get_url_host('http://a b/')", None),
    ("get_url_host('mailto:a@example.com')", None),
    ("concat(get_url_protocol(missing), get_url_host(missing), get_url_path(missing))", None),
    ("get_url_port(missing)", None),
    ("get_url_query_str('http://a/?x=1&x=2&y=%20b+c', 'remove')", {"x": "2", "y": " b c"}),
    ("get_url_query_str('http://a/?x=1#y&z=2', 'retain')", {"x": "1#y&z=2"}),
    ("get_url_query_str('http://a/#y', 'append')", {"_anchor_": "y"}),
    ("get_url_query_str('http://a/#y', 'retain')", None),
    ("get_url_query_str(missing, 'append')", None),
    ("get_url_encoded('é')", "%C3%A9"),
    ("get_url_decoded('a+b%26c%')", "a b&c%"),
    ("concat(get_url_encoded(missing), get_url_decoded(missing), get_url_host('no'))", None),
]


@pytest.mark.parametrize(("expression", "result"), CASES)
def test_a_url_function_answers(expression: str, result: Any) -> None:
    assert value(expression) == result


def test_characters_are_encoded_by_the_page_s_table() -> None:
    # The page has %5C beside a vertical bar: the code of the backslash, which the table lacks.
    table = dict.fromkeys("!\"#$%&'()*+,/:;<=>?@[]^`~\\|{}") | {" ": None}

    for character in table:
        assert value("get_url_encoded(c)", {"c": character}) == f"%{ord(character):02X}"
    assert value("get_url_encoded('aZ0-_.')") == "aZ0-_."


@pytest.mark.parametrize(
    ("expression", "detail"),
    [
        (
            "get_url_query_str('http://a/', 'x')",
            "the anchor's way is none of retain, remove, append",
        ),
        (
            "get_url_query_str(concat('http://a/?', rpad('', 30000, 'a=&')), 'remove')",
            "a query of over 10000 fields",
        ),
        ("get_url_encoded(rpad('', 400000, '/'))", "a text over 1000000 characters"),
    ],
)
def test_a_url_function_says_what_it_cannot_do(expression: str, detail: str) -> None:
    assert warning(expression) == detail
