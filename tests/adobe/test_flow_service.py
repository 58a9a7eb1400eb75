"""Connections and dataflows, to the letter of platform.md section 1."""

from __future__ import annotations

from typing import Any

import pytest

from app.adobe.flow_service import (
    FlowService,
    Inlet,
    Made,
    MappingRef,
    Spec,
    description_change,
    mapping_change,
    name_change,
    specs,
)
from app.core.errors import (
    PlatformInUse,
    PlatformMissing,
    PlatformRefused,
    PlatformStale,
    PlatformUnavailable,
    PlatformUnreadable,
)
from tests.adobe.conftest import Scripted
from tests.adobe.scripted_api import FLOWS, problem

INLET = "https://dcs.adobedc.net/collection/" + "ab" * 32
CIO = {"id": "96479064-7b8a-4d69-b9ed-21c5683837ea", "version": "1.0"}
LAKE = {"id": "c604ff05-7f1a-43c0-8e18-33bf874cb11c", "version": "1.0"}
HTTP = {"id": "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb", "version": "1.0"}
SCHEMA = "https://ns.adobe.com/tenant/schemas/hash"


def flow_item(**changes: Any) -> dict[str, Any]:
    """As section 1.7 shows it."""
    return {
        "id": "f1", "name": "cio-flow", "state": "enabled", "etag": '"e1"', "version": '"v"',
        "createdAt": 10, "updatedAt": 20, "sandboxName": "prod", "imsOrgId": "X@AdobeOrg",
        "flowSpec": {"id": specs.STREAMING, "version": "1.0"},
        "sourceConnectionIds": ["s1"], "targetConnectionIds": ["t1"],
        "inheritedAttributes": {
            "properties": {"isSourceFlow": True},
            "sourceConnections": [{"id": "s1", "connectionSpec": CIO}],
            "targetConnections": [{"id": "t1", "connectionSpec": LAKE}],
        },
        "options": {"inletUrl": INLET},
        "transformations": [
            {"name": "Mapping", "params": {"mappingId": "m1", "mappingVersion": 3}}
        ],
        "lastOperation": {"started": 11, "updated": 12, "operation": "enable"},
        **changes,
    }  # fmt: skip


def page(*found: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"items": list(found), "_links": {}, **more}


@pytest.fixture
def flows(platform: Scripted) -> FlowService:
    return FlowService(platform.client)


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


async def test_a_change_carries_the_etag_with_its_quotes(
    platform: Scripted, flows: FlowService
) -> None:
    platform.answers({"id": "f1", "etag": '"e2"'})
    changes = [
        name_change("new"), description_change("why"), mapping_change(MappingRef("m1", 1)),
    ]  # fmt: skip
    made = await flows.patch("f1", '"e1"', changes)
    assert made == Made("f1", '"e2"')
    assert platform.calls == [f"PATCH {FLOWS}/flows/f1"]
    assert platform.header("If-Match") == ['"e1"']
    mapping = {"name": "Mapping", "params": {"mappingId": "m1", "mappingVersion": 1}}
    assert platform.bodies[0] == [
        {"op": "replace", "path": "/name", "value": "new"},
        {"op": "add", "path": "/description", "value": "why"},
        {"op": "replace", "path": "/transformations/0", "value": mapping},
    ]


async def test_a_stale_etag_is_read_again_and_tried_once_more(
    platform: Scripted, flows: FlowService
) -> None:
    stale = problem(412, "1404-412")
    platform.answers(stale, page(flow_item(etag='"e7"')), {"id": "f1", "etag": '"e8"'})
    assert await flows.patch("f1", '"e1"', [name_change("new")]) == Made("f1", '"e8"')
    assert platform.header("If-Match") == ['"e1"', None, '"e7"']

    platform.answers(stale, page(flow_item(etag='"e9"')), stale)
    with pytest.raises(PlatformStale, match="somebody else changed it"):
        await flows.patch("f1", '"e1"', [name_change("new")])
    assert len(platform.calls) == 6


async def test_a_change_that_was_lost_is_made_again_and_finds_its_own_trace(
    platform: Scripted, flows: FlowService
) -> None:
    """The first one was done, and its answer lost: the etag is another one now."""
    platform.answers(
        problem(503, "1103-503"), problem(412, "1404-412"),
        page(flow_item(etag='"e2"')), {"id": "f1", "etag": '"e3"'},
    )  # fmt: skip
    assert await flows.patch("f1", '"e1"', [name_change("new")]) == Made("f1", '"e3"')


async def test_a_flow_is_switched_on_and_off(platform: Scripted, flows: FlowService) -> None:
    platform.answers({"id": "f1"}, {"id": "f1"})
    await flows.set_enabled("f1", True)
    await flows.set_enabled("f1", False)
    assert platform.calls == [f"POST {FLOWS}/flows/f1/action"] * 2
    assert platform.queries == [[("op", "ENABLE")], [("op", "DISABLE")]]
    assert platform.api.bodies == [b"", b""]


@pytest.mark.parametrize("code", ["1420-400", "1421-400", "1457-400", "1458-400", "1444-400"])
async def test_a_state_that_passes_is_waited_for_but_not_for_ever(
    platform: Scripted, flows: FlowService, code: str
) -> None:
    platform.answers(problem(400, code), problem(400, code), {"id": "f1"})
    await flows.set_enabled("f1", False)
    assert platform.slept == [2.0, 4.0]

    platform.slept.clear()
    platform.answers(*[problem(400, code)] * 9)
    with pytest.raises(PlatformUnavailable, match="still enabling, disabling or changing"):
        await flows.set_enabled("f1", False)
    assert (platform.slept, sum(platform.slept)) == ([2.0, 4.0, 8.0, 15.0, 15.0, 15.0], 59)


async def test_each_kind_is_deleted_and_gone_already_is_no_fault(
    platform: Scripted, flows: FlowService
) -> None:
    deletes = [
        flows.delete_flow, flows.delete_source_connection,
        flows.delete_target_connection, flows.delete_base_connection,
    ]  # fmt: skip
    for delete in deletes:
        platform.answers_nothing()
        assert await delete("x1") is True
    platform.answers(problem(404, "1101-404"))
    assert await flows.delete_flow("x1") is False
    assert platform.calls == [
        f"DELETE {FLOWS}/{kind}/x1"
        for kind in ("flows", "sourceConnections", "targetConnections", "connections", "flows")
    ]


async def test_a_connection_in_use_is_told_from_others_and_nothing_is_deleted_without_an_id(
    platform: Scripted, flows: FlowService
) -> None:
    platform.answers(problem(400, "1418-400"))
    with pytest.raises(PlatformInUse, match="delete the dataflows first"):
        await flows.delete_source_connection("s1")
    with pytest.raises(ValueError, match="an id is needed"):
        await flows.delete_flow("")
    assert len(platform.calls) == 1


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
