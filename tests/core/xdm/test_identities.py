"""The rules of identityMap (platform.md sections 2.7, 2.8), which no schema tells."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.xdm import Schema, compile_schema, compose, fill_schema, schema_of_types

DOCUMENT = fill_schema(compose(), {"TENANT": "acme"})
SCHEMA = compile_schema(DOCUMENT)
EVENT = {"_id": "01E4", "timestamp": "2023-11-14T22:13:20Z"}
ECID = "87098882279810196101440938110216748923"


def check(identity_map: Any, schema: Schema = SCHEMA) -> list[tuple[str, str, str]]:
    violations = schema.check(EVENT | {"identityMap": identity_map})
    return [(v.path, v.keyword, v.message) for v in violations]


def one(identity: dict[str, Any], namespace: str = "Crm") -> dict[str, Any]:
    return {namespace: [{"primary": True, **identity}]}


@pytest.mark.parametrize(
    "identity_map",
    [
        one({"id": "x"}),
        one({"id": "x" * 1024}),
        one({"id": ECID}, "ECID"),
        {"Email": [{"id": "a"}, {"id": "b", "primary": True}, {"id": "c", "primary": False}]},
        {"Email": [{"id": "a", "primary": True}], "Crm": [{"id": "b"}]},
        {"Email": [{"id": "a", "primary": True}, *({"id": str(n)} for n in range(19))]},
        {**one({"id": " nullable "}), "Phone": [{"id": "+12025550123"}]},
    ],
)
def test_what_identity_service_takes_passes(identity_map: Any) -> None:
    assert check(identity_map) == []


def test_an_event_need_not_name_anybody() -> None:
    assert SCHEMA.check(EVENT) == ()


@pytest.mark.parametrize("nobody", ["null", "anonymous", "invalid", " ", "   "])
def test_what_stands_for_nobody_is_no_identity(nobody: str) -> None:
    wanted = "a person's id, not null, anonymous, invalid or blanks"

    assert check(one({"id": nobody})) == [
        ("/identityMap/Crm/0/id", "identity", f"expected {wanted}, found a string")
    ]


@pytest.mark.parametrize("value", [ECID[:-1], ECID + "0", ECID[:-1] + "x", "null", "٣" * 38])
def test_an_ecid_is_38_digits(value: str) -> None:
    assert check(one({"id": value}, "ECID")) == [
        ("/identityMap/ECID/0/id", "identity", "expected 38 digits, as an ECID is, found a string")
    ]


def test_an_identity_over_1024_characters_would_be_skipped_with_its_record() -> None:
    assert check(one({"id": "x" * 1025})) == [
        (
            "/identityMap/Crm/0/id",
            "identity",
            "expected at most 1024 characters, found a string of 1025",
        )
    ]


def test_an_identity_without_an_id_is_none() -> None:
    assert check({"Crm": [{"primary": True}]}) == [
        ("/identityMap/Crm/0/id", "identity", "expected a person's id, found nothing")
    ]


def test_more_than_twenty_identities_are_too_many_wherever_they_are() -> None:
    by_namespace = {f"N{n}": [{"id": "x", "primary": n == 0}] for n in range(21)}
    in_one = {"Crm": [{"id": str(n), "primary": n == 0} for n in range(21)]}

    for identity_map in (by_namespace, in_one):
        assert check(identity_map) == [
            ("/identityMap", "identity", "expected at most 20 identities, found 21 of them")
        ]


@pytest.mark.parametrize("primaries", [0, 2])
def test_of_the_identities_exactly_one_is_primary(primaries: int) -> None:
    """Without one the record does not reach Profile (section 2.8)."""
    identity_map = {f"N{n}": [{"id": "x", "primary": n < primaries}] for n in range(3)}

    assert check(identity_map) == [
        (
            "/identityMap",
            "identity",
            f"expected exactly one primary identity, found {primaries} of them",
        )
    ]


def test_a_state_that_xdm_has_not_is_named() -> None:
    ((path, keyword, _),) = check(one({"id": "x", "authenticatedState": "maybe"}))

    assert (path, keyword) == ("/identityMap/Crm/0/authenticatedState", "enum")


@pytest.mark.parametrize(
    ("identity_map", "path", "keyword"),
    [
        ([], "/identityMap", "type"),
        ({"Crm": {"id": "x"}}, "/identityMap/Crm", "type"),
        ({"Crm": ["x"]}, "/identityMap/Crm/0", "type"),
        (one({"id": 5}), "/identityMap/Crm/0/id", "type"),
        (one({"id": ""}), "/identityMap/Crm/0/id", "empty"),
        ({"Crm": [{"id": "x", "primary": "true"}]}, "/identityMap/Crm/0/primary", "type"),
        (one({"id": "x", "xid": "y"}), "/identityMap/Crm/0/xid", "additionalProperties"),
    ],
)
def test_what_is_no_map_of_identities_is_named_by_the_schema(
    identity_map: Any, path: str, keyword: str
) -> None:
    assert (path, keyword) in [(place, word) for place, word, _ in check(identity_map)]


@pytest.mark.parametrize(
    "document",
    [
        {"type": "object"},
        {"type": "object", "properties": {"identityMap": {}}},
        {"type": "object", "properties": {"identityMap": True}},
        {"type": "object", "properties": {"identityMap": {"additionalProperties": {}}}},
        schema_of_types({"identityMap": "map"}),
        schema_of_types({"identityMap.Crm[0].id": "string", "identityMap.ECID": "array"}),
        schema_of_types({"identityMap.*": "array", "identityMap.*[*].id": "string"}),
    ],
)
def test_the_rules_hold_whatever_a_schema_says_of_the_map(document: dict[str, Any]) -> None:
    schema = compile_schema(document)

    assert check(one({"id": "x"}), schema) == []
    assert [v[0] for v in check(one({"id": "null"}), schema)] == ["/identityMap/Crm/0/id"]
    assert [v[0] for v in check(one({"id": "1"}, "ECID"), schema)] == ["/identityMap/ECID/0/id"]
    assert [v[0] for v in check({"Crm": [{"id": "x"}]}, schema)] == ["/identityMap"]


def test_a_schema_without_the_map_lets_none_in() -> None:
    closed = compile_schema({"type": "object", "properties": {}, "additionalProperties": False})
    empty = compile_schema({"properties": {"identityMap": {"additionalProperties": False}}})
    never = compile_schema({"properties": {"identityMap": False}})

    assert "/identityMap" in [path for path, _, _ in check(one({"id": "x"}), closed)]
    for schema in (empty, never):
        assert [(path, word) for path, word, _ in check(one({"id": "x"}), schema)] == [
            ("/identityMap", "additionalProperties")
        ]
