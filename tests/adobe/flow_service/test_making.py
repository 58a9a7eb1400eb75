"""Connections and dataflows are made, to the letter of platform.md section 1."""

from __future__ import annotations

import pytest

from app.adobe.flow_service import (
    FlowService,
    Made,
    MappingRef,
    specs,
)
from app.core.errors import (
    PlatformRefused,
    PlatformUnavailable,
    PlatformUnreadable,
)
from tests.adobe.conftest import Scripted
from tests.adobe.flow_service.items import CIO, HTTP, LAKE, SCHEMA
from tests.adobe.scripted_api import FLOWS, problem


async def test_the_customerio_source_is_made_as_in_the_tutorial(
    platform: Scripted, flows: FlowService
) -> None:
    platform.answers({"id": "s1", "etag": '"e"'}, status=201)
    made = await flows.create_customerio_source("cio-source", "ours")
    assert made == Made("s1", '"e"')
    assert platform.calls == [f"POST {FLOWS}/sourceConnections"]
    assert platform.bodies == [
        {
            "name": "cio-source",
            "description": "ours",
            "providerId": "521eee4d-8cbe-4906-bb48-fb6bd4450033",
            "connectionSpec": CIO,
            "data": {"format": "json"},
        }
    ]


async def test_the_target_names_schema_and_dataset_as_in_the_tutorial(
    platform: Scripted, flows: FlowService
) -> None:
    platform.answers({"id": "t1", "etag": '"e"'}, status=201)
    await flows.create_target("cio-target", "64b0", SCHEMA)
    assert platform.calls == [f"POST {FLOWS}/targetConnections"]
    media = "application/vnd.adobe.xed-full+json;version=1"
    assert platform.bodies == [
        {
            "name": "cio-target",
            "connectionSpec": LAKE,
            "data": {"format": "json", "schema": {"id": SCHEMA, "version": media}},
            "params": {"dataSetId": "64b0"},
        }
    ]


async def test_the_flow_is_made_as_in_the_tutorial(platform: Scripted, flows: FlowService) -> None:
    platform.answers({"id": "f1", "etag": '"e"'}, {"id": "f2", "etag": '"e"'}, status=201)
    await flows.create_flow("cio-flow", "s1", "t1", MappingRef("m1", 0), "ours")
    await flows.create_flow("xdm", "s1", "t1", None, flow_spec_id=specs.HTTP_API_PLAIN)
    assert platform.bodies == [
        {
            "name": "cio-flow",
            "description": "ours",
            "flowSpec": {"id": "e77fde5a-22a8-11ed-861d-0242ac120002", "version": "1.0"},
            "sourceConnectionIds": ["s1"],
            "targetConnectionIds": ["t1"],
            "transformations": [
                {"name": "Mapping", "params": {"mappingId": "m1", "mappingVersion": 0}}
            ],
        },
        {
            "name": "xdm",
            "flowSpec": {"id": "d8a6f005-7eaf-4153-983e-e8574508b877", "version": "1.0"},
            "sourceConnectionIds": ["s1"],
            "targetConnectionIds": ["t1"],
        },
    ]


async def test_an_http_api_source_is_a_base_and_a_source_connection(
    platform: Scripted, flows: FlowService
) -> None:
    platform.answers({"id": "b1", "etag": '"e"'}, {"id": "s1", "etag": '"e"'}, status=201)
    await flows.create_base_connection("http", data_type="xdm", authenticated=True)
    await flows.create_http_source("http-source", "b1")
    assert platform.calls == [f"POST {FLOWS}/connections", f"POST {FLOWS}/sourceConnections"]
    params = {
        "dataType": "xdm", "sourceId": "http", "name": "http", "authenticationRequired": True,
    }  # fmt: skip
    assert platform.bodies == [
        {
            "name": "http",
            "connectionSpec": HTTP,
            "auth": {"specName": "Streaming Connection", "params": params},
        },
        {"name": "http-source", "baseConnectionId": "b1", "connectionSpec": HTTP},
    ]


async def test_what_was_made_but_not_named_may_be_there(
    platform: Scripted, flows: FlowService
) -> None:
    platform.answers({"etag": '"e"'}, status=201)
    with pytest.raises(PlatformUnreadable) as caught:
        await flows.create_customerio_source("cio-source")
    assert caught.value.maybe_done
    platform.answers(problem(500, "1102-500"))
    with pytest.raises(PlatformUnavailable) as lost:
        await flows.create_customerio_source("cio-source")
    assert lost.value.maybe_done
    platform.answers(problem(400, "1413-400"))
    with pytest.raises(PlatformRefused, match="ask Adobe to enable it") as refused:
        await flows.create_customerio_source("cio-source")
    assert not refused.value.maybe_done
    assert len(platform.calls) == 3
