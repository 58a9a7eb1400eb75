"""`check`: all that is wrong with a set, its schema and its examples, at once."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from app.core.check import check_mapping_set, unknown_sources
from app.core.dataprep import Problem, compile_mapping_set
from app.core.published import PUBLISHED
from tests.core.dataprep.default_set import VARIABLES, read
from tests.core.dataprep.evaluate import row

SCHEMA: dict[str, Any] = {
    "type": "object",
    "meta:xdmType": "object",
    "required": ["_id", "timestamp"],
    "properties": {
        "_id": {"type": "string", "format": "uri-reference"},
        "timestamp": {"type": "string", "format": "date-time", "meta:xdmType": "date-time"},
        "producedBy": {"type": "string", "enum": ["self", "system"]},
        "count": {"type": "integer", "maximum": 10},
        "channel": {
            "type": "object",
            "required": ["_id"],
            "properties": {"_id": {"type": "string"}, "mediaType": {"type": "string"}},
        },
        "_{TENANT}": {
            "type": "object",
            "properties": {
                "tags": {"type": "array", "items": {"type": "string"}},
                "free": {"type": "object"},
                "map": {
                    "type": "object",
                    "meta:xdmType": "map",
                    "additionalProperties": {"type": "string"},
                },
            },
        },
    },
}

ID = row("event_id", "_id", "ATTRIBUTE")
TIME = row("dformat(timestamp * 1000, \"yyyy-MM-dd'T'HH:mm:ssX\")", "timestamp")


def found(*rows: Any, examples: Any = None) -> tuple[Problem, ...]:
    document = {"name": "n", "mappings": [ID, TIME, *rows]}
    return check_mapping_set(document, {"TENANT": "acme"}, SCHEMA, examples).problems


def test_the_default_set_is_right() -> None:
    report = check_mapping_set(
        read("mappings/customerio-default.json"),
        VARIABLES,
        read("schemas/customerio-events.json"),
        read("mappings/examples/customerio-default.json"),
    )

    assert report.problems == ()
    assert report.mapping_set is not None
    assert report.schema is not None


def test_ten_faults_get_ten_messages() -> None:
    rows = [
        {"sourcetype": "ATTRIBUTE", "source": "a", "destination": "b"},
        row("lower(a", "channel._id"),
        row("lowre(a)", "channel.mediaType"),
        row("a", "_{TENANT}.tag", "ATTRIBUTE"),
        row("a", "_{TENNANT}.tags", "ATTRIBUTE"),
        row("a", "_id", "ATTRIBUTE"),
        row("nobody", "producedBy", "STATIC"),
        row("iif(a, 5, 50)", "count"),
        row("a", "_{TENANT}.tags.name", "ATTRIBUTE"),
        row("US", "_{TENANT}.free.l[*]", "STATIC"),
    ]

    problems = found(*rows)

    assert [(problem.row, problem.place, problem.column) for problem in problems] == [
        (3, "row", None),
        (4, "source", 6),
        (5, "source", 1),
        (6, "destination", 11),
        (7, "destination", 2),
        (8, "destination", 1),
        (9, "source", None),
        (10, "source", None),
        (11, "destination", 16),
        (12, "destination", None),
    ]
    told = "\n".join(map(str, problems))
    for text in (
        "did you mean sourceType?",
        "the schema has no tag in _acme; did you mean tags?",
        "the variable {TENNANT} has no value",
        "_id is written by row #1 already",
        "a constant that does not fit",
        "_acme.tags is array in the schema, not an object",
        "needs another row that makes the elements",
    ):
        assert text in told


def test_places_of_maps_and_free_objects_are_known() -> None:
    rows = [
        row("a", "_{TENANT}.map.any", "ATTRIBUTE"), row("a", "_{TENANT}.free.x[0].y", "ATTRIBUTE"),
        row("a", "_{TENANT}.tags[0]", "ATTRIBUTE"),
    ]  # fmt: skip

    assert found(*rows) == ()
    [problem] = found(row("a", "producedBy.x", "ATTRIBUTE"))
    assert problem.message == "producedBy is string in the schema, not an object"


def test_constants_are_brought_to_their_type_before_they_are_tried() -> None:
    assert found(row("5", "count", "STATIC"), row("system", "producedBy", "STATIC")) == ()
    [problem] = found(row('decode(a, "x", 3, "y", 30, 4)', "count"))
    assert problem.message.startswith("a constant that does not fit")
    [problem] = found(row("x", "count", "STATIC"))
    assert problem.row == 3


def test_what_is_required_must_be_written() -> None:
    report = check_mapping_set(
        {"mappings": [row("a", "channel.mediaType", "ATTRIBUTE")]}, {"TENANT": "acme"}, SCHEMA
    )

    assert [str(problem) for problem in report.problems] == [
        "#1 ATTRIBUTE a -> channel.mediaType: channel needs a _id, which no row writes",
        "no row writes _id, which the schema requires",
        "no row writes timestamp, which the schema requires",
    ]
    assert found(row("a", "channel", "ATTRIBUTE"), row("b", "channel.mediaType")) == ()


BODY = {"event_id": "1", "timestamp": 1613063089, "metric": "sent"}
RECORD = {"_id": "1", "timestamp": "2021-02-11T17:04:49Z"}


def told(*examples: Any) -> list[str]:
    document = {"variables": {"TENANT": "other"}, "examples": list(examples)}
    return [problem.message.partition(": ")[2] for problem in found(examples=document)]


def test_examples_that_come_out_as_written_are_no_problem() -> None:
    future = {**BODY, "timestamp": 5_000_000_000}
    assert (
        told(
            {"name": "plain", "in": BODY, "out": RECORD},
            {
                "name": "far ahead",
                "in": future,
                "out": {"_id": "1", "timestamp": "2128-06-11T08:53:20Z"},
            },
            {"name": "no time", "in": {"event_id": "1"}, "fails": "timestamp"},
            {"name": "a colon", "in": {**BODY, "event_id": "a:b"}, "fails": "/_id"},
        )
        == []
    )


@pytest.mark.parametrize(
    ("example", "message"),
    [
        ({"in": BODY, "out": {"_id": "1"}}, "timestamp is there, but not wanted"),
        ({"in": BODY, "out": {**RECORD, "_id": "2"}}, "_id has another value"),
        ({"in": BODY, "out": {**RECORD, "_id": 1}}, "_id is a string, not a number"),
        ({"in": BODY, "out": {**RECORD, "x": {"y": 1}}}, "x is missing"),
        ({"in": BODY, "fails": "_id"}, "it should fail at _id, but makes a valid record"),
        (
            {"in": {"event_id": "1"}, "out": RECORD},
            "it should make a record, but fails: required_missing in #2",
        ),
        (
            {"in": {"event_id": "1"}, "fails": "_id"},
            "it should fail at _id, but fails at timestamp",
        ),
        ({"in": BODY, "out": RECORD, "warns": ["x"]}, "rows that fail are none, not ['x']"),
        ({"in": BODY}, "it needs either `out` or `fails`"),
        ({"in": 5, "out": {}}, 'it is no {"in": object, "out" or "fails"}'),
        ("text", 'it is no {"in": object, "out" or "fails"}'),
    ],
)
def test_an_example_that_differs_says_where_without_its_values(example: Any, message: str) -> None:
    [problem] = told(example)

    assert problem.startswith(message)


def test_the_name_of_an_example_is_told() -> None:
    document = {"examples": [{"name": "mine", "in": BODY, "fails": "x"}], "variables": {}}

    [problem] = check_mapping_set(
        {"name": "n", "mappings": [ID, TIME]}, {}, None, document
    ).problems

    assert str(problem).startswith("example 1 (mine) of n@0+")


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ([], "the examples are no"),
        ({"examples": 5}, "the examples are no"),
        ({"examples": [], "variables": {}}, "with the variables of the examples: "),
    ],
)
def test_examples_that_cannot_be_run_are_a_problem(examples: Any, message: str) -> None:
    [problem] = found(examples=examples)

    assert problem.message.startswith(message)


@pytest.mark.parametrize("schema", [5, {"type": "nonsense"}, {"properties": {"{NOPE}": {}}}])
def test_a_schema_that_cannot_be_used_is_a_problem(schema: Any) -> None:
    report = check_mapping_set({"mappings": [ID, TIME]}, {}, schema)

    assert report.schema is None
    assert report.mapping_set is not None
    assert str(report.problems[0]).startswith("the schema cannot be used")


def test_a_schema_of_a_type_that_xdm_lacks_is_a_problem() -> None:
    schema = copy.deepcopy(SCHEMA)
    schema["properties"]["count"]["meta:xdmType"] = "intger"

    report = check_mapping_set({"mappings": [ID, TIME]}, {"TENANT": "acme"}, schema)

    assert str(report.problems[0]) == (
        "the schema: types: count: 'intger' is no XDM type; did you mean integer?"
    )


def test_a_set_without_rows_is_one_problem() -> None:
    report = check_mapping_set({}, {"TENANT": "acme"}, SCHEMA)

    assert report.mapping_set is None
    assert "no list of rows" in str(report.problems[0])


def test_reading_what_no_published_event_has_is_a_hint() -> None:
    published = {path for paths in PUBLISHED.values() for path in paths}
    compiled = compile_mapping_set(
        {"mappings": [row("data.recipent", "x", "ATTRIBUTE"), row("lower(data.recipient)", "y")]}
    )

    [problem] = unknown_sources(compiled, published)

    assert str(problem) == (
        "#1 ATTRIBUTE data.recipent -> x: no published event has data.recipent; "
        "did you mean data.recipient?"
    )


def test_a_destination_that_is_no_path_is_told_once() -> None:
    [problem] = found(row("a", "x..y", "ATTRIBUTE"))

    assert (problem.row, problem.place, problem.column) == (3, "destination", 3)


def test_a_constant_that_nothing_can_hold_is_told() -> None:
    problems = found(row("iif(a, 9007199254740993, '')", "count"))

    assert [problem.row for problem in problems] == [3]
    assert problems[0].message.startswith("the constant cannot be written: an integer beyond 2^53")


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"type": ["string", "null"]}}},
        {"properties": {"a": True}},
        {"allOf": [{"required": ["_id", "timestamp"]}], "properties": {"_id": {}, "timestamp": {}}},
    ],
)
def test_schemas_of_another_shape_are_no_crash(schema: Any) -> None:
    report = check_mapping_set({"mappings": [ID, TIME]}, {}, schema)

    assert report.mapping_set is not None


def test_variables_of_examples_must_do() -> None:
    document = {"variables": {"TENANT": "a b"}, "examples": []}

    [problem] = found(row("a", "_{TENANT}.map", "ATTRIBUTE"), examples=document)

    assert problem.message.startswith("with the variables of the examples: ")
    [problem] = check_mapping_set(
        {"mappings": [row("a", "_{T}.x", "ATTRIBUTE")]}, {"T": "t"}, None, {"examples": []}
    ).problems
    assert "the variable {T} has no value" in problem.message
