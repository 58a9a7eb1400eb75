"""Dataflows are changed, switched and deleted, to the letter of platform.md section 1."""

from __future__ import annotations

import pytest

from app.adobe.flow_service import (
    FlowService,
    Made,
    MappingRef,
    description_change,
    mapping_change,
    name_change,
)
from app.core.errors import (
    PlatformInUse,
    PlatformStale,
    PlatformUnavailable,
)
from tests.adobe.conftest import Scripted
from tests.adobe.flow_service.items import flow_item, page
from tests.adobe.scripted_api import FLOWS, problem


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
