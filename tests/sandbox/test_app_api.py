"""customerio.md section 10: the App API for reporting webhooks."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from app.sandbox.config import Workspace
from app.sandbox.customerio.appapi.names import EVENT_NAMES, event_name
from app.sandbox.customerio.events.fields import KINDS
from app.sandbox.defaults import APP_KEY, SIGNING_KEY, WORKSPACE
from tests.sandbox.conftest import Platform, Start

PATH = "/v1/reporting_webhooks"
WANTED = {"name": "Sluice", "endpoint": "https://example.com/webhooks/x", "events": ["email_sent"]}


async def call(
    platform: Platform,
    method: str,
    path: str = PATH,
    body: Any = None,
    key: str | None = APP_KEY,
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
    answer = await platform.client.request(method, path, json=body, headers=headers)
    platform.clock.now += 0.11
    if answer.content_type != "application/json":
        return answer.status, await answer.read()
    return answer.status, await answer.json()


def test_the_names_are_the_72_and_all_kinds_but_one_have_one() -> None:
    names = {event_name(*kind) for kind in KINDS}

    assert len(EVENT_NAMES) == len(set(EVENT_NAMES)) == 72
    assert names - set(EVENT_NAMES) == {"slack_undeliverable"}
    assert set(EVENT_NAMES) <= names


async def test_a_webhook_is_created_shown_listed_updated_and_deleted(platform: Platform) -> None:
    assert await call(platform, "GET") == (200, {"reporting_webhooks": None})

    status, made = await call(platform, "POST", body={**WANTED, "id": 77, "type": "js"})

    defaults = {"disabled": False, "full_resolution": False, "with_content": False}
    assert status == 200
    assert made == {**WANTED, "id": made["id"], "type": "webhook", **defaults}
    assert made["id"] != 77
    one = f"{PATH}/{made['id']}"
    assert await call(platform, "GET", one) == (200, made)
    assert await call(platform, "GET") == (200, {"reporting_webhooks": [made]})

    changed = {**made, "disabled": True}
    assert await call(platform, "PUT", one, {"disabled": True}) == (200, changed)
    assert await call(platform, "GET", one) == (200, changed)

    assert await call(platform, "DELETE", one) == (200, b"")
    for method, body in (("GET", None), ("PUT", {"disabled": False}), ("DELETE", None)):
        assert (await call(platform, method, one, body))[0] == 404
    assert await call(platform, "GET") == (200, {"reporting_webhooks": None})


async def test_a_second_create_makes_a_second_one(platform: Platform) -> None:
    first = (await call(platform, "POST", body=WANTED))[1]["id"]
    second = (await call(platform, "POST", body=WANTED))[1]["id"]

    _, listed = await call(platform, "GET")

    assert first != second
    assert [webhook["id"] for webhook in listed["reporting_webhooks"]] == [first, second]


@pytest.mark.parametrize(
    "fault",
    [
        {"name": None},
        {"name": " "},
        {"endpoint": "example.com/webhooks"},
        {"endpoint": "ftp://example.com"},
        {"endpoint": "https://"},
        {"endpoint": "https://example.com/a b"},
        {"endpoint": "https://example.com:http/"},
        {"events": []},
        {"events": {"email": {"sent": True}}},
        {"events": ["email_sent", "email_forwarded"]},
        {"events": ["slack_undeliverable"]},
        {"events": ["email.sent"]},
        {"disabled": "true"},
        {"full_resolution": 1},
        {"with_content": None},
    ],
)
async def test_what_is_malformed_is_refused_and_changes_nothing(
    platform: Platform, fault: dict[str, Any]
) -> None:
    made = (await call(platform, "POST", body=WANTED))[1]

    assert (await call(platform, "POST", body={**WANTED, **fault}))[0] == 400
    assert (await call(platform, "PUT", f"{PATH}/{made['id']}", fault))[0] == 400

    assert (await call(platform, "GET"))[1] == {"reporting_webhooks": [made]}


@pytest.mark.parametrize("missing", ["name", "endpoint", "events"])
async def test_three_fields_are_required_to_create(platform: Platform, missing: str) -> None:
    body = {name: value for name, value in WANTED.items() if name != missing}
    status, said = await call(platform, "POST", body=body)
    assert status == 400
    assert missing in said["meta"]["error"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"'])
async def test_what_is_no_object_is_refused(platform: Platform, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {APP_KEY}"}
    answer = await platform.client.post(PATH, data=body, headers=headers)
    assert answer.status == 400


async def test_a_key_opens_its_workspace_in_its_region_and_no_other(start: Start) -> None:
    europe = Workspace("europe", ("eu-key", "eu-key-2"), "0" * 64, "eu")
    other = Workspace("other", ("other-key",), "1" * 64)
    platform = await start(workspaces=(europe, other))
    made = (await call(platform, "POST", f"/eu{PATH}", WANTED, "eu-key"))[1]

    assert (await call(platform, "GET", f"/eu{PATH}/{made['id']}", key="eu-key-2"))[0] == 200
    assert (await call(platform, "GET", f"{PATH}/{made['id']}", key="other-key"))[0] == 404
    for base, key in (("", "eu-key"), ("/eu", "other-key"), ("", "wrong"), ("", ""), ("", None)):
        assert (await call(platform, "GET", base + PATH, key=key))[0] == 401, (base, key)
    addresses = (await call(platform, "GET", "/eu/v1/info/ip_addresses", key=None))[1]
    assert "34.76.143.229" in addresses["ip_addresses"]


async def test_source_addresses_need_no_key(platform: Platform) -> None:
    status, said = await call(platform, "GET", "/v1/info/ip_addresses", key=None)
    assert status == 200
    assert "35.188.196.183" in said["ip_addresses"]


async def test_an_eleventh_call_in_a_second_is_answered_429_without_a_word(
    start: Start,
) -> None:
    workspaces = (Workspace("one", ("key", "second"), "0" * 64),)
    platform = await start(workspaces=workspaces)
    began = platform.clock.now
    for _ in range(10):
        assert (await call(platform, "GET", key="key"))[0] == 200
    platform.clock.now = began + 0.999

    headers = {"Authorization": "Bearer key"}
    refused = await platform.client.get(PATH, headers=headers)

    assert refused.status == 429
    assert await refused.read() == b""
    assert "Retry-After" not in refused.headers
    assert (await call(platform, "GET", key="second"))[0] == 200
    platform.clock.now = began + 1.0
    assert (await call(platform, "GET", key="key"))[0] == 200


async def test_the_signing_key_is_on_its_page_and_in_no_answer(platform: Platform) -> None:
    said = [await call(platform, "POST", body=WANTED), await call(platform, "GET")]

    page = await platform.get(f"/customerio/workspaces/{WORKSPACE}")

    assert page["signing_key"] == SIGNING_KEY
    assert [webhook["name"] for webhook in page["webhooks"]] == ["Sluice"]
    assert SIGNING_KEY not in str(said)
    assert (await platform.client.get("/customerio/workspaces/none")).status == 404


async def test_a_burst_of_429_ends_after_so_many(platform: Platform) -> None:
    await platform.fault(scope="app_api", status=429, times=2)
    assert [await call(platform, "GET") for _ in range(2)] == [(429, b"")] * 2
    assert (await call(platform, "GET"))[0] == 200


async def test_an_answer_lost_after_the_act_leaves_the_webhook_there(platform: Platform) -> None:
    await platform.fault(scope="app_api", cut="after", times=1)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await call(platform, "POST", body=WANTED)
    assert len((await call(platform, "GET"))[1]["reporting_webhooks"]) == 1


async def test_a_lost_call_a_fault_and_a_hang_change_nothing(platform: Platform) -> None:
    for fault in ({"cut": "before"}, {"hang": True, "duration_seconds": 5.0}):
        await platform.fault(scope="app_api", times=1, **fault)
    await platform.fault(scope="app_api", status=503, times=1)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await call(platform, "POST", body=WANTED)
    with pytest.raises(TimeoutError):
        async with platform.client.session.post(
            platform.client.make_url(PATH), timeout=aiohttp.ClientTimeout(total=0.05)
        ):
            pass
    assert (await call(platform, "POST", body=WANTED))[0] == 503
    assert (await call(platform, "GET"))[1] == {"reporting_webhooks": None}


async def test_an_answer_may_be_no_json(platform: Platform) -> None:
    await platform.fault(scope="app_api", garbage=True, times=1)
    headers = {"Authorization": f"Bearer {APP_KEY}"}
    answer = await platform.client.get(PATH, headers=headers)
    with pytest.raises(ValueError):
        await answer.json()


async def test_calls_are_in_the_log_without_their_keys(platform: Platform) -> None:
    await call(platform, "POST", body=WANTED)
    await call(platform, "GET", key="a-wrong-key")

    first, second = (await platform.get("/calls"))["calls"]

    assert (first["method"], first["path"], first["status"]) == ("POST", PATH, 200)
    assert first["body"] == WANTED
    assert second["status"] == 401
    assert "-key" not in str([first, second])
