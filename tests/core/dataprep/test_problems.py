"""Problems of a mapping set: one line naming the row, and a caret under the place."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.dataprep import Problem, compile_mapping_set
from app.core.dataprep.problems import did_you_mean, one_line
from app.core.dataprep.variables import written_column
from app.core.errors import MappingSetInvalid


def problems(*rows: Any, variables: dict[str, str] | None = None) -> tuple[Problem, ...]:
    with pytest.raises(MappingSetInvalid) as invalid:
        compile_mapping_set({"mappings": list(rows)}, variables)
    return invalid.value.problems


def expression(source: str, destination: str = "x") -> dict[str, str]:
    return {"sourceType": "EXPRESSION", "source": source, "destination": destination}


def test_a_problem_is_one_line_that_names_row_and_place() -> None:
    problem = Problem(12, "source", 4, "what is wrong", "a +", "#12 EXPRESSION a + -> c.d")

    assert str(problem) == "#12 EXPRESSION a + -> c.d: what is wrong (character 4 of its source)"
    assert str(Problem(0, "set", None, "the set has no rows")) == "the set has no rows"


@pytest.mark.parametrize(
    ("text", "column", "shown"),
    [
        ("a + b", 3, "a + b\n  ^"),
        ("a +", 4, "a +\n   ^"),
        ("", 1, ""),
        ("a", None, ""),
        ("a\t+\n\x00b", 6, "a→+↵·b\n     ^"),
        ("名前 + x", 6, "名前 + x\n       ^"),
        ("e\u0301 + x", 4, "e\u0301 + x\n  ^"),
    ],
)
def test_the_caret_stands_under_the_place(text: str, column: int | None, shown: str) -> None:
    assert Problem(1, "source", column, "", text).pointed() == shown


def test_of_a_long_text_a_hundred_characters_around_the_place_are_shown() -> None:
    text = "".join(chr(ord("a") + number % 26) for number in range(4000))

    shown, caret = Problem(1, "source", 2001, "", text).pointed().splitlines()

    assert len(shown) == 102
    assert shown[0] == shown[-1] == "…"
    assert shown[len(caret) - 1] == text[2000]
    first = Problem(1, "source", 1, "", text).pointed().splitlines()
    assert (first[0][:3], first[0][-1], first[1]) == ("abc", "…", "^")
    last = Problem(1, "source", 4001, "", text).pointed().splitlines()
    assert len(last[1]) == len(last[0]) + 1


def test_columns_count_in_the_text_as_it_is_written() -> None:
    rows = [expression("concat(a, '{TENANT}') +", "_{TENANT}.x"), expression("a", "_{T}..y")]

    first, second = problems(*rows, variables={"TENANT": "a-long-name", "T": "t"})

    assert first.text == "concat(a, '{TENANT}') +"
    assert first.column == len(first.text) + 1
    assert second.text == "_{T}..y"
    assert second.pointed() == "_{T}..y\n     ^"


def test_a_column_inside_a_variable_is_where_the_variable_stands() -> None:
    [problem] = problems(expression("concat({T}..a)"), variables={"T": "tenant"})

    assert problem.pointed() == "concat({T}..a)\n           ^"
    assert written_column("a{T}b", {"T": "tenant"}, 4) == 2
    assert written_column("a{T}b", {"T": "tenant"}, 1) == 1


def test_all_faults_of_one_expression_are_told_each_with_its_place() -> None:
    first, second = problems(expression("nope(a) + lower()"))

    assert (first.row, first.place, first.column) == (1, "source", 1)
    assert (second.row, second.place, second.column) == (1, "source", 11)
    assert first.label == second.label == "#1 EXPRESSION nope(a) + lower() -> x"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"sourcetype": "ATTRIBUTE", "source": "a", "destination": "b"},
            "sourceType is missing, but there is sourcetype; did you mean sourceType?",
        ),
        (
            {"sourceType": "ATTRIBUTE", "source": "a", "destinaton": "b"},
            "destination is missing, but there is destinaton; did you mean destination?",
        ),
        (
            {"sourceType": "ATTRIBUTE", "sorce": "a", "destination": "b"},
            "source is missing, but there is sorce; did you mean source?",
        ),
        (
            {"sourceType": "EXPRESION", "source": "a", "destination": "b"},
            "sourceType is none of ATTRIBUTE, EXPRESSION, STATIC; did you mean EXPRESSION?",
        ),
        (
            {"sourceType": 5, "source": "a", "destination": "b"},
            "sourceType is a number, not ATTRIBUTE, EXPRESSION or STATIC",
        ),
        ({"sourceType": "ATTRIBUTE", "source": "a", "destination": ""}, "destination is empty"),
        (
            {"sourceType": "ATTRIBUTE", "source": 5, "destination": "b"},
            "source is a number, not a text",
        ),
        (
            {"sourceType": "STATIC", "source": ["a"], "destination": "b"},
            "source is an array, not a text",
        ),
    ],
)
def test_what_is_misspelt_in_a_row_is_said(row: dict[str, Any], message: str) -> None:
    [problem] = problems(row)

    assert (problem.row, problem.label, problem.message) == (1, "#1", message)


def test_a_misspelt_list_of_rows_is_said() -> None:
    with pytest.raises(MappingSetInvalid, match="there is `mapings`; did you mean mappings"):
        compile_mapping_set({"name": "n", "mapings": []})


def test_long_words_and_texts_stay_short() -> None:
    assert did_you_mean("x" * 10_000, ["source"]) == ""
    assert one_line("a\n b\tc", 80) == "a b c"
    assert one_line("x" * 90, 80) == "x" * 79 + "…"
