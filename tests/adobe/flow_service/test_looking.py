"""Connections, dataflows and specs are read and found, to the letter of platform.md section 1."""

from __future__ import annotations

from typing import Any

import pytest

from app.adobe.flow_service import (
    FlowService,
    Inlet,
    MappingRef,
    Spec,
    specs,
)
from app.core.errors import (
    PlatformMissing,
    PlatformRefused,
    PlatformUnreadable,
)
from tests.adobe.conftest import Scripted
from tests.adobe.flow_service.items import CIO, HTTP, INLET, LAKE, SCHEMA, flow_item, page
from tests.adobe.scripted_api import FLOWS, problem


async def test_a_flow_is_read_as_the_reference_shows_it(
    platform: Scripted, flows: FlowService
) -> None:
    platform.answers(page(flow_item()))

    found = await flows.flow("f1")

    assert found is not None
    assert (found.id, found.name, found.etag, found.enabled) == ("f1", "cio-flow", '"e1"', True)
    assert (found.spec_id, found.source_spec_ids) == (specs.STREAMING, (specs.CUSTOMERIO,))
    assert (found.source_connection_ids, found.target_connection_ids) == (("s1",), ("t1",))
    assert found.mapping == MappingRef("m1", 3)
    assert (found.operation, found.operation_ms, found.updated_ms) == ("enable", 12, 20)
    assert await flows.inlet(found) == Inlet(INLET, "ab" * 32, False, "raw")
    assert platform.calls == [f"GET {FLOWS}/flows/f1"]


async def test_what_is_not_there_is_none_and_a_wrong_sandbox_is_a_fault(
    platform: Scripted, flows: FlowService
) -> None:
    platform.answers(problem(404, "1101-404"), problem(400, "1430-400"), problem(404, "2100-404"))
    assert await flows.flow("f1") is None
    assert await flows.flow("f1") is None
    with pytest.raises(PlatformRefused, match=r"platform\.sandbox_name") as caught:
        await flows.flow("f1")
    assert not isinstance(caught.value, PlatformMissing)


async def test_an_http_api_sources_inlet_is_its_base_connections(
    platform: Scripted, flows: FlowService
) -> None:
    auth = {
        "specName": "Streaming Connection",
        "params": {
            "dataType": "xdm", "authenticationRequired": True, "inletUrl": INLET, "inletId": "i1",
        },
    }  # fmt: skip
    base = {"id": "b1", "name": "http", "etag": '"e"', "connectionSpec": HTTP, "auth": auth}
    source = {"id": "s1", "name": "s", "connectionSpec": HTTP, "baseConnectionId": "b1"}
    inherited = {"sourceConnections": [{"id": "s1", "connectionSpec": HTTP}]}
    http, bare = flow_item(inheritedAttributes=inherited), flow_item(options={})
    platform.answers(page(http), page(source), page(base), page(bare))

    found = await flows.flow("f1")
    assert found is not None
    # Whether a token is wanted is said there alone.
    assert await flows.inlet(found) == Inlet(INLET, "i1", True, "xdm")

    without = await flows.flow("f1")
    assert without is not None
    platform.answers(page({"id": "s1", "name": "s", "connectionSpec": HTTP}))
    assert await flows.inlet(without) is None


async def test_connections_are_found_by_their_spec_and_told_apart_by_their_name(
    platform: Scripted, flows: FlowService
) -> None:
    """Filters on the names of source and target connections are not sure (section 1.10)."""
    sources = [
        {"id": "s3", "name": "mine", "connectionSpec": CIO, "createdAt": 3},
        {"id": "s1", "name": "mine", "connectionSpec": CIO, "createdAt": 1},
        {"id": "s2", "name": "Mine", "connectionSpec": CIO, "createdAt": 0},
        {"id": "s4", "name": "mine", "connectionSpec": HTTP, "createdAt": 0},
    ]
    platform.answers(page(*sources))
    found = await flows.source_connections_named("mine")
    assert [each.id for each in found] == ["s1", "s3"]
    assert ("property", f"connectionSpec.id=={specs.CUSTOMERIO}") in platform.queries[0]

    target = {
        "id": "t1", "name": "mine", "connectionSpec": LAKE, "params": {"dataSetId": "64b0"},
        "data": {"schema": {"id": SCHEMA, "version": specs.SCHEMA_TYPE}},
    }  # fmt: skip
    platform.answers(page(target))
    [one] = await flows.target_connections_named("mine")
    assert (one.dataset_id, one.schema_id, one.schema_type) == ("64b0", SCHEMA, specs.SCHEMA_TYPE)


async def test_flows_and_base_connections_are_found_by_their_name(
    platform: Scripted, flows: FlowService
) -> None:
    platform.answers(page(flow_item(), flow_item(id="f2", name="cio-flow-2")), page())
    assert [each.id for each in await flows.flows_named("cio-flow")] == ["f1"]
    assert await flows.base_connections_named("http") == []
    assert [query[0] for query in platform.queries] == [
        ("property", "name==cio-flow"), ("property", "name==http"),
    ]  # fmt: skip


async def test_a_name_that_means_something_in_a_filter_is_looked_for_here(
    platform: Scripted, flows: FlowService
) -> None:
    platform.answers(page(flow_item(name="a,b"), flow_item(id="f2", name="a")))
    assert [each.id for each in await flows.flows_named("a,b")] == ["f1"]
    assert platform.queries == [[("limit", "100")]]


async def test_all_pages_are_looked_through(platform: Scripted, flows: FlowService) -> None:
    link = {"next": {"href": f"{FLOWS}/flows?continuationToken=abc"}}
    platform.answers(page(flow_item(name="x"), _links=link), page(flow_item(id="f9")))
    assert [each.id for each in await flows.flows_named("cio-flow")] == ["f9"]
    assert platform.queries[1][-1] == ("continuationToken", "abc")


async def test_pages_without_end_are_not_taken_for_all(
    platform: Scripted, flows: FlowService
) -> None:
    platform.answers(*(page(_page={"next": f"token-{n}"}) for n in range(60)))
    with pytest.raises(PlatformUnreadable, match="over 5000"):
        await flows.flows_named("cio-flow")


@pytest.mark.parametrize("answer", [{}, [], None, {"items": None}, {"items": {"a": 1}}])
async def test_an_answer_of_another_shape_is_not_taken_for_nothing(
    platform: Scripted, flows: FlowService, answer: Any
) -> None:
    """Else what is there would be made a second time."""
    platform.answers(answer, answer)
    with pytest.raises(PlatformUnreadable):
        await flows.flows_named("cio-flow")
    with pytest.raises(PlatformUnreadable):
        await flows.flow("f1")


async def test_specs_are_found_by_id_and_by_name(platform: Scripted, flows: FlowService) -> None:
    spec = {"id": specs.CUSTOMERIO, "name": "customerio", "version": "1.0"}
    named = Spec(specs.CUSTOMERIO, "customerio", "1.0")
    streaming = {"id": specs.STREAMING, "name": "GenericStreamingAEP", "version": "1.0"}
    platform.answers(page(spec), problem(404, "1101-404"), page(spec), page(streaming))
    assert await flows.connection_spec(specs.CUSTOMERIO) == named
    assert await flows.flow_spec(specs.STREAMING) is None
    assert await flows.connection_specs_named("customerio") == [named]
    assert [each.id for each in await flows.flow_specs_named("GenericStreamingAEP")] == [
        specs.STREAMING
    ]
    assert platform.calls == [
        f"GET {FLOWS}/connectionSpecs/{specs.CUSTOMERIO}",
        f"GET {FLOWS}/flowSpecs/{specs.STREAMING}",
        f"GET {FLOWS}/connectionSpecs",
        f"GET {FLOWS}/flowSpecs",
    ]
