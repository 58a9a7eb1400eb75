"""What was set up at the sandbox, after it was stopped and started again."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.sandbox.customerio.appapi.names import EVENT_NAMES
from app.sandbox.defaults import APP_KEY, DATASET_ID, FLOW_ID, INLET_ID
from tests.sandbox.conftest import Platform, Start
from tests.sandbox.dataflow import (
    CATALOG,
    FLOW,
    HTTP_API,
    NAMESPACES,
    NEEDED_ROWS,
    REGISTRY,
    Dataflow,
    tutorial_rows,
)
from tests.sandbox.receiving import Listen

AUTHORIZED = {"Authorization": f"Bearer {APP_KEY}"}
WEBHOOKS = "/v1/reporting_webhooks"


async def again(start: Start, before: Platform, state: Path, **config: Any) -> Platform:
    """The sandbox, stopped and started; its clock goes on."""
    await before.client.close()
    after: Platform = await start(state=state, **config)
    after.clock.now = before.clock.now
    return after


async def webhook(platform: Platform, endpoint: str, **fields: Any) -> Any:
    body = {"name": "x", "endpoint": endpoint, "events": list(EVENT_NAMES), **fields}
    answer = await platform.client.post(WEBHOOKS, json=body, headers=AUTHORIZED)
    return await answer.json()


async def webhooks(platform: Platform) -> Any:
    answer = await platform.client.get(WEBHOOKS, headers=AUTHORIZED)
    return (await answer.json())["reporting_webhooks"]


async def base(platform: Platform) -> Any:
    """A base connection of the HTTP API source, which has an inlet of its own."""
    params = {"sourceId": "s", "dataType": "xdm", "name": "b", "authenticationRequired": True}
    body = {
        "name": "b",
        "connectionSpec": HTTP_API,
        "auth": {"specName": "Streaming Connection", "params": params},
    }
    _, made = await platform.ask("POST", f"{FLOW}/connections", body)
    _, found = await platform.ask("GET", f"{FLOW}/connections/{made['id']}")
    return found["items"][0]


async def test_everything_that_was_set_up_is_there_again(
    start: Start, listen: Listen, tmp_path: Path
) -> None:
    state = tmp_path / "data" / "sandbox.json"
    first = await start(state=state)
    flow = await Dataflow(first).all([*tutorial_rows(), *NEEDED_ROWS])
    await flow.made(NAMESPACES, {"name": "n", "code": "Cio", "idType": "Cross_device"}, 200)
    descriptor = {
        "@type": "xdm:descriptorIdentity",
        "xdm:sourceSchema": flow.ids["schema"],
        "xdm:sourceVersion": 1,
        "xdm:sourceProperty": "/_sluicesandbox/cio_id",
        "xdm:namespace": "Cio",
        "xdm:property": "xdm:code",
    }
    await flow.made(f"{REGISTRY}/tenant/descriptors", descriptor)
    await base(first)
    receiver = await listen()
    made = await webhook(first, receiver.url)
    before, shown = await first.get("/objects"), await flow.shown()

    flow.platform = second = await again(start, first, state)

    assert await second.get("/objects") == before
    assert (await flow.shown())["lastOperation"] == shown["lastOperation"]
    assert (await flow.shown())["etag"] == shown["etag"]
    assert await webhooks(second) == [made]
    assert (await webhook(second, receiver.url))["id"] == made["id"] + 1
    await second.client.post("/customerio/workspaces/sandbox/play", json={"count": 3})
    page = await second.get("/customerio/workspaces/sandbox?settle=true")
    assert page["webhooks"][0]["acknowledged"] == page["webhooks"][0]["offered"] > 0


async def test_a_flow_is_as_old_as_it_was_and_takes_data_where_it_did(
    start: Start, tmp_path: Path
) -> None:
    state = tmp_path / "sandbox.json"
    first = await start(state=state)
    flow = await Dataflow(first).all([*tutorial_rows(), *NEEDED_ROWS])
    first.clock.now += 200

    flow.platform = second = await again(start, first, state)

    assert (await flow.send())[0] == 200
    second.clock.now += 101
    assert (await flow.send(event_id="01B"))[0] == 200
    lake = await second.get("/lake?settle=true")
    assert (lake["landed"], lake["unsettled"], lake["refused"]) == (1, 1, 0)


async def test_an_inlet_without_a_flow_is_there_again(start: Start, tmp_path: Path) -> None:
    state = tmp_path / "sandbox.json"
    first = await start(state=state)
    url = (await base(first))["auth"]["params"]["inletUrl"]

    second = await again(start, first, state)

    path = url.partition("/collection/")[2]
    unknown = await second.client.post("/collection/" + "0" * 64, json={})
    known = await second.client.post(f"/collection/{path}", json={})
    assert (unknown.status, known.status) == (404, 401)


async def test_what_is_there_from_the_start_is_kept_only_where_it_was_changed(
    start: Start, tmp_path: Path
) -> None:
    state = tmp_path / "sandbox.json"
    first = await start(state=state)
    await first.ask("PATCH", f"{CATALOG}/dataSets/{DATASET_ID}", {"name": "Renamed"})
    await first.ask("POST", f"{FLOW}/flows/{FLOW_ID}/action?op=disable")
    kept = orjson.loads(state.read_bytes())
    assert [each["id"] for each in kept["datasets"]] == [DATASET_ID]
    assert kept["resources"] == []

    second = await again(start, first, state, inlet={"authenticated": True})
    second.clock.now += second.config.transition_seconds

    _, datasets = await second.ask("GET", f"{CATALOG}/dataSets/{DATASET_ID}")
    assert datasets[DATASET_ID]["name"] == "Renamed"
    _, flows = await second.ask("GET", f"{FLOW}/flows/{FLOW_ID}")
    assert flows["items"][0]["state"] == "disabled"
    # The configuration of now has the last word on its own inlet.
    assert (await second.client.post(f"/collection/{INLET_ID}", json={})).status == 401


async def test_objects_of_inlets_that_are_not_configured_any_more_do_not_come_back(
    start: Start, tmp_path: Path
) -> None:
    state = tmp_path / "sandbox.json"
    first = await start(state=state)
    await first.ask("PATCH", f"{CATALOG}/dataSets/{DATASET_ID}", {"name": "Renamed"})
    await first.ask("POST", f"{FLOW}/flows/{FLOW_ID}/action?op=disable")

    other = {"id": "a" * 64, "dataset_id": "d" * 24, "flow_id": "other"}
    second = await again(start, first, state, inlet=other)

    objects = (await second.get("/objects"))["objects"]
    assert [each["id"] for each in objects["dataSets"]] == ["d" * 24]
    assert [each["id"] for each in objects["flows"]] == ["other"]


async def test_a_change_is_kept_though_its_answer_was_lost(start: Start, tmp_path: Path) -> None:
    state = tmp_path / "sandbox.json"
    first = await start(state=state)
    await first.fault(scope="namespaces", method="POST", error_code="1104-504", acted=True)
    await first.ask("POST", NAMESPACES, {"name": "n", "code": "Cio", "idType": "Cookie"})

    second = await again(start, first, state)

    counts = (await second.get("/objects"))["counts"]
    assert counts["namespaces"] == 1


async def test_what_was_deleted_stays_away(start: Start, tmp_path: Path) -> None:
    state = tmp_path / "sandbox.json"
    first = await start(state=state)
    made = await webhook(first, "http://127.0.0.1:9/x")
    await base(first)
    await first.client.delete(f"{WEBHOOKS}/{made['id']}", headers=AUTHORIZED)
    await first.client.delete("/objects")

    second = await again(start, first, state)

    assert await webhooks(second) is None
    assert not any((await second.get("/objects"))["counts"].values())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"version": 1, "connec', "cannot be read"),
        (b"[]", "version None"),
        (b'{"version": 2}', "of version 2, not 1"),
        (b'{"version": 1, "flows": [{}]}', "is not understood"),
    ],
)
async def test_a_file_that_cannot_be_used_is_said_and_left_aside(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes, said: str
) -> None:
    state = tmp_path / "sandbox.json"
    state.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        platform = await start(state=state)
    assert said in caplog.text
    assert str(state) in caplog.text
    assert state.read_bytes() == content

    await base(platform)
    second = await again(start, platform, state)
    assert (await second.get("/objects"))["counts"]["connections"] == 1


async def test_a_folder_that_cannot_be_written_is_said_and_the_call_answered(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    platform = await start(state=tmp_path / "file" / "sandbox.json")
    with caplog.at_level(logging.WARNING):
        assert (await base(platform))["name"] == "b"
    assert "cannot be written" in caplog.text


async def test_without_a_file_nothing_is_kept(start: Start) -> None:
    first = await start()
    await base(first)
    await first.client.close()
    assert (await (await start()).get("/objects"))["counts"]["connections"] == 0
