"""A set as Platform gives it out and takes it: both spellings, listings, digest, posting."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from app.core.dataprep import compile_mapping_set, label_of, posted
from app.core.errors import MappingSetInvalid
from tests.core.dataprep.default_set import VARIABLES, read

# A stored set, as `GET /mappingSets` answers (API:data-prep).
STORED: dict[str, Any] = {
    "id": "428beb15b4864daaaa9dc3f005448005",
    "version": 1,
    "createdDate": 1582250953000,
    "modifiedDate": 1582251156000,
    "createdBy": "acp_xql_gateway",
    "modifiedBy": "acp_ui_platform",
    "supportVersion": "1.1",
    "inputSchema": {"id": "e660142cab8e438382abc5691b364b30", "version": 0, "sampleId": "f9e8"},
    "outputSchema": {
        "id": "1956affc28be468aa452e5e47c680c6b",
        "version": 0,
        "schemaRef": {"id": "https://ns.adobe.com/xdm/context/profile__union", "contentType": "1"},
    },
    "mappings": [
        {
            "id": "af809223484341009ce0db13d4b32a3a",
            "version": 0,
            "createdDate": 1582250953000,
            "createdBy": "acp_xql_gateway",
            "sourceType": "text/x.schema-path",
            "source": "id",
            "destination": "person.name.firstName",
            "identity": False,
            "primaryIdentity": False,
            "matchScore": 0.0,
            "functionVersion": 1,
            "sourceAttribute": "id",
            "destinationXdmPath": "person.name.firstName",
        },
        {
            "sourceType": "text/x.aep-xl",
            "source": None,
            "destination": None,
            "sourceAttribute": "lower(last)",
            "destinationXdmPath": "person.name.lastName",
            "identity": True,
            "namespaceCode": "Email",
            "name": "last name",
        },
    ],
    "status": "PUBLISHED",
    "strictMapping": False,
    "allowNullValues": False,
    "xdmVersion": "1.0",
    "schemaRef": {"id": "https://ns.adobe.com/xdm/context/profile__union", "contentType": "1.0"},
    "xdmSchema": "https://ns.adobe.com/xdm/context/profile__union",
}

# platform.md section 1.5, with all six mappings of the tutorial.
TUTORIAL: dict[str, Any] = {
    "outputSchema": {
        "schemaRef": {
            "id": "https://ns.adobe.com/{TENANT}/schemas/0123",
            "contentType": "application/vnd.adobe.xed-full+json;version=1",
        }
    },
    "mappings": [
        {"sourceAttribute": source, "destinationXdmPath": to, "identity": False, "version": 0}
        for source, to in (
            ("data.identifiers.cio_id", "_{TENANT}.cio_id"),
            ("data.identifiers.email", "_{TENANT}.email"),
            ("event_id", "_{TENANT}.event_id0"),
            ("metric", "_{TENANT}.metricx"),
            ("object_type", "_{TENANT}.object_type1"),
            ("timestamp", "_{TENANT}.timestampx"),
        )
    ],
}


@pytest.mark.parametrize(
    "document",
    [
        STORED,
        {"data": [STORED], "_page": {"count": 0, "limit": 2}},
        [STORED],
        STORED["mappings"],
        {"mappingSet": STORED, "data": [{"id": 1234}]},
    ],
    ids=["alone", "listed", "in a list", "its mappings", "in a preview request"],
)
def test_a_set_exported_from_platform_works_unchanged(document: Any) -> None:
    before = copy.deepcopy(document)

    record = compile_mapping_set(document).transform({"id": "1", "last": "SELTZER"}).record

    assert record == {"person": {"name": {"firstName": "1", "lastName": "seltzer"}}}
    assert document == before


def test_the_mappings_of_adobe_s_tutorial_compile() -> None:
    body = {
        "metric": "subscribed", "event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ",
        "object_type": "customer", "timestamp": 1613063089,
        "data": {"identifiers": {"id": "42", "email": "test@example.com", "cio_id": "d9c1"}},
    }  # fmt: skip

    compiled = compile_mapping_set(TUTORIAL, {"TENANT": "extconndev"})

    assert compiled.transform(body).record == {
        "_extconndev": {
            "cio_id": "d9c1", "email": "test@example.com", "metricx": "subscribed",
            "event_id0": "01E4C4CT6YDC7Y5M7FE1GWWPQJ", "object_type1": "customer",
            "timestampx": 1613063089,
        }
    }  # fmt: skip


def test_of_several_sets_one_must_be_given() -> None:
    document = {"data": [STORED, {**STORED, "name": "other"}]}

    with pytest.raises(MappingSetInvalid, match=r"holds 2 mapping sets .*other.*; give one"):
        compile_mapping_set(document)
    with pytest.raises(MappingSetInvalid, match="no list of rows"):
        compile_mapping_set({"data": []})
    assert label_of(document).startswith("unnamed@0+")


def test_a_stored_set_is_posted_in_the_current_spelling_without_what_platform_gives() -> None:
    assert posted({"data": [STORED]}) == {
        "version": 1,
        "inputSchema": STORED["inputSchema"],
        "outputSchema": {
            "schemaRef": {
                "id": "https://ns.adobe.com/xdm/context/profile__union",
                "contentType": "application/vnd.adobe.xed-full+json;version=1",
            }
        },
        "mappings": [
            {"sourceType": "ATTRIBUTE", "source": "id", "destination": "person.name.firstName"},
            {
                "sourceType": "EXPRESSION",
                "source": "lower(last)",
                "destination": "person.name.lastName",
                "name": "last name",
                "namespaceCode": "Email",
                "identity": True,
            },
        ],
        "allowNullValues": False,
    }


def test_our_own_set_is_posted_unchanged_once_its_variables_are_filled() -> None:
    document = read("mappings/customerio-default.json")
    variables = {**VARIABLES, "MAPPING_SET": "customerio-default", "MAPPING_VERSION": "1"}

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(child) for key, child in value.items()}
        if isinstance(value, list):
            return [filled(child) for child in value]
        for name, text in variables.items():
            value = value.replace(f"{{{name}}}", text) if isinstance(value, str) else value
        return value

    assert posted(document, variables) == filled(document)


def test_what_is_posted_means_the_same() -> None:
    again = posted(STORED)

    assert label_of(again).partition("+")[2] == label_of(STORED).partition("+")[2]
    assert posted(again) == again


def test_a_set_of_old_that_names_only_its_schema_is_posted_with_it() -> None:
    document = {
        "xdmSchema": "https://ns.adobe.com/{TENANT}/schemas/1",
        "xdmVersion": "application/vnd.adobe.xed-full+json;version=2",
        "mappings": [{"sourceType": "STATIC", "source": 5, "destination": "a"}],
    }

    body = posted(document, {"TENANT": "acme"})

    assert body["outputSchema"]["schemaRef"] == {
        "id": "https://ns.adobe.com/acme/schemas/1",
        "contentType": "application/vnd.adobe.xed-full+json;version=2",
    }
    assert body["mappings"] == [{"sourceType": "STATIC", "source": "5", "destination": "a"}]


def test_what_cannot_be_posted_is_told_at_once() -> None:
    rows = [{"sourceType": "ATTRIBUTE", "source": "a", "destination": "_{NOPE}.b"}, "row"]

    with pytest.raises(MappingSetInvalid) as invalid:
        posted({"mappings": rows})

    assert [(problem.row, problem.place) for problem in invalid.value.problems] == [
        (1, "destination"), (2, "row"), (0, "set"),
    ]  # fmt: skip


def test_the_digest_is_of_what_the_rows_do() -> None:
    described = copy.deepcopy(STORED)
    described["mappings"][0]["description"] = "new"
    described["modifiedDate"] = 5
    changed = copy.deepcopy(STORED)
    changed["mappings"][0]["destination"] = "person.name.lastName2"

    compiled = compile_mapping_set({**STORED, "name": "my set"})

    assert compiled.label == f"my set@1+{compiled.digest}" == label_of({**STORED, "name": "my set"})
    assert len(compiled.digest) == 8
    assert compile_mapping_set(described).digest == compile_mapping_set(STORED).digest
    assert compile_mapping_set(changed).digest != compile_mapping_set(STORED).digest


def test_what_is_no_set_has_a_label_too() -> None:
    for document in (None, [], {"mappings": 5}, {"version": 2**60}, {"mappings": [{1, 2}]}):
        assert label_of(document).startswith("unnamed@0+")


def test_records_can_name_the_set_that_made_them() -> None:
    rows = [
        {"sourceType": "STATIC", "source": "{MAPPING_SET}/{MAPPING_VERSION}", "destination": "by"}
    ]
    document = {"name": "my set", "version": 3, "mappings": rows}

    compiled = compile_mapping_set(document)
    told = compile_mapping_set(document, {"MAPPING_VERSION": "3-example"})

    assert compiled.transform({}).record == {"by": f"my-set/3-{compiled.digest}"}
    assert told.transform({}).record == {"by": "my-set/3-example"}
    assert told.digest == compiled.digest
