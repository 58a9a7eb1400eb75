"""platform.md sections 1.10 and 1.11: Flow Service's lists, etags, states and error codes."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.dataflow import (
    CATALOG,
    CONVERSION,
    CUSTOMERIO,
    FLOW,
    HTTP_API,
    HTTP_PLAIN,
    NEEDED_ROWS,
    Dataflow,
    tutorial_rows,
)

RICH = [*tutorial_rows(), *NEEDED_ROWS]
RENAME = [{"op": "replace", "path": "/name", "value": "new"}]
BASE = {
    "name": "base",
    "connectionSpec": HTTP_API,
    "auth": {"specName": "Streaming Connection", "params": {"dataType": "raw"}},
}


@pytest.fixture
async def made(platform: Any) -> Dataflow:
    return await Dataflow(platform).all(RICH)


async def _refused(platform: Any, method: str, path: str, body: Any = None, **options: Any) -> str:
    """The code of a refusal."""
    status, answer = await platform.ask(method, path, body, **options)
    assert status >= 400, answer
    assert answer["statusCode"] == status == int(answer["errorCode"][-3:])
    return str(answer["errorCode"])


async def _names(platform: Any, query: str) -> list[str]:
    status, answer = await platform.ask("GET", f"{FLOW}/flows?{query}")
    assert status == 200, answer
    return [item["name"] for item in answer["items"]]


async def test_filters_combine_and_follow_arrays(made: Dataflow) -> None:
    platform = made.platform
    await made.flow(name="other")
    spec = f"property=inheritedAttributes.sourceConnections[].connectionSpec.id=={CUSTOMERIO['id']}"
    source = f"property=sourceConnectionIds[]=={made.ids['source']},nothing"

    assert sorted(await _names(platform, spec)) == ["cio-flow", "other"]
    assert await _names(platform, f"{spec}&property=name==other&{source}") == ["other"]
    assert await _names(platform, f"{spec}&property=name==nothing") == []
    assert await _names(platform, f"{spec}&orderby=-name&limit=1") == ["other"]


async def test_pages_are_followed_by_their_token(made: Dataflow) -> None:
    platform = made.platform
    for number in range(4):
        await made.flow(name=f"flow-{number}")
    query, names = "?property=name!=cio-flow&orderby=name&limit=2", []
    while query:
        _, answer = await platform.ask("GET", f"{FLOW}/flows{query}")
        names += [item["name"] for item in answer["items"]]
        following = answer["_links"].get("next", {}).get("href", "")
        query = following.removeprefix("/flows")

    assert names == ["Sandbox example 1", "flow-0", "flow-1", "flow-2", "flow-3"]
    assert (await platform.ask("GET", f"{FLOW}/flows?count=true"))[1] == {"count": 6}
    both = await _refused(platform, "GET", f"{FLOW}/flows?limit=1&count=true")
    assert both == "1401-400"


async def test_specs_can_be_found_by_name(platform: Any) -> None:
    _, answer = await platform.ask("GET", f"{FLOW}/flowSpecs?property=name==GenericStreamingAEP")
    assert [item["id"] for item in answer["items"]] == ["e77fde5a-22a8-11ed-861d-0242ac120002"]
    status, _ = await platform.ask("GET", f"{FLOW}/connectionSpecs/{CUSTOMERIO['id']}")
    assert status == 200
    assert await _refused(platform, "GET", f"{FLOW}/connectionSpecs/nothing") == "1101-404"


async def test_every_change_has_a_new_etag_and_wants_the_last_one(made: Dataflow) -> None:
    first = (await made.shown())["etag"]

    status, answer = await made.patch(RENAME, first)

    assert (status, answer["id"]) == (200, made.ids["flow"])
    assert answer["etag"] == (await made.shown())["etag"] != first
    assert (await made.shown())["name"] == "new"
    for etag, code in (
        (first, "1404-412"),
        (answer["etag"].strip('"'), "1404-412"),
        ("", "1403-400"),
    ):
        assert (await made.patch(RENAME, etag))[1]["errorCode"] == code


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ([], "1405-400"),
        ([{"op": "move", "from": "/name", "path": "/description"}], "1434-400"),
        ([{"op": "replace", "path": "/nothing/here", "value": 1}], "1455-400"),
        ([{"op": "replace", "path": "/flowSpec/id", "value": "x"}], "1100-400"),
        ([{"op": "remove", "path": "/name"}], "1100-400"),
        (
            [{"op": "replace", "path": "/transformations/0/params/mappingVersion", "value": 1}],
            "1412-400",
        ),
    ],
)
async def test_a_patch_that_is_refused_changes_nothing(
    made: Dataflow, operations: Any, code: str
) -> None:
    before = await made.shown()
    assert (await made.patch(operations))[1]["errorCode"] == code
    assert await made.shown() == before


async def test_a_new_version_of_the_mapping_is_used_once_the_flow_says_so(made: Dataflow) -> None:
    platform, ids = made.platform, made.ids
    rows = [*NEEDED_ROWS, {"sourceType": "STATIC", "source": "self", "destination": "producedBy"}]
    body = {"outputSchema": {"schemaRef": made.schema_ref}, "mappings": rows}
    status, answer = await platform.ask("PUT", f"{CONVERSION}/mappingSets/{ids['mapping']}", body)
    assert (status, answer["version"]) == (200, 1)
    assert (await made.shown())["transformations"] == made.transformations(0)

    value = made.transformations(1)[0]
    status, _ = await made.patch([{"op": "replace", "path": "/transformations/0", "value": value}])

    assert status == 200
    assert (await made.shown())["lastOperation"]["operation"] == "update"


async def test_states_on_the_way_refuse_changes_for_a_moment(made: Dataflow) -> None:
    """1420, 1421, 1457 and 1458; they last five seconds of Platform's time."""
    platform, flow = made.platform, f"{FLOW}/flows/{made.ids['flow']}"

    assert await _refused(platform, "POST", f"{flow}/action?op=ENABLE") == "1444-400"
    assert (await platform.ask("POST", f"{flow}/action?op=DISABLE"))[0] == 200
    assert (await made.shown())["state"] == "disabling"
    assert (await made.patch(RENAME))[1]["errorCode"] == "1420-400"
    assert await _refused(platform, "POST", f"{flow}/action?op=ENABLE") == "1421-400"
    assert await _refused(platform, "DELETE", flow) == "1458-400"

    platform.clock.now += 5
    assert (await made.shown())["state"] == "disabled"
    assert await _refused(platform, "POST", f"{flow}/action?op=DISABLE") == "1444-400"
    assert (await platform.ask("POST", f"{flow}/action?op=ENABLE"))[0] == 200
    assert (await made.patch(RENAME))[1]["errorCode"] == "1457-400"
    platform.clock.now += 5
    assert await _refused(platform, "POST", f"{flow}/action?op=STOP") == "1434-400"
    assert (await platform.ask("DELETE", flow))[0] == 204


async def test_a_patch_need_not_be_the_last_operation(start: Any) -> None:
    """Section 1.7 shows enabling only; `updatedAt` tells of a PATCH either way."""
    platform = await start(patch_is_operation=False)
    made = await Dataflow(platform).all(tutorial_rows())
    before = await made.shown()
    platform.clock.now += 600

    assert (await made.patch(RENAME))[0] == 200

    after = await made.shown()
    assert after["lastOperation"] == before["lastOperation"]
    assert after["updatedAt"] - before["updatedAt"] == 600_000


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "enabled"}, "1410-400"),
        ({"name": ""}, "1100-400"),
        ({"flowSpec": {"id": "nothing", "version": "1.0"}}, "1413-400"),
        ({"flowSpec": HTTP_PLAIN}, "1413-400"),
        ({"sourceConnectionIds": ["nothing"]}, "1439-400"),
        ({"targetConnectionIds": []}, "1100-400"),
        ({"transformations": []}, "1100-400"),
        ({"transformations": [{"name": "mapping", "params": {}}]}, "1100-400"),
        (
            {
                "transformations": [
                    {"name": "Mapping", "params": {"mappingId": "x", "mappingVersion": 0}}
                ]
            },
            "1419-400",
        ),
    ],
)
async def test_a_flow_that_may_not_be_is_not_made(
    made: Dataflow, changes: dict[str, Any], code: str
) -> None:
    assert await _refused(made.platform, "POST", f"{FLOW}/flows", made.flow_body(**changes)) == code
    assert (await made.platform.get("/objects"))["counts"]["flows"] == 1


async def test_a_wrong_version_or_type_of_the_mapping_is_1412(made: Dataflow) -> None:
    for version in (1, "0", None):
        body = made.flow_body(transformations=made.transformations(version))  # type: ignore[arg-type]
        assert await _refused(made.platform, "POST", f"{FLOW}/flows", body) == "1412-400"


async def test_a_mapping_onto_a_field_that_does_not_exist_is_1419(made: Dataflow) -> None:
    await made.mapping(
        [*NEEDED_ROWS, {"sourceType": "STATIC", "source": "x", "destination": "no.such"}]
    )
    assert await _refused(made.platform, "POST", f"{FLOW}/flows", made.flow_body()) == "1419-400"


async def test_another_schema_or_version_anywhere_is_1425(made: Dataflow) -> None:
    """In the target connection, and in the mapping set."""
    platform, ids = made.platform, made.ids
    schema = {"id": ids["schema"], "version": "application/vnd.adobe.xed-full+json;version=2"}
    good = ids["target"]
    await made.target(data={"schema": schema})
    assert await _refused(platform, "POST", f"{FLOW}/flows", made.flow_body()) == "1425-400"

    ids["target"] = good
    example = platform.inlet.schema_id
    body = {
        "outputSchema": {"schemaRef": {**made.schema_ref, "id": example}},
        "mappings": NEEDED_ROWS,
    }
    ids["mapping"] = (await made.made(f"{CONVERSION}/mappingSets", body, 200))["id"]
    assert await _refused(platform, "POST", f"{FLOW}/flows", made.flow_body()) == "1425-400"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("sourceConnections", {}, "1405-400"),
        ("sourceConnections", {"name": "x", "connectionSpec": {"id": "y"}, "data": {}}, "1413-400"),
        (
            "sourceConnections",
            {"connectionSpec": CUSTOMERIO, "data": {"format": "json"}},
            "1100-400",
        ),
        (
            "sourceConnections",
            {"name": "x", "connectionSpec": CUSTOMERIO, "data": {"format": "csv"}},
            "1100-400",
        ),
        (
            "sourceConnections",
            {"name": "x", "connectionSpec": HTTP_API, "baseConnectionId": "y"},
            "1439-400",
        ),
        ("connections", {**BASE, "auth": {"specName": "other", "params": {}}}, "1415-400"),
        (
            "connections",
            {**BASE, "auth": {"specName": "Streaming Connection", "params": {}}},
            "1100-400",
        ),
        ("connections", {**BASE, "connectionSpec": CUSTOMERIO}, "1413-400"),
    ],
)
async def test_a_connection_must_say_what_the_reference_says(
    platform: Any, path: str, body: Any, code: str
) -> None:
    assert await _refused(platform, "POST", f"{FLOW}/{path}", body) == code


async def test_a_target_needs_a_whole_media_type_and_a_capital_s(made: Dataflow) -> None:
    """Section 1.4: the version is no number, and the key is dataSetId."""
    shown = await made.shown("target")
    body = {key: shown[key] for key in ("name", "connectionSpec", "data", "params")}
    number = {**body, "data": {"schema": {"id": made.ids["schema"], "version": "1"}}}
    small = {**body, "params": {"datasetId": made.ids["dataset"]}}
    for wrong in (number, small):
        assert (
            await _refused(made.platform, "POST", f"{FLOW}/targetConnections", wrong) == "1100-400"
        )


async def test_a_base_connection_in_use_stays(made: Dataflow) -> None:
    platform, ids = made.platform, made.ids
    base = (await made.made(f"{FLOW}/connections", BASE))["id"]
    source = {"name": "s", "baseConnectionId": base, "connectionSpec": HTTP_API}
    ids["source"] = (await made.made(f"{FLOW}/sourceConnections", source))["id"]
    await made.flow(flowSpec={"id": "c1a19761-d2c7-4702-b9fa-fe91f0613e81", "version": "1.0"})
    path = f"{FLOW}/connections/{base}"

    assert await _refused(platform, "DELETE", path) == "1418-400"
    assert (await platform.ask("DELETE", f"{FLOW}/flows/{ids['flow']}"))[0] == 204
    assert (await platform.ask("DELETE", path))[0] == 204
    assert await _refused(platform, "POST", f"{FLOW}/flows", made.flow_body()) == "1413-400"


async def test_the_connection_spec_of_a_connection_cannot_change(made: Dataflow) -> None:
    path = f"{FLOW}/sourceConnections/{made.ids['source']}"
    headers = {"If-Match": (await made.shown("source"))["etag"]}
    operations = [{"op": "replace", "path": "/connectionSpec", "value": HTTP_API}]
    assert await _refused(made.platform, "PATCH", path, operations, headers=headers) == "1414-400"


async def test_bodies_are_json_and_say_so(platform: Any) -> None:
    path = f"{FLOW}/flows"
    assert (
        await _refused(platform, "POST", path, {"x": 1}, headers={"Content-Type": "text/plain"})
        == "1400-415"
    )
    assert await _refused(platform, "POST", path) == "1405-400"


async def test_what_the_sandbox_was_started_with_is_there_and_old_enough(platform: Any) -> None:
    """Its flow, with all that a flow is made of; a reset brings it back."""
    _, answer = await platform.ask("GET", f"{FLOW}/flows/{platform.inlet.flow_id}")
    (item,) = answer["items"]
    assert item["options"]["inletUrl"].endswith(platform.inlet.id)
    for kind in ("sourceConnections", "targetConnections"):
        (id,) = item[f"{kind.removesuffix('s')}Ids"]
        assert (await platform.ask("GET", f"{FLOW}/{kind}/{id}"))[0] == 200
    assert (await platform.ask("GET", f"{CATALOG}/dataSets/{platform.inlet.dataset_id}"))[0] == 200
    schema = f"/foundation/schemaregistry/tenant/schemas/{quote(platform.inlet.schema_id, safe='')}"
    accept = {"Accept": "application/vnd.adobe.xed-full+json;version=1"}
    assert (await platform.ask("GET", schema, headers=accept))[0] == 200

    await platform.ask("DELETE", f"{FLOW}/flows/{platform.inlet.flow_id}")
    await platform.client.delete("/objects")

    assert (await platform.one(platform.message())).status == 200
    assert (await platform.get("/lake?settle=true"))["landed"] == 1
    assert set((await platform.get("/objects"))["counts"].values()) == {0}


async def test_a_base_connection_keeps_its_inlet(made: Dataflow) -> None:
    id = (await made.made(f"{FLOW}/connections", BASE))["id"]
    path = f"{FLOW}/connections/{id}"

    async def item() -> Any:
        return (await made.platform.ask("GET", path))[1]["items"][0]

    before = await item()
    for value, status in (({"dataType": "raw"}, 200), ({"dataType": "xdm"}, 400)):
        operations = [{"op": "replace", "path": "/auth/params", "value": value}]
        headers = {"If-Match": (await item())["etag"]}
        assert (await made.platform.ask("PATCH", path, operations, headers))[0] == status

    assert (await item())["auth"]["params"]["inletUrl"] == before["auth"]["params"]["inletUrl"]
