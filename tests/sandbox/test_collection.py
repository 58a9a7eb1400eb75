"""platform.md sections 2.2 to 2.6: single messages, envelope, authentication, limits."""

from __future__ import annotations

from typing import Any

import pytest

from app.sandbox.config import ImsClient
from app.sandbox.defaults import IMS_SCOPES, ORG_ID


async def test_a_good_message_is_received_not_yet_ingested(platform: Any) -> None:
    answer = await platform.one(platform.message())

    body = await answer.json()
    assert answer.status == 200
    assert body["inletId"] == platform.inlet.id
    assert body["receivedTimeMs"] == 1_800_000_000_000
    assert body["xactionId"].startswith("1800000000000:")


def _without(message: dict[str, Any], *path: str) -> dict[str, Any]:
    inner = message
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return message


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("header",), "The 'header' field is mandatory. Provide a valid 'header' value"),
        (("header", "schemaRef"), "Message has unknown xdm format"),
        (("header", "datasetId"), "dataset"),
        (("header", "flowId"), "flow id"),
        (("body",), "Message has unknown xdm format"),
        (("body", "xdmMeta"), "Message has unknown xdm format"),
        (("body", "xdmMeta", "schemaRef"), "Message has unknown xdm format"),
        (("body", "xdmEntity"), "Payload body is missing xdmEntity"),
    ],
)
async def test_an_incomplete_envelope_is_refused_at_once(
    platform: Any, path: tuple[str, ...], text: str
) -> None:
    answer = await platform.one(_without(platform.message(), *path))

    body = await answer.json()
    assert answer.status == body["status"] == 400
    assert body["type"] == "http://ns.adobe.com/adobecloud/problem/data-collection-service/inlet"
    assert body["title"] == "Invalid XDM Message Format"
    assert text in body["report"]["message"]
    assert (await platform.get("/received"))["messages"] == 0


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"imsOrgId": "OTHER@AdobeOrg"}, "Message has an absent or wrong ims org in the header"),
        ({"schemaRef": {"id": "other", "contentType": "x"}}, "Message has unknown xdm format"),
        ({"source": {}}, "Payload header is missing Source Name"),
        ({"datasetId": "other"}, "dataset"),
        ({"flowId": "other"}, "flow id"),
    ],
)
async def test_a_wrong_header_is_refused_at_once(
    platform: Any, change: dict[str, Any], text: str
) -> None:
    message = platform.message()
    message["header"].update(change)

    answer = await platform.one(message)

    assert answer.status == 400
    assert text in (await answer.json())["report"]["message"]


async def test_the_bodys_schema_must_equal_the_headers(platform: Any) -> None:
    message = platform.message()
    message["body"]["xdmMeta"]["schemaRef"]["contentType"] = "application/json"

    assert (await platform.one(message)).status == 400


async def test_org_and_source_may_be_left_out_and_a_named_source_is_fine(platform: Any) -> None:
    message = _without(platform.message(), "header", "imsOrgId")
    assert (await platform.one(message)).status == 200

    message["header"]["source"] = {"name": "sluice"}
    assert (await platform.one(message)).status == 200


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (b"{", {"Content-Type": "application/json"}),
        (b"{}", {"Content-Type": "text/plain"}),
        (b"\x1f\x8b", {"Content-Type": "application/json", "Content-Encoding": "br2"}),
    ],
)
async def test_what_is_no_json_is_malformed(
    platform: Any, data: bytes, headers: dict[str, str]
) -> None:
    answer = await platform.client.post(
        f"/collection/{platform.inlet.id}", data=data, headers=headers
    )
    assert answer.status == 400


async def test_an_unknown_inlet_is_refused(platform: Any) -> None:
    assert (await platform.client.post("/collection/nobody", json={})).status == 404


async def test_a_body_over_one_megabyte_is_too_large(platform: Any) -> None:
    fits = platform.message("A", text="x" * 990_000)
    too_large = platform.message("B", text="x" * 1_000_000)

    assert (await platform.one(fits)).status == 200
    answer = await platform.one(too_large)
    assert answer.status == 413
    assert (await platform.get("/received"))["messages"] == 1


async def test_an_authenticated_inlet_wants_a_token(start: Any) -> None:
    platform = await start({"authenticated": True})

    answer = await platform.one(platform.message())

    assert answer.status == 401
    assert await answer.json() == {
        "type": "https://ns.adobe.com/adobecloud/problem/data-collection-service-authorization",
        "status": "401",
        "title": "Authorization",
        "report": {"message": f"[{platform.inlet.id}] Ims service token is empty"},
    }


async def test_a_bad_token_is_401_for_one_message_and_403_for_a_batch(start: Any) -> None:
    platform = await start({"authenticated": True})
    bad = {"Authorization": "Bearer nothing"}

    one = await platform.one(platform.message(), headers=bad)
    batch = await platform.batch([platform.message()], headers=bad)

    assert (one.status, (await one.json())["status"]) == (401, "401")
    assert (batch.status, (await batch.json())["status"]) == (403, "403")


async def test_a_token_serves_until_it_expires(start: Any) -> None:
    platform = await start({"authenticated": True}, token_lifetime_s=100)
    bearer = await platform.bearer()

    assert (await platform.batch([platform.message()], headers=bearer)).status == 207
    platform.clock.now += 100
    assert (await platform.batch([platform.message()], headers=bearer)).status == 403


async def test_a_credential_without_entitlement_is_403_with_a_body(start: Any) -> None:
    client = ImsClient("sandbox-client", ("sandbox-secret",), ORG_ID, IMS_SCOPES, entitled=False)
    platform = await start({"authenticated": True}, ims_clients=(client,))

    answer = await platform.one(platform.message(), headers=await platform.bearer())

    assert answer.status == 403
    assert (await answer.json())["title"] == "Authorization"


async def test_a_bad_token_does_not_block_an_open_inlet(platform: Any) -> None:
    answer = await platform.one(platform.message(), headers={"Authorization": "Bearer nothing"})
    assert answer.status == 200


async def test_an_address_that_is_not_allowed_gets_403_with_an_empty_body(start: Any) -> None:
    platform = await start(allowed_addresses=frozenset({"192.0.2.1"}))

    answer = await platform.one(platform.message())

    assert (answer.status, await answer.read()) == (403, b"")


async def test_too_many_requests_are_429_and_time_heals(start: Any) -> None:
    platform = await start(requests_per_second=2.0)

    statuses = [(await platform.one(platform.message())).status for _ in range(3)]
    assert statuses == [200, 200, 429]

    platform.clock.now += 1
    assert (await platform.one(platform.message())).status == 200


async def test_too_many_messages_are_429_with_retry_after_when_configured(start: Any) -> None:
    platform = await start(messages_per_second=10.0, retry_after_s=3)
    messages = [platform.message(str(number)) for number in range(15)]

    assert (await platform.batch(messages)).status == 207
    answer = await platform.batch(messages)

    assert answer.status == 429
    assert answer.headers["Retry-After"] == "3"


async def test_no_retry_after_is_sent_by_default(start: Any) -> None:
    platform = await start(requests_per_second=1.0)
    await platform.one(platform.message())

    answer = await platform.one(platform.message())

    assert answer.status == 429
    assert "Retry-After" not in answer.headers


RAW = {"event_id": "01R", "metric": "sent", "data": {"nothing": None}}


@pytest.mark.parametrize("where", ["header", "query"])
async def test_raw_data_is_taken_with_a_flow_id(start: Any, where: str) -> None:
    platform = await start({"mode": "raw"})
    flow = platform.inlet.flow_id
    if where == "header":
        answer = await platform.one(RAW, headers={"x-adobe-flow-id": flow})
    else:
        answer = await platform.one(RAW, query=f"?x-adobe-flow-id={flow}")

    assert answer.status == 200
    assert (await answer.json())["flowId"] == flow
    assert (await platform.get("/received?id=01R"))["newest"]["record"] == RAW


@pytest.mark.parametrize("headers", [{}, {"x-adobe-flow-id": "other"}])
async def test_raw_data_without_its_flow_id_is_refused(start: Any, headers: Any) -> None:
    platform = await start({"mode": "raw"})
    assert (await platform.one(RAW, headers=headers)).status == 400
    assert (await platform.batch([RAW], headers=headers)).status == 400
