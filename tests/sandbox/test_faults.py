"""Faults on demand."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest


async def _hit(platform: Any) -> None:
    """Returns when the first rule in force was applied to a request."""
    for _ in range(10_000):
        if (await platform.get("/faults"))["faults"][0]["hits"]:
            return
    raise AssertionError("the request did not come")


async def test_a_status_is_answered_instead_and_nothing_is_taken(platform: Any) -> None:
    await platform.fault(status=503, retry_after=7)

    answer = await platform.one(platform.message())

    assert (answer.status, answer.headers["Retry-After"]) == (503, "7")
    assert (await answer.json())["status"] == 503
    assert (await platform.get("/received"))["messages"] == 0
    assert (await platform.token()).status == 200


async def test_a_share_hits_only_some(platform: Any) -> None:
    await platform.fault(status=500, share=0.5)

    statuses = [(await platform.one(platform.message())).status for _ in range(60)]

    assert 15 < statuses.count(500) < 45
    (listed,) = (await platform.get("/faults"))["faults"]
    assert listed["hits"] == statuses.count(500)
    assert listed["rule"] == {"status": 500, "share": 0.5}


async def test_a_rule_ends_by_itself(platform: Any) -> None:
    await platform.fault(status=503, duration_seconds=120)
    assert (await platform.one(platform.message())).status == 503

    platform.clock.now += 120

    assert (await platform.one(platform.message())).status == 200
    assert await platform.get("/faults") == {"faults": []}


async def test_the_scope_says_whom_it_hits(platform: Any) -> None:
    await platform.fault(status=503, scope="ims")
    assert (await platform.token()).status == 503
    assert (await platform.one(platform.message())).status == 200

    await platform.client.delete("/faults")
    await platform.fault(status=503, scope="both")
    assert (await platform.token()).status == 503
    assert (await platform.one(platform.message())).status == 503


async def test_an_answer_that_is_lost_was_taken_in(platform: Any) -> None:
    await platform.fault(cut="after")

    with pytest.raises(aiohttp.ClientConnectionError):
        await platform.one(platform.message())

    assert (await platform.get("/received"))["messages"] == 1


async def test_a_connection_cut_before_takes_nothing(platform: Any) -> None:
    await platform.fault(cut="before")

    with pytest.raises(aiohttp.ClientConnectionError):
        await platform.one(platform.message())

    assert (await platform.get("/received"))["messages"] == 0


async def test_garbage_is_no_json_but_the_messages_are_taken(platform: Any) -> None:
    await platform.fault(garbage=True)

    answer = await platform.batch([platform.message()])

    assert answer.status == 207
    with pytest.raises(ValueError):
        await answer.json()
    assert (await platform.get("/received"))["messages"] == 1


async def test_a_hanging_request_goes_on_when_the_rule_is_removed(platform: Any) -> None:
    await platform.fault(hang=True)
    hanging = asyncio.create_task(platform.one(platform.message()))
    await _hit(platform)

    await platform.client.delete("/faults")

    with pytest.raises(aiohttp.ClientConnectionError):
        await hanging


async def test_latency_comes_before_the_answer(platform: Any) -> None:
    await platform.fault(latency_ms=30)
    began = asyncio.get_running_loop().time()

    assert (await platform.one(platform.message())).status == 200

    assert asyncio.get_running_loop().time() - began >= 0.03


async def test_a_blocked_address_gets_403_with_an_empty_body(platform: Any) -> None:
    await platform.fault(blocked=True)

    answer = await platform.one(platform.message())

    assert (answer.status, await answer.read()) == (403, b"")


async def test_expired_tokens_are_cured_by_a_new_one(start: Any) -> None:
    platform = await start({"authenticated": True})
    old = await platform.bearer()
    platform.clock.now += 1
    await platform.fault(expired_token=True)

    platform.clock.now += 1
    assert (await platform.one(platform.message(), headers=old)).status == 401
    assert (await platform.one(platform.message(), headers=await platform.bearer())).status == 200


async def test_a_partial_207_refuses_a_share_of_its_messages(platform: Any) -> None:
    await platform.fault(partial=0.5, partial_status=503)

    answer = await platform.batch([platform.message(str(number)) for number in range(40)])

    refused = [e for e in (await answer.json())["responses"] if e.get("statusCode") == 503]
    assert answer.status == 207
    assert 5 < len(refused) < 35
    assert (await platform.get("/received"))["messages"] == 40 - len(refused)


async def test_a_short_answer_leaves_out_one_that_was_taken(platform: Any) -> None:
    await platform.fault(short_answer=True)

    answer = await platform.batch([platform.message(str(number)) for number in range(5)])

    assert len((await answer.json())["responses"]) == 4
    assert (await platform.get("/received"))["messages"] == 5


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"status": 503, "hang": True},
        {"share": 2, "status": 503},
        {"stat": 503},
        {"scope": "ims", "partial": 0.5},
        7,
    ],
)
async def test_a_wrong_rule_is_refused_and_says_why(platform: Any, rule: Any) -> None:
    answer = await platform.client.post("/faults", json=rule)

    assert answer.status == 400
    assert (await answer.json())["errors"]
    assert await platform.get("/faults") == {"faults": []}


async def test_one_rule_of_several_can_be_removed(platform: Any) -> None:
    answer = await platform.client.post("/faults", json=[{"status": 503}, {"latency_ms": 1}])
    first, second = (await answer.json())["faults"]

    removed = await platform.client.delete(f"/faults?id={first['id']}")

    assert await removed.json() == {"removed": 1}
    assert [f["id"] for f in (await platform.get("/faults"))["faults"]] == [second["id"]]
    assert (await platform.client.delete("/faults?id=99")).status == 404


async def test_faults_hit_the_sink_too(start: Any) -> None:
    platform = await start(sink=True)
    await platform.fault(status=503)
    assert (await platform.batch([platform.message()])).status == 503
