"""One expression over one document, alone and in batches."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.dataprep.functions import FUNCTIONS
from app.core.dataprep.values import RowFault
from app.core.errors import MappingSetInvalid
from app.core.evaluate import eval_line, evaluate, value_of


def answer(line: Any) -> dict[str, Any]:
    raw = line if isinstance(line, bytes) else json.dumps(line).encode()
    found: dict[str, Any] = json.loads(eval_line(raw, 1_613_063_089_000))
    return found


@pytest.mark.parametrize(
    ("expression", "document", "wanted"),
    [
        ('concat("Hi, ", "there", "!")', {}, "Hi, there!"),
        ("a.b", {}, None),
        ("a", {"a": {"x": None, "y": ["", {}]}}, {"x": None, "y": ["", {}]}),
        ("a + 1", {"a": 1}, 2),
        ('iif("s".equalsIgnoreCase("S"), "True", "False")', {}, "True"),
        ('date("2019-10-23 11:24", "yyyy-MM-dd HH:mm")', {}, "2019-10-23T11:24:00Z"),
        ('to_array(true, date("2019", "yyyy"), null)', {}, ["2019-01-01T00:00:00Z", None]),
    ],
)
def test_the_value_is_bare(expression: str, document: Any, wanted: Any) -> None:
    assert json.loads(evaluate(expression, document)) == wanted
    assert answer({"expr": expression, "input": document}) == {"value": wanted}


def test_the_moment_is_the_one_that_is_given() -> None:
    assert evaluate("timestamp()", {}, 1_571_850_624_571) == b"1571850624571"
    assert evaluate("now()", {}, 1_571_850_624_000) == b'"2019-10-23T17:10:24Z"'
    same = evaluate("uuid()", {"event_id": "1"}, 5)
    assert evaluate("uuid()", {"event_id": "1"}, 5) == same
    assert evaluate("uuid()", {"event_id": "2"}, 5) != same


def test_what_cannot_be_compiled_names_the_character() -> None:
    with pytest.raises(MappingSetInvalid) as invalid:
        evaluate("concat(a", {})

    [problem] = invalid.value.problems
    assert (problem.row, problem.place, problem.text) == (0, "source", "concat(a")
    assert problem.pointed().startswith("concat(a\n")


def test_all_faults_of_an_expression_are_in_one_error() -> None:
    error = answer({"expr": "nope(1) + lower()", "input": {}})["error"]

    assert "nope" in error
    assert "lower()" in error


def test_what_cannot_be_computed_is_told_without_values() -> None:
    with pytest.raises(RowFault):
        value_of("1 / a", {"a": 0})
    assert "secret" not in answer({"expr": "to_integer(a)", "input": {"a": "secret"}})["error"]


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b'"a"', b'{"input": {}}', b'{"expr": 5}', b"\xff", b"[" * 100_000],
)
def test_a_line_that_asks_nothing_is_answered_with_an_error(line: bytes) -> None:
    assert list(answer(line)) == ["error"]


def test_whole_numbers_of_any_size_are_values() -> None:
    assert evaluate("to_bigint(a)", {"a": "123456789012345678901234567890"}) == (
        b"123456789012345678901234567890"
    )


def test_the_input_may_be_left_out() -> None:
    assert answer({"expr": "1 + 1"}) == {"value": 2}


def test_values_that_json_cannot_hold_are_errors() -> None:
    assert list(answer(b'{"expr": "a", "input": {"a": NaN}}')) == ["error"]
    deep = b'{"expr": "a", "input": {"a": ' + b"[" * 300 + b"]" * 300 + b"}}"
    assert list(answer(deep)) == ["error"]


def test_what_breaks_for_a_reason_of_python_s_is_told_without_its_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(text: Any) -> Any:
        raise KeyError(text)

    monkeypatch.setitem(FUNCTIONS, "lower", broken)  # type: ignore[arg-type]
    monkeypatch.setitem(FUNCTIONS, "upper", lambda text: object())  # type: ignore[arg-type]

    error = answer({"expr": "lower(a)  ", "input": {"a": "secret"}})["error"]

    assert error == "KeyError in the computation"
    assert "JSON cannot hold" in answer({"expr": "upper(a)  "})["error"]
