"""platform.md section 1: Adobe's tutorial from its first call to an event in the lake."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.dataflow import (
    CONTENT_TYPE,
    CUSTOMERIO,
    DATA_LAKE,
    EVENT,
    FLOW,
    GENERIC,
    HTTP_API,
    HTTP_PLAIN,
    NEEDED_ROWS,
    TENANT,
    Dataflow,
    tutorial_rows,
)

RICH = [*tutorial_rows(), *NEEDED_ROWS]


async def _lake(platform: Any) -> Any:
    return await platform.get("/lake?settle=true")


async def test_the_tutorials_calls_make_a_flow_with_an_inlet(platform: Any) -> None:
    """Sections 1.1 to 1.7, with the older keys of its mapping set."""
    made = await Dataflow(platform).all(tutorial_rows())

    item = await made.shown()

    inlet_id = item["options"]["inletUrl"].rpartition("/collection/")[2]
    assert len(inlet_id) == 64 and int(inlet_id, 16)
    assert item["options"]["inletUrl"].startswith(str(platform.client.make_url("/collection/")))
    assert item["state"] == "enabled"
    assert item["etag"].startswith('"') and item["etag"].endswith('"')
    assert item["flowSpec"] == GENERIC
    assert item["transformations"] == made.transformations()
    inherited = item["inheritedAttributes"]
    assert inherited["sourceConnections"] == [
        {"id": made.ids["source"], "connectionSpec": CUSTOMERIO}
    ]
    assert inherited["targetConnections"] == [
        {"id": made.ids["target"], "connectionSpec": DATA_LAKE}
    ]
    assert item["lastOperation"]["operation"] == "enable"
    counts = (await platform.get("/objects"))["counts"]
    assert {kind: n for kind, n in counts.items() if n} == {
        "sourceConnections": 1,
        "targetConnections": 1,
        "flows": 1,
        "dataSets": 1,
        "mappingSets": 1,
        "fieldgroups": 1,
        "schemas": 1,
    }


async def test_the_tutorials_mapping_lacks_what_the_schema_requires(platform: Any) -> None:
    """Section 1.5: it maps neither `_id` nor the root `timestamp`."""
    made = await Dataflow(platform).all(tutorial_rows())
    platform.clock.now += 300

    assert (await made.send())[0] == 200

    lake = await _lake(platform)
    assert (lake["landed"], lake["refused"] + lake["row_error"]) == (0, 1)


async def test_with_two_more_rows_an_event_lands(platform: Any) -> None:
    made = await Dataflow(platform).all(RICH)
    platform.clock.now += 300

    status, answer = await made.send()

    assert (status, answer["flowId"]) == (200, made.ids["flow"])
    assert (await _lake(platform))["landed"] == 1
    await platform.hour_over()
    runs = f"{FLOW}/runs?property=flowId=={made.ids['flow']}"
    (run,) = (await platform.ask("GET", runs))[1]["items"]
    assert run["metrics"]["recordSummary"]["outputRecordCount"] == 1


async def test_what_is_sent_within_five_minutes_is_lost_and_nobody_says_so(platform: Any) -> None:
    """Section 7, point 1; after a change the time begins again."""
    made = await Dataflow(platform).all(RICH)
    platform.clock.now += 299
    assert (await made.send(event_id="01A"))[0] == 200
    platform.clock.now += 1
    assert (await made.send(event_id="01B"))[0] == 200
    assert (await made.patch([{"op": "replace", "path": "/name", "value": "other"}]))[0] == 200
    assert (await made.send(event_id="01C"))[0] == 200

    lake = await _lake(platform)
    assert (lake["landed"], lake["unsettled"]) == (1, 2)
    assert (await platform.get("/received"))["messages"] == 3
    lines = await (await platform.client.get("/lake?lost=true")).text()
    assert lines.count("unsettled") == 2


async def test_a_disabled_flow_takes_data_and_drops_them(platform: Any) -> None:
    """Section 8 leaves it open: the worst is what happens here."""
    made = await Dataflow(platform).all(RICH)
    path = f"{FLOW}/flows/{made.ids['flow']}/action?op="
    assert (await platform.ask("POST", f"{path}DISABLE"))[0] == 200
    platform.clock.now += 300
    assert (await made.send())[0] == 200
    assert (await made.shown())["state"] == "disabled"

    assert (await platform.ask("POST", f"{path}ENABLE"))[0] == 200
    platform.clock.now += 300
    assert (await made.send())[0] == 200

    lake = await _lake(platform)
    assert (lake["landed"], lake["disabled"]) == (1, 1)


async def test_records_are_checked_against_the_datasets_own_schema(platform: Any) -> None:
    made = await Dataflow(platform).all(RICH)
    platform.clock.now += 300

    await made.send(event_id="not:a:uri")

    failed = await platform.get("/failed?settle=true")
    assert failed["failed"] == 1
    assert "#/_id" in str(failed["records"][0]["message"])


async def test_a_raw_inlet_wants_the_flow_id(platform: Any) -> None:
    made = await Dataflow(platform).all(RICH)
    url = (await made.shown())["options"]["inletUrl"]

    for query in ("", "?x-adobe-flow-id=other"):
        answer = await platform.client.session.post(url + query, json=EVENT)
        assert answer.status == 400


async def test_the_http_api_source_can_ask_for_a_token_and_takes_xdm(platform: Any) -> None:
    """Section 1.9, steps 1 to 5, without a mapping set."""
    made = Dataflow(platform)
    await made.schema()
    await made.dataset()
    await made.target()
    auth = {
        "specName": "Streaming Connection",
        "params": {"dataType": "xdm", "name": "mine", "authenticationRequired": True},
    }
    body = {"name": "base", "connectionSpec": HTTP_API, "auth": auth}
    made.ids["base"] = (await made.made(f"{FLOW}/connections", body))["id"]
    _, answer = await platform.ask("GET", f"{FLOW}/connections/{made.ids['base']}")
    params = answer["items"][0]["auth"]["params"]
    assert params["sourceId"] == "mine" and params["inletUrl"].endswith(params["inletId"])
    source = {"name": "s", "baseConnectionId": made.ids["base"], "connectionSpec": HTTP_API}
    made.ids["source"] = (await made.made(f"{FLOW}/sourceConnections", source))["id"]
    plain = {
        "name": "f",
        "flowSpec": HTTP_PLAIN,
        "sourceConnectionIds": [made.ids["source"]],
        "targetConnectionIds": [made.ids["target"]],
    }
    made.ids["flow"] = (await made.made(f"{FLOW}/flows", plain))["id"]
    platform.clock.now += 300
    assert (await made.shown())["options"]["inletUrl"] == params["inletUrl"]

    message = {
        "header": {
            "schemaRef": made.schema_ref,
            "datasetId": made.ids["dataset"],
            "flowId": made.ids["flow"],
        },
        "body": {
            "xdmMeta": {"schemaRef": made.schema_ref},
            "xdmEntity": {
                "_id": "01A",
                "timestamp": "2026-01-01T00:00:00Z",
                TENANT: {"metricx": "sent"},
            },
        },
    }
    post = platform.client.session.post
    assert (await post(params["inletUrl"], json=message)).status == 401
    bearer = await platform.bearer()
    assert (await post(params["inletUrl"], json=message, headers=bearer)).status == 200
    message["body"]["xdmEntity"][TENANT] = {"unknown": "x"}
    assert (await post(params["inletUrl"], json=message, headers=bearer)).status == 200

    lake = await _lake(platform)
    assert (lake["landed"], lake["refused"]) == (1, 1)


async def test_deleting_goes_from_the_flow_inwards(platform: Any) -> None:
    """Section 1.10: connections in use stay (1447-400), and a GET then gives 404."""
    made = await Dataflow(platform).all(RICH)
    inlet = (await made.shown())["options"]["inletUrl"]
    ids = made.ids
    source, target = f"{FLOW}/sourceConnections/{ids['source']}", ids["target"]
    assert (await platform.ask("DELETE", source))[1]["errorCode"] == "1447-400"

    for path in (f"{FLOW}/flows/{ids['flow']}", source, f"{FLOW}/targetConnections/{target}"):
        assert await platform.ask("DELETE", path) == (204, None)
        status, answer = await platform.ask("GET", path)
        assert (status, answer["errorCode"]) == (404, "1101-404")
    assert (await platform.client.session.post(inlet, json=EVENT)).status == 404


async def test_a_changed_target_is_never_heard_of_by_the_flow(platform: Any) -> None:
    """Section 7, point 10."""
    made = await Dataflow(platform).all(RICH)
    etag = (await made.shown("target"))["etag"]
    operations = [{"op": "replace", "path": "/params/dataSetId", "value": "elsewhere"}]
    path = f"{FLOW}/targetConnections/{made.ids['target']}"
    status, _ = await platform.ask("PATCH", path, operations, {"If-Match": etag})
    assert status == 200
    platform.clock.now += 300

    await made.send()

    assert (await _lake(platform))["landed"] == 1


@pytest.mark.parametrize("content_type", [CONTENT_TYPE, CONTENT_TYPE.replace("-full", "")])
async def test_versions_are_compared_not_media_types(platform: Any, content_type: str) -> None:
    """1425-400 is about schema id and version (section 5.3)."""
    made = Dataflow(platform)
    await made.schema()
    await made.dataset()
    await made.source()
    await made.target(
        data={"format": "json", "schema": {"id": made.ids["schema"], "version": content_type}}
    )
    await made.mapping(RICH)
    await made.flow()
