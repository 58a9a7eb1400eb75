"""customerio.md sections 9 and 11: what a workspace sends to its reporting webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from app.sandbox.customerio.appapi.names import EVENT_NAMES
from app.sandbox.customerio.post import TIMED_OUT
from app.sandbox.defaults import APP_KEY, WORKSPACE
from app.sandbox.traffic import send_test_body
from tests.sandbox.conftest import START, Platform, Start
from tests.sandbox.receiving import Listen, Receiver

PAGE = f"/customerio/workspaces/{WORKSPACE}"
AUTHORIZED = {"Authorization": f"Bearer {APP_KEY}"}
# An hour is 3.6 ms, seven days are 0.6 s.
FAST = 1e6


async def create(platform: Platform, endpoint: str, **fields: Any) -> int:
    body = {"name": "x", "endpoint": endpoint, "events": list(EVENT_NAMES), **fields}
    answer = await platform.client.post("/v1/reporting_webhooks", json=body, headers=AUTHORIZED)
    return int((await answer.json())["id"])


async def update(platform: Platform, webhook: int, **fields: Any) -> None:
    path = f"/v1/reporting_webhooks/{webhook}"
    answer = await platform.client.put(path, json=fields, headers=AUTHORIZED)
    assert answer.status == 200


async def play(platform: Platform, settle: bool = True, **order: Any) -> list[dict[str, Any]]:
    """How the webhooks fare afterwards."""
    answer = await platform.client.post(f"{PAGE}/play", json={"seed": 1, **order})
    assert answer.status == 202, await answer.text()
    return await webhooks(platform, settle)


async def webhooks(platform: Platform, settle: bool = False) -> list[dict[str, Any]]:
    page = await platform.get(f"{PAGE}?settle={str(settle).lower()}")
    return list(page["webhooks"])


async def watch(platform: Platform, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The only webhook, as soon as that is true of it."""
    while True:
        (found,) = await webhooks(platform)
        if reached(found):
            return found


def documents(receiver: Receiver) -> list[dict[str, Any]]:
    return [orjson.loads(body) for body in receiver.bodies]


def adds_up(webhook: dict[str, Any]) -> bool:
    ways = ("acknowledged", "given_up", "dropped", "waiting")
    return bool(webhook["offered"] == sum(webhook[way] for way in ways))


async def test_a_webhook_gets_its_kinds_of_event_signed_and_one_by_one(
    platform: Platform, listen: Listen
) -> None:
    everything, clicks = await listen(), await listen()
    await create(platform, everything.url, full_resolution=True)
    await create(platform, clicks.url, events=["sms_clicked", "email_clicked"])
    await create(platform, clicks.url, disabled=True)

    first, second, third = await play(platform, count=300, families=["email", "sms"])

    assert (first["offered"], first["acknowledged"]) == (300, 300)
    assert second["acknowledged"] == len(clicks.bodies) > 0
    assert third["offered"] == third["attempts"] == 0
    kinds = {(event["object_type"], event["metric"]) for event in documents(clicks)}
    assert kinds <= {("sms", "clicked"), ("email", "clicked")}
    assert {event["object_type"] for event in documents(everything)} == {"email", "sms"}
    assert len({event["event_id"] for event in documents(everything)}) == 300
    assert everything.most_at_once == 1


async def test_what_fails_blocks_those_behind_it_until_it_succeeds(
    start: Start, listen: Listen
) -> None:
    platform = await start(time_factor=FAST)
    statuses = [500, 302, 503, 200]
    receiver = await listen(lambda n: web.Response(status=statuses[min(n, 3)]))
    await create(platform, receiver.url, full_resolution=True)

    (webhook,) = await play(platform, count=5)

    assert receiver.bodies[:4] == [receiver.bodies[0]] * 4
    assert len(set(receiver.bodies)) == 5
    assert len(receiver.bodies) == 8
    tries = [(answer["tries"], answer["status"]) for answer in webhook["last_answers"]]
    assert tries[:5] == [(1, 500), (2, 302), (3, 503), (4, 200), (1, 200)]
    assert webhook["acknowledged"] == 5
    assert webhook["blocked"] is None


async def test_after_seven_days_an_event_is_given_up_and_the_next_one_sent(
    start: Start, listen: Listen
) -> None:
    platform = await start(time_factor=FAST * 10)

    def refuse_the_first(number: int) -> web.Response:
        return web.Response(status=503 if receiver.bodies[number] == receiver.bodies[0] else 204)

    receiver = await listen(refuse_the_first)
    await create(platform, receiver.url, full_resolution=True)

    (webhook,) = await play(platform, count=3)

    assert (webhook["given_up"], webhook["acknowledged"]) == (1, 2)
    assert receiver.bodies.count(receiver.bodies[0]) > 2
    assert receiver.bodies[-3] == receiver.bodies[0]


@pytest.mark.parametrize(("status", "factor"), [(500, 1.0), (401, 2.0)])
async def test_some_statuses_cost_an_hour(
    start: Start, listen: Listen, status: int, factor: float
) -> None:
    # The test's clock stands still, so the end of the first wait is known to the millisecond.
    platform = await start(time_factor=factor)
    receiver = await listen(lambda _: web.Response(status=status))
    await create(platform, receiver.url)
    await play(platform, settle=False, count=1)

    webhook = await watch(platform, lambda found: found["blocked"] is not None)

    assert webhook["last_answers"][0]["status"] == status
    assert webhook["blocked"]["tries"] == 1
    assert webhook["blocked"]["until_ms"] == (START + 3600 / factor) * 1000


async def test_a_closed_port_costs_an_hour_and_so_does_a_cut_connection(
    start: Start, listen: Listen, unused_tcp_port: int
) -> None:
    platform = await start()
    cutting = await listen(lambda _: None)
    await create(platform, f"http://127.0.0.1:{unused_tcp_port}/")
    await create(platform, cutting.url)
    await play(platform, settle=False, count=1)

    while not all(found["blocked"] for found in await webhooks(platform)):
        pass

    found = await webhooks(platform)
    errors = [webhook["last_answers"][0]["error"] for webhook in found]
    assert errors == ["connect: connection refused", "EOF"]
    assert [webhook["blocked"]["until_ms"] for webhook in found] == [(START + 3600) * 1000] * 2


async def test_an_answer_that_comes_too_late_is_none(start: Start) -> None:
    platform = await start(time_factor=FAST, webhook_timeout_s=0.1)
    never = asyncio.Event()
    got: list[bytes] = []

    async def hang_once(request: web.Request) -> web.Response:
        got.append(await request.read())
        if len(got) == 1:
            await never.wait()
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/", hang_once)])
    async with TestServer(app) as server:
        await create(platform, str(server.make_url("/")))
        (webhook,) = await play(platform, count=1)
        never.set()

    assert got == [got[0]] * 2
    answers = [(found["status"], found["error"]) for found in webhook["last_answers"]]
    assert answers == [(0, TIMED_OUT), (200, "")]


async def test_repeats_and_content_are_for_who_asked_for_them(
    platform: Platform, listen: Listen
) -> None:
    full, frugal = await listen(), await listen()
    await create(platform, full.url, full_resolution=True, with_content=True)
    await create(platform, frugal.url)

    events = ["email_opened", "email_clicked", "email_sent"]
    first, second = await play(platform, count=400, events=events, repeats=0.5)

    def once(document: dict[str, Any]) -> tuple[str, str]:
        return document["metric"], document["data"]["delivery_id"]

    assert first["acknowledged"] == 400
    assert {once(found) for found in documents(full)} == {once(d) for d in documents(frugal)}
    assert len({once(found) for found in documents(frugal)}) == second["acknowledged"] < 300
    assert any("content" in found["data"] for found in documents(full))
    assert any("headers" in found["data"] for found in documents(full))
    assert not [d for d in documents(frugal) if {"content", "headers"} & d["data"].keys()]


async def test_events_of_a_pause_are_not_sent_later(platform: Platform, listen: Listen) -> None:
    receiver = await listen(lambda n: web.Response(status=500 if n == 0 else 200))
    webhook = await create(platform, receiver.url, full_resolution=True)
    await play(platform, settle=False, count=4)
    await watch(platform, lambda found: found["blocked"] is not None)

    await update(platform, webhook, disabled=True)
    (paused,) = await play(platform, count=7, seed=2)
    await update(platform, webhook, disabled=False)
    (resumed,) = await play(platform, count=2, seed=3)

    assert (paused["offered"], paused["dropped"], paused["waiting"]) == (4, 4, 0)
    assert (resumed["offered"], resumed["acknowledged"]) == (6, 2)
    assert adds_up(resumed)
    assert len(receiver.bodies) == 3


async def test_a_deleted_webhook_is_called_no_more(platform: Platform, listen: Listen) -> None:
    receiver = await listen(lambda _: web.Response(status=500))
    webhook = await create(platform, receiver.url)
    await play(platform, settle=False, count=1)
    await watch(platform, lambda found: found["blocked"] is not None)

    path = f"/v1/reporting_webhooks/{webhook}"
    assert (await platform.client.delete(path, headers=AUTHORIZED)).status == 200

    assert await play(platform, count=1) == []
    assert len(receiver.bodies) == 1


async def test_send_test_posts_the_fixed_body_beside_the_stream(
    platform: Platform, listen: Listen
) -> None:
    receiver = await listen(lambda n: web.Response(status=500 if n == 0 else 200))
    webhook = await create(platform, receiver.url, disabled=True)

    answers = [
        await (await platform.client.post(f"{PAGE}/webhooks/{webhook}/test")).json()
        for _ in range(2)
    ]

    assert receiver.bodies == [send_test_body(int(START))] * 2
    assert [answer["status"] for answer in answers] == [500, 200]
    assert {answer["event_id"] for answer in answers} == {"01E2EMRMM6TZ12TF9WGZN0WJQT"}
    (found,) = await webhooks(platform)
    assert (found["attempts"], found["blocked"]) == (0, None)
    assert (await platform.client.post(f"{PAGE}/webhooks/99/test")).status == 404


async def test_a_play_keeps_to_its_rate_and_says_how_far_it_is(platform: Platform) -> None:
    await play(platform, settle=False, count=2, rate=0.001)
    await play(platform, settle=False, count=2, rate=1000.0)
    while not (plays := (await platform.get(PAGE))["plays"])[1]["over"]:
        pass
    assert [(found["happened"], found["over"]) for found in plays] == [(1, False), (2, True)]


@pytest.mark.parametrize(
    "order",
    [{}, {"count": 0}, {"count": 1, "rate": 0}, {"count": 1, "families": ["pigeon"]},
     {"count": 1, "families": ["sms"], "events": ["email_sent"]}, {"count": 1, "kind": "x"}],
)  # fmt: skip
async def test_a_wrong_order_is_refused(platform: Platform, order: dict[str, Any]) -> None:
    answer = await platform.client.post(f"{PAGE}/play", json=order)
    assert answer.status == 400
    assert (await platform.get(PAGE))["plays"] == []


async def test_a_host_that_cannot_be_one_stops_nothing(start: Start) -> None:
    platform = await start()
    await create(platform, f"http://{'a' * 70}.example/")

    await play(platform, settle=False, count=1)

    webhook = await watch(platform, lambda found: found["blocked"] is not None)
    assert webhook["last_answers"][0]["error"] == "no such host"
    assert webhook["blocked"]["until_ms"] == (START + 30) * 1000
