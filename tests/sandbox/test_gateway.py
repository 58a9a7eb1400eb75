"""platform.md sections 0, 1.11 and 7.18: who may call platform.adobe.io, and faults of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from app.sandbox.config import ImsClient
from app.sandbox.defaults import IMS_SCOPES, ORG_ID

RUNS = "/foundation/flowservice/runs"
BATCHES = "/foundation/catalog/batches"
METRICS = "/data/infrastructure/observability/insights/metrics"


async def _ask(platform: Any, path: str = RUNS, **changes: str) -> tuple[int, Any]:
    """Status and body; a header that is changed to "" is left out."""
    headers = {**(await platform.gateway_headers()), **changes}
    kept = {name: value for name, value in headers.items() if value}
    answer = await platform.client.get(f"/data{path}", headers=kept)
    return answer.status, await answer.json()


@pytest.mark.parametrize("path", [RUNS, BATCHES])
@pytest.mark.parametrize(
    ("header", "value", "status", "code"),
    [
        ("Authorization", "", 403, "403010"),
        ("Authorization", "Bearer nothing", 401, "401013"),
        ("x-api-key", "", 403, "403000"),
        ("x-api-key", "other", 403, "403003"),
        ("x-gw-ims-org-id", "", 400, "400003"),
        ("x-gw-ims-org-id", "OTHER@AdobeOrg", 403, "403025"),
    ],
)
async def test_the_gateway_refuses_before_any_api(
    platform: Any, path: str, header: str, value: str, status: int, code: str
) -> None:
    """Section 1.11: {"error_code", "message"}."""
    got, body = await _ask(platform, path, **{header: value})

    assert (got, body["error_code"]) == (status, code)
    assert set(body) == {"error_code", "message"}


@pytest.mark.parametrize(
    ("value", "status", "code"), [("", 400, "2105-400"), ("Prod", 404, "2100-404")]
)
async def test_flow_service_wants_the_sandboxs_name(
    platform: Any, value: str, status: int, code: str
) -> None:
    """Sections 0 (all lower case) and 1.11."""
    got, body = await _ask(platform, **{"x-sandbox-name": value})
    assert (got, body["errorCode"]) == (status, code)


async def test_catalog_wants_the_sandboxs_name_too(platform: Any) -> None:
    assert (await _ask(platform, BATCHES, **{"x-sandbox-name": ""}))[0] == 400
    assert (await _ask(platform, BATCHES, **{"x-sandbox-name": "dev"}))[0] == 404


async def test_a_token_that_expired_is_not_valid(start: Any) -> None:
    platform = await start(token_lifetime_s=100)
    assert (await _ask(platform))[0] == 200

    platform.clock.now += 100

    assert (await _ask(platform))[1]["error_code"] == "401013"


async def test_a_credential_in_no_role_is_403_with_a_good_token(start: Any) -> None:
    """Section 7, point 18; the code is section 1.11's."""
    client = ImsClient("sandbox-client", ("sandbox-secret",), ORG_ID, IMS_SCOPES, entitled=False)
    platform = await start(ims_clients=(client,))

    status, body = await _ask(platform)

    assert (status, body["errorCode"]) == (403, "2120-403")
    assert (await _ask(platform, BATCHES))[0] == 403


async def test_the_role_can_be_taken_away_on_demand(platform: Any) -> None:
    await platform.fault(scope="control", no_role=True)

    assert (await _ask(platform))[1]["errorCode"] == "2120-403"
    assert (await _ask(platform, Authorization=""))[1]["error_code"] == "403010"

    await platform.client.delete("/faults")
    assert (await _ask(platform))[0] == 200


async def test_tokens_can_be_ended_on_demand(platform: Any) -> None:
    await platform.gateway_headers()
    platform.clock.now += 1
    await platform.fault(scope="control", expired_token=True)

    assert (await _ask(platform))[1]["error_code"] == "401013"

    platform.clock.now += 1
    fresh = await platform.bearer()
    assert (await _ask(platform, **fresh))[0] == 200


async def test_a_status_comes_with_the_apis_own_error(platform: Any) -> None:
    await platform.fault(scope="control", status=500)

    assert (await _ask(platform))[1]["errorCode"] == "1102-500"
    assert (await _ask(platform, BATCHES))[1]["status"] == 500
    answer = await platform.client.post(METRICS)
    assert (await answer.json())["type"].endswith("/INSGHT-1002-500")
    assert (await platform.one(platform.message())).status == 200


async def test_a_code_can_be_asked_for(platform: Any) -> None:
    await platform.fault(scope="runs", status=401, error_code="2000-401")

    assert await _ask(platform) == (
        401,
        {
            "errorCode": "2000-401",
            "statusCode": 401,
            "title": "Fault on demand",
            "message": "Fault on demand",
        },
    )
    assert (await _ask(platform, BATCHES))[0] == 200


async def test_too_many_requests_may_say_when_to_come_back(platform: Any) -> None:
    await platform.fault(scope="batches", status=429, retry_after=7)

    answer = await platform.call(BATCHES)

    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert (await answer.json())["error_code"] == "429050"


async def test_garbage_is_no_json(platform: Any) -> None:
    await platform.fault(scope="runs", garbage=True)

    answer = await platform.call(RUNS)

    assert answer.status == 200
    with pytest.raises(ValueError):
        await answer.json()


async def test_a_call_may_hang_or_be_cut(platform: Any) -> None:
    await platform.fault(scope="control", cut="before")
    with pytest.raises(aiohttp.ClientConnectionError):
        await platform.call(RUNS)
    await platform.client.delete("/faults")

    await platform.fault(scope="control", hang=True)
    hanging = asyncio.create_task(platform.call(RUNS))
    for _ in range(10_000):
        if (await platform.get("/faults"))["faults"][0]["hits"]:
            break
    await platform.client.delete("/faults")
    with pytest.raises(aiohttp.ClientConnectionError):
        await hanging


async def _two_hours(platform: Any) -> None:
    for name in "AB":
        await platform.one(platform.message(name))
        await platform.hour_over()


async def test_half_of_a_page_may_be_missing_unsaid(platform: Any) -> None:
    await _two_hours(platform)
    await platform.fault(scope="control", half_page=True)

    assert len((await platform.runs())["items"]) == 1
    assert len(await platform.batches()) == 1


async def test_answers_may_be_old(platform: Any) -> None:
    await _two_hours(platform)
    await platform.fault(scope="control", stale_hours=1)

    (run,) = (await platform.runs())["items"]
    assert run["metrics"]["durationSummary"]["startedAtUTC"] == 1_800_000_000_000
    assert len(await platform.batches()) == 1


@pytest.mark.parametrize(
    "rule",
    [
        {"scope": "control", "partial": 0.5},
        {"scope": "collection", "no_role": True},
        {"half_page": True},
        {"scope": "ims", "expired_token": True},
        {"scope": "lake", "status": 500},
        {"scope": "lake", "latency_ms": 5},
        {"scope": "control", "lake_fail": "DCVS-1106-400"},
        {"lake_fail": "nonsense"},
        {"lake_fail": "DCVS-1106-400", "lake_path": "eventType"},
        {"vanish": True, "run_missing": True},
    ],
)
async def test_a_rule_for_the_wrong_scope_is_refused(platform: Any, rule: Any) -> None:
    answer = await platform.client.post("/faults", json=rule)
    assert answer.status == 400
    assert (await answer.json())["errors"]
