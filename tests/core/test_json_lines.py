"""JSON line by line, and which line is at fault."""

from __future__ import annotations

import orjson
import pytest

from app.core.json_lines import lines_of, place_of, sources_of


def marked(document: object, *paths: str) -> list[str]:
    lines = lines_of(orjson.dumps(document), [place_of(path) for path in paths])
    return [line.text.strip() for line in lines if line.marked]


@pytest.mark.parametrize("document", [{"a": [1, {"b": None}], "c": {}}, [], {}, "x", 1, [[[]]]])
def test_the_lines_are_the_indented_document(document: object) -> None:
    text = "\n".join(line.text for line in lines_of(orjson.dumps(document)))
    assert text == orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/a/b", '"b": 1'),
        ("a.b", '"b": 1'),
        ("/list/1/x", '"x": 3'),
        ("list[1].x", '"x": 3'),
        ("/a", '"a": {'),
        ("/a/absent/deeper", '"a": {'),
    ],
)
def test_a_place_is_marked_or_what_would_hold_it(path: str, line: str) -> None:
    assert marked({"a": {"b": 1}, "list": [{"x": 2}, {"x": 3}]}, path) == [line]


def test_the_whole_is_never_marked() -> None:
    assert marked({"a": 1}, "/b", "") == []


def test_what_is_no_json_is_shown_as_it_is() -> None:
    assert [line.text for line in lines_of(b"a\n\xff")] == ["a", "\\xff"]
    assert lines_of(None) == []


@pytest.mark.parametrize(
    ("row", "places"),
    [
        ("#0 ATTRIBUTE data.a -> _acme.a", [("data", "a")]),
        (
            "#7 EXPRESSION iif(data.b == null, list[0].c, now()) -> _acme.b",
            [("iif",), ("data", "b"), ("null",), ("list", "0", "c"), ("now",)],
        ),
        ("", []),
    ],
)
def test_what_a_row_reads(row: str, places: list[tuple[str, ...]]) -> None:
    assert sources_of(row) == places


def test_a_bottomless_document_is_no_fault() -> None:
    deep = b"[" * 500 + b"]" * 500
    assert lines_of(deep)[0].text == "["
