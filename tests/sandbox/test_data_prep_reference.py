"""The sandbox's validate and preview against Adobe's pages: tests/fixtures/dataprep."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.dataprep.reference import CASES, FIELDS, GOOD, REFUSED
from tests.sandbox.dataflow import CONTENT_TYPE, CONVERSION, EVENT_CLASS, REGISTRY, field_group

SETS = f"{CONVERSION}/mappingSets"


async def schema_of(platform: Any) -> str:
    """A schema with the fields of the cases."""
    _, group = await platform.ask("POST", f"{REGISTRY}/tenant/fieldgroups", field_group(**FIELDS))
    parts = [{"$ref": EVENT_CLASS}, {"$ref": group["$id"]}]
    body = {"type": "object", "title": "reference", "allOf": parts}
    _, schema = await platform.ask("POST", f"{REGISTRY}/tenant/schemas", body)
    return str(schema["$id"])


async def mapping_set(platform: Any, name: str) -> dict[str, Any]:
    reference = {"id": await schema_of(platform), "contentType": CONTENT_TYPE}
    return {"outputSchema": {"schemaRef": reference}, "mappings": CASES[name]["rows"]}


@pytest.mark.parametrize("name", GOOD)
async def test_validate_and_preview_say_what_the_page_says(platform: Any, name: str) -> None:
    case, asked = CASES[name], await mapping_set(platform, name)

    _, verdict = await platform.ask("POST", f"{SETS}/validate", asked)
    body = {"data": [case["event"]], "mappingSet": asked}
    status, answer = await platform.ask("POST", f"{SETS}/preview", body)

    assert [each["status"] for each in verdict["validationResponse"]] == ["SUCCESS"] * len(
        case["rows"]
    )
    assert status == 200, answer
    [made] = answer
    assert made["data"] == case["record"], case["page"]
    assert len(made["errors"] or []) == case.get("fails", 0)


@pytest.mark.parametrize("name", REFUSED)
async def test_validate_refuses_what_the_page_allows_not(platform: Any, name: str) -> None:
    asked = await mapping_set(platform, name)

    _, verdict = await platform.ask("POST", f"{SETS}/validate", asked)

    [entry] = verdict["validationResponse"]
    assert entry["status"] == "FAILED" and entry["errors"]
    body = {"data": [CASES[name]["event"]], "mappingSet": asked}
    assert (await platform.ask("POST", f"{SETS}/preview", body))[0] == 400
