"""`--like-tutorial`: the request log beside the calls of platform.md section 1, word for word.

What the pages show is written out here, and nothing is taken from the code that posts it: names,
descriptions and ids apart, this is what somebody who follows Adobe's page sends, in its order.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ConfigError
from tests.connect.stage import LOOKS, Stage, staged

FLOW = "/data/foundation/flowservice"
REGISTRY = "/data/foundation/schemaregistry/tenant"
CATALOG = "/data/foundation/catalog"
CONVERSION = "/data/foundation/conversion"

# Section 0: on every call; with a body also its type.
HEADERS = {
    "authorization": "Bearer ***",
    "x-api-key": "sandbox-client",
    "x-gw-ims-org-id": "SANDBOX@AdobeOrg",
    "x-sandbox-name": "prod",
}

# Section 1.1.
SOURCE = (
    f"POST {FLOW}/sourceConnections",
    """{
  "name": "Sluice acme",
  "providerId": "521eee4d-8cbe-4906-bb48-fb6bd4450033",
  "connectionSpec": { "id": "96479064-7b8a-4d69-b9ed-21c5683837ea", "version": "1.0" },
  "data": { "format": "json" }
}""",
)

# Section 1.2 points at the registry's guide: section 5.1, with the fields of 1.5.
FIELD_GROUP = (
    f"POST {REGISTRY}/fieldgroups",
    """{
  "type": "object", "title": "Customer.io tutorial",
  "description": "What Customer.io says of an event, under its own names.",
  "meta:intendedToExtend": ["https://ns.adobe.com/xdm/context/experienceevent"],
  "definitions": { "customFields": { "type": "object", "properties": {
    "_sluicesandbox": { "type": "object", "properties": {
      "cio_id": { "type": "string", "title": "cio_id" },
      "email": { "type": "string", "title": "email" },
      "event_id0": { "type": "string", "title": "event_id0" },
      "metricx": { "type": "string", "title": "metricx" },
      "object_type1": { "type": "string", "title": "object_type1" },
      <MORE FIELDS>
      "timestampx": { "type": "integer", "title": "timestampx" } } } } } },
  "allOf": [ { "$ref": "#/definitions/customFields" } ]
}""",
)
SCHEMA = (
    f"POST {REGISTRY}/schemas",
    """{
  "type": "object", "title": "Customer.io tutorial events",
  "description": "Message and subscription events of Customer.io, one record per event.",
  "allOf": [
    { "$ref": "https://ns.adobe.com/xdm/context/experienceevent" },
    { "$ref": "<FIELD GROUP>" } ],
  "meta:immutableTags": ["union"]
}""",
)

# Section 1.3 points at Catalog's: section 5.3.
DATASET = (
    f"POST {CATALOG}/dataSets?requestDataSource=true",
    """{
  "name": "Customer.io events", "description": "Made by Sluice, the Customer.io source.",
  "schemaRef": { "id": "<SCHEMA>",
                 "contentType": "application/vnd.adobe.xed-full+json;version=1" },
  "fileDescription": { "persisted": true, "containerFormat": "parquet", "format": "parquet" },
  "enableErrorDiagnostics": true
}""",
)

# Section 1.4.
TARGET = (
    f"POST {FLOW}/targetConnections",
    """{
  "name": "Sluice acme",
  "connectionSpec": { "id": "c604ff05-7f1a-43c0-8e18-33bf874cb11c", "version": "1.0" },
  "data": {
    "format": "json",
    "schema": {
      "id": "<SCHEMA>",
      "version": "application/vnd.adobe.xed-full+json;version=1" } },
  "params": { "dataSetId": "<DATASET>" }
}""",
)

# Section 1.5: the example's row, once for each line of the table.
MAPPING = (
    f"POST {CONVERSION}/mappingSets",
    """{
  "outputSchema": { "schemaRef": {
    "id": "<SCHEMA>",
    "contentType": "application/vnd.adobe.xed-full+json;version=1" } },
  "mappings": [
    { "sourceAttribute": "data.identifiers.cio_id",
      "destinationXdmPath": "_sluicesandbox.cio_id", "identity": false, "version": 0 },
    { "sourceAttribute": "data.identifiers.email",
      "destinationXdmPath": "_sluicesandbox.email", "identity": false, "version": 0 },
    { "sourceAttribute": "event_id",
      "destinationXdmPath": "_sluicesandbox.event_id0", "identity": false, "version": 0 },
    { "sourceAttribute": "metric",
      "destinationXdmPath": "_sluicesandbox.metricx", "identity": false, "version": 0 },
    { "sourceAttribute": "object_type",
      "destinationXdmPath": "_sluicesandbox.object_type1", "identity": false, "version": 0 },
    { "sourceAttribute": "timestamp",
      "destinationXdmPath": "_sluicesandbox.timestampx", "identity": false, "version": 0 }
    <MORE ROWS>
  ]
}""",
)

# Section 1.6.
DATAFLOW = (
    f"POST {FLOW}/flows",
    """{
  "name": "Sluice acme",
  "flowSpec": { "id": "e77fde5a-22a8-11ed-861d-0242ac120002", "version": "1.0" },
  "sourceConnectionIds": ["<SOURCE>"],
  "targetConnectionIds": ["<TARGET>"],
  "transformations": [
    { "name": "Mapping", "params": { "mappingId": "<MAPPING>", "mappingVersion": 0 } }
  ]
}""",
)

# Section 1.7: the streaming endpoint is read off it.
READ = f"GET {FLOW}/flows/<FLOW>", "null"

# In which order each page has them made.
CALLS = {
    "api": [SOURCE, FIELD_GROUP, SCHEMA, DATASET, TARGET, MAPPING, DATAFLOW, READ],
    "ui": [FIELD_GROUP, SCHEMA, SOURCE, DATASET, TARGET, MAPPING, DATAFLOW, READ],
}
# Section 1.8: the UI page wants a seventh field.
MORE = {
    "api": {"<MORE FIELDS>": "", "<MORE ROWS>": ""},
    "ui": {
        "<MORE FIELDS>": '"id": { "type": "string", "title": "id" },',
        "<MORE ROWS>": """, { "sourceAttribute": "data.identifiers.id",
          "destinationXdmPath": "_sluicesandbox.id", "identity": false, "version": 0 }""",
    },
}
KINDS = {
    "<SOURCE>": "sourceConnections",
    "<FIELD GROUP>": "fieldgroups",
    "<SCHEMA>": "schemas",
    "<DATASET>": "dataSets",
    "<TARGET>": "targetConnections",
    "<MAPPING>": "mappingSets",
    "<FLOW>": "flows",
}


async def ids(stage: Stage) -> dict[str, str]:
    """As Platform has them: one object of each kind is new."""
    objects = (await stage.ask("/objects"))["objects"]
    found = {}
    for place, kind in KINDS.items():
        [made] = [each["id"] for each in objects[kind] if not each["seeded"]]
        found[place] = made
    return found


def wanted(page: str, filled: dict[str, str]) -> list[tuple[str, Any]]:
    """(method and path, body) of each call, with these ids."""
    calls = []
    for call, body in CALLS[page]:
        for place, text in {**MORE[page], **filled}.items():
            call, body = call.replace(place, text), body.replace(place, text)
        calls.append((call, json.loads(body)))
    return calls


async def sent(stage: Stage) -> list[dict[str, Any]]:
    """What went to Platform, in order, without what only tries a mapping set."""
    return [
        call
        for call in await stage.calls()
        if call["path"].startswith("/data/") and not call["path"].endswith(LOOKS)
    ]


def told(call: dict[str, Any]) -> tuple[str, Any]:
    return f"{call['method']} {call['path']}", call["body"]


@pytest.mark.parametrize("page", CALLS)
async def test_the_calls_are_those_of_adobe_s_page(tmp_path: Path, page: str) -> None:
    async with staged(tmp_path, platform__source={"kind": "customerio"}) as stage:
        await stage.apply(like_tutorial=page)
        calls, expected = await sent(stage), wanted(page, await ids(stage))

    changing = [call for call in calls if call["method"] != "GET"]
    assert [told(call) for call in changing] == expected[:-1]
    after = calls[calls.index(changing[-1]) + 1]
    assert (f"{after['method']} {after['path']}", after["body"] or None) == expected[-1]


@pytest.mark.parametrize("page", CALLS)
async def test_each_call_has_the_headers_of_adobe_s_page(tmp_path: Path, page: str) -> None:
    async with staged(tmp_path, platform__source={"kind": "customerio"}) as stage:
        await stage.apply(like_tutorial=page)
        calls = await sent(stage)

    for call in calls:
        given = {name.lower(): value for name, value in call["headers"].items()}
        assert HEADERS.items() <= given.items(), told(call)
        typed = "application/json" if call["method"] == "POST" else None
        assert given.get("content-type") == typed, told(call)


@pytest.mark.parametrize("page", CALLS)
async def test_each_object_is_looked_for_right_before_it_is_made(tmp_path: Path, page: str) -> None:
    """Section 1.10: titles apart nothing is unique, so that looking first is what keeps it one."""
    async with staged(tmp_path, platform__source={"kind": "customerio"}) as stage:
        await stage.apply(like_tutorial=page)
        calls = await sent(stage)

    for before, call in pairwise(calls):
        if call["method"] == "POST":
            collection = call["path"].partition("?")[0]
            assert before["method"] == "GET"
            assert before["path"].partition("?")[0] == collection


@pytest.mark.parametrize("page", CALLS)
async def test_what_was_made_like_the_tutorial_is_not_made_again(tmp_path: Path, page: str) -> None:
    async with staged(tmp_path, platform__source={"kind": "customerio"}) as stage:
        await stage.apply(like_tutorial=page)
        await stage.forget()
        assert (await stage.apply(like_tutorial=page)).work == ()
        assert await stage.writes() == []


async def test_who_says_nothing_later_keeps_to_it(tmp_path: Path) -> None:
    """`connection update` cannot even say it."""
    async with staged(tmp_path, platform__source={"kind": "customerio"}) as stage:
        await stage.apply(like_tutorial="api")
        assert (await stage.plan()).work == ()
        for _ in range(2):
            assert (await stage.apply()).work == ()
        async with stage.wiring() as wiring:
            assert (await wiring.status()).in_order


async def test_its_mapping_is_said_to_lack_what_events_need(tmp_path: Path) -> None:
    async with staged(tmp_path, platform__source={"kind": "customerio"}) as stage:
        plan = await stage.plan(like_tutorial="api")
        said = "Adobe's mapping has neither _id nor timestamp, so events are refused later"
        assert said in plan.remarks


async def test_another_source_cannot_be_like_the_tutorial(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        with pytest.raises(ConfigError, match="Adobe's tutorials need `customerio`"):
            await stage.plan(like_tutorial="api")
