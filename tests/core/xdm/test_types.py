"""Path → XDM type, out of a schema and back."""

from __future__ import annotations

import pytest

from app.core.xdm import compile_schema, compose, fill_schema, schema_of_types, types_of

TABLE = {
    "n": "object",
    "n.text": "string",
    "n.count": "int",
    "n.big": "long",
    "n.size": "number",
    "n.rate": "double",
    "n.on": "boolean",
    "n.day": "date",
    "n.at": "date-time",
    "n.words": "map",
    "n.words.*": "string",
    "n.list": "array",
    "n.list[*]": "object",
    "n.list[*].id": "string",
}


def test_types_of_a_schema_are_its_places() -> None:
    inner = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = {
        "type": "object",
        "properties": {
            "r": {"type": "array", "items": inner},
            "d.t": {"type": "string", "meta:xdmType": "date-time"},
            "m": {"meta:xdmType": "map", "additionalProperties": {"type": "integer"}},
        },
    }  # fmt: skip

    assert types_of(schema) == {
        "r": "array", "r[*]": "object", "r[*].a": "string", "d\\.t": "date-time",
        "m": "map", "m.*": "integer",
    }  # fmt: skip


def test_the_schema_of_the_events_knows_what_is_in_an_identity_map() -> None:
    types = types_of(fill_schema(compose(), {"TENANT": "acme"}))

    assert types["identityMap"] == "map"
    assert types["identityMap.*[*].id"] == "string"
    assert types["_acme.customerio.machine"] == "boolean"
    assert types["directMarketing.sends.value"] == "number"


def test_a_table_of_types_makes_a_schema_with_the_same_types() -> None:
    assert types_of(schema_of_types(TABLE)) == TABLE


@pytest.mark.parametrize(
    ("path", "bad", "good"),
    [
        ("text", 5, "x"),
        ("count", 2**31 + 1, 2**31 - 1),
        ("big", 2**53 + 1, -(2**53)),
        ("size", "1", 0.5),
        ("rate", [1], 1),
        ("on", "true", True),
        ("day", "14.11.2023", "2023-11-14"),
        ("at", "2023-11-14", "2023-11-14T22:13:20.5+02:00"),
        ("words", {"any": 1}, {"any": "x"}),
        ("list", [{"id": 1}], [{"id": "x"}, {"other": None}]),
    ],
)
def test_a_schema_of_types_checks_the_places_that_it_knows(
    path: str, bad: object, good: object
) -> None:
    schema = compile_schema(schema_of_types(TABLE))

    assert schema.check({"n": {path: good}}) == ()
    assert [v.path.split("/")[2] for v in schema.check({"n": {path: bad}})] == [path]


def test_a_schema_of_types_takes_anything_elsewhere() -> None:
    schema = compile_schema(schema_of_types(TABLE))

    assert schema.check({"n": {"new": None}, "other": [1, {"x": ""}]}) == ()
    assert compile_schema(schema_of_types({})).check({"a": 1}) == ()


def test_objects_and_arrays_on_the_way_need_no_entry() -> None:
    schema = compile_schema(schema_of_types({"a.list[*].b\\.c": "string"}))

    assert schema.check({"a": {"list": [{"b.c": "x"}]}}) == ()
    assert [v.path for v in schema.check({"a": {"list": [{"b.c": 1}]}})] == ["/a/list/0/b.c"]
    assert [v.path for v in schema.check({"a": {"list": {}}})] == ["/a/list"]


@pytest.mark.parametrize(
    "table",
    [
        {"a": "text?"},
        {"a..b": "string"},
        {"a": "string", "a.b": "string"},
        {"a": "map", "a[0]": "int"},
    ],
)
def test_a_table_that_makes_no_schema_is_refused(table: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="types: "):
        schema_of_types(table)
