"""What only the sandbox has for its control plane: the log of calls, and faults in mid-set-up."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.sandbox.dataflow import (
    CATALOG,
    CONVERSION,
    FLOW,
    NAMESPACES,
    NEEDED_ROWS,
    REGISTRY,
    Dataflow,
    tutorial_rows,
)

RICH = [*tutorial_rows(), *NEEDED_ROWS]
# platform.md section 1.11, all of its table.
CODES = (
    "1100-400 1101-404 1439-400 1430-400 1102-500 1400-500 1103-503 1104-504 1401-400 "
    "1403-400 1404-412 1405-400 1410-400 1412-400 1413-400 1418-400 1447-400 1419-400 "
    "1420-400 1421-400 1457-400 1458-400 1425-400 1444-400 2000-401 2001-401 2002-401 "
    "2100-404 2101-404 2103-404 2105-400 2114-400 2115-400 2118-403 2120-403 2121-403 "
    "2102-500 2104-500 2107-500 2108-500 2116-500 2117-500 2200-500 2250-500"
)
NAMESPACE = {"name": "n", "code": "Cio", "idType": "Cross_device"}


async def test_calls_are_kept_as_they_came_without_secrets(platform: Any) -> None:
    await platform.ask("GET", f"{FLOW}/flows?property=name==x%20y&limit=1")
    await platform.ask("POST", NAMESPACES, NAMESPACE)

    calls = (await platform.get("/calls"))["calls"]

    assert [(call["method"], call["path"]) for call in calls] == [
        ("POST", "/ims/token/v3"),
        ("GET", f"/data{FLOW}/flows?property=name==x%20y&limit=1"),
        ("POST", f"/data{NAMESPACES}"),
    ]
    assert [call["status"] for call in calls] == [200, 200, 200]
    assert calls[2]["body"] == NAMESPACE
    assert calls[1]["headers"]["x-sandbox-name"] == "prod"
    assert calls[1]["headers"]["Authorization"] == "Bearer ***"
    assert calls[0]["body"]["client_secret"] == "***"
    text = str(calls)
    assert "sandbox-secret" not in text
    assert platform.headers["Authorization"].split()[1] not in text

    assert (await (await platform.client.delete("/calls")).json())["last"] == 3
    await platform.ask("GET", "/no/such/path")
    (call,) = (await platform.get("/calls?after=3"))["calls"]
    assert (call["number"], call["status"]) == (4, 404)


async def test_any_code_can_be_provoked_once(platform: Any) -> None:
    for code in CODES.split():
        await platform.fault(error_code=code, times=1, method="GET", path=f"/data{FLOW}/flows")

        assert (await platform.ask("GET", f"{FLOW}/connectionSpecs"))[0] == 200
        status, answer = await platform.ask("GET", f"{FLOW}/flows")
        assert (status, answer["errorCode"]) == (int(code[-3:]), code)
        assert (await platform.ask("GET", f"{FLOW}/flows"))[0] == 200


async def test_each_api_answers_a_fault_in_its_own_words(platform: Any) -> None:
    await platform.fault(scope="control", status=503, retry_after=3)
    for path in (
        f"{REGISTRY}/stats",
        NAMESPACES,
        f"{CATALOG}/dataSets",
        f"{CONVERSION}/mappingSets",
    ):
        status, answer = await platform.ask("GET", path)
        assert (status, answer["status"]) == (503, 503)
        assert answer["type"].startswith("http://ns.adobe.com/aep/errors/")
    await platform.client.delete("/faults")
    await platform.fault(scope="registry", status=429)
    assert (await platform.ask("GET", f"{REGISTRY}/stats"))[0] == 429
    assert (await platform.ask("GET", NAMESPACES))[0] == 200


@pytest.mark.parametrize("what", [{"cut": "after"}, {"cut": "before"}])
async def test_an_answer_may_be_lost_after_the_object_was_made(
    platform: Any, what: dict[str, str]
) -> None:
    made = Dataflow(platform)
    await made.schema()
    await platform.fault(scope="datasets", method="POST", times=1, **what)

    with pytest.raises(aiohttp.ClientConnectionError):
        await made.dataset()

    there = (await platform.get("/objects"))["counts"]["dataSets"]
    assert there == (1 if what["cut"] == "after" else 0)
    assert (await platform.get("/calls"))["calls"][-1]["status"] is None
    await made.dataset()


async def test_a_time_out_may_have_done_its_work_all_the_same(platform: Any) -> None:
    await platform.fault(error_code="1104-504", acted=True, scope="flows", method="DELETE")
    made = await Dataflow(platform).all(RICH)

    path = f"{FLOW}/flows/{made.ids['flow']}"
    assert (await platform.ask("DELETE", path))[0] == 504

    assert (await platform.ask("GET", path))[0] == 404


async def test_a_rule_can_wait_for_the_call_in_the_middle(platform: Any) -> None:
    await platform.fault(scope="control", status=500, skip=3, times=1)

    made = Dataflow(platform)
    await made.schema()
    await made.dataset()
    with pytest.raises(AssertionError, match="1102-500"):
        await made.source()
    await made.source()


async def test_the_five_minutes_can_be_ended(platform: Any) -> None:
    made = await Dataflow(platform).all(RICH)

    answer = await platform.client.post("/objects/settle")

    assert await answer.json() == {"settled": 1}
    assert (await made.send())[0] == 200
    assert (await platform.get("/lake?settle=true"))["landed"] == 1


async def test_the_headers_are_wanted_of_every_api(platform: Any) -> None:
    """Section 0."""
    for path in (f"{FLOW}/connections", f"{REGISTRY}/stats", NAMESPACES, f"{CATALOG}/dataSets"):
        for name, status in (
            ("Authorization", 403),
            ("x-gw-ims-org-id", 400),
            ("x-sandbox-name", 400),
        ):
            got, _ = await platform.ask("GET", path, headers={name: ""})
            assert got == status, (path, name)
