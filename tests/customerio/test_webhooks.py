"""Reporting webhooks by the App API (customerio.md section 10)."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from app.core.errors import (
    CustomerIoFault,
    CustomerIoMissing,
    CustomerIoRefused,
    CustomerIoUnavailable,
    CustomerIoUnreadable,
)
from app.customerio.app_api import AppApi, Workspace
from app.customerio.webhooks import Webhook, Webhooks
from tests.customerio.scripted_app_api import ADDRESSES, KEY, PATH, ScriptedAppApi, scripted

ENDPOINT = "https://sluice.example.com/webhooks/a"


class Asked:
    """An App API, its client, and what that would have slept."""

    def __init__(self, api: ScriptedAppApi, session: aiohttp.ClientSession) -> None:
        self.api = api
        self.session = session
        self.slept: list[float] = []
        self.shown: list[str] = []
        self.webhooks = self.of(Workspace(api.url, KEY))

    def of(self, workspace: Workspace, pace: float = 1e9) -> Webhooks:
        return Webhooks(
            AppApi(
                self.session, workspace, requests_per_second=pace, show=self.shown.append,
                sleep=self._sleep, chance=lambda: 1.0, clock=lambda: 0.0,
            )
        )  # fmt: skip

    async def _sleep(self, seconds: float) -> None:
        if seconds > 1e-3:
            self.slept.append(seconds)
            self.api.rested()

    def answers(self, status: int, *, times: int = 1, body: bytes = b"") -> None:
        self.api.answers += [web.Response(status=status, body=body) for _ in range(times)]


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    async with scripted() as api, aiohttp.ClientSession() as session:
        yield Asked(api, session)


async def test_a_webhook_is_made_disabled_found_changed_and_deleted(asked: Asked) -> None:
    hooks = asked.webhooks
    assert await hooks.named("sluice") == []
    made = await hooks.create("sluice", ENDPOINT, ["email_sent", "customer_subscribed"])
    assert made == Webhook(
        4, "sluice", ENDPOINT, ("email_sent", "customer_subscribed"), True, True, False, "webhook"
    )
    assert await hooks.update(replace(made, disabled=False)) == replace(made, disabled=False)
    assert await hooks.get(4) == replace(made, disabled=False)
    await hooks.create("sluice", ENDPOINT, ["email_sent"])
    assert [each.id for each in await hooks.named("sluice")] == [4, 5]
    assert await hooks.delete(4) is True
    assert await hooks.delete(4) is False
    assert await hooks.get(4) is None
    assert {each.headers["Authorization"] for each in asked.api.got} == {f"Bearer {KEY}"}


async def test_what_is_sent_is_the_whole_object_without_what_is_read_only(asked: Asked) -> None:
    made = await asked.webhooks.create("sluice", ENDPOINT, ["email_sent"], with_content=True)
    await asked.webhooks.update(made)
    body = {
        "name": "sluice", "endpoint": ENDPOINT, "disabled": True, "full_resolution": True,
        "with_content": True, "events": ["email_sent"],
    }  # fmt: skip
    assert [json.loads(each) for each in asked.api.bodies] == [body, body]
    assert asked.api.calls == [f"POST {PATH}", f"PUT {PATH}/4"]


async def test_addresses_are_asked_for_without_the_key(asked: Asked) -> None:
    assert await asked.webhooks.addresses() == tuple(ADDRESSES)
    assert "Authorization" not in asked.api.got[0].headers
    assert KEY not in asked.shown[0]


async def test_a_key_that_is_wrong_is_told_from_one_that_is_good(asked: Asked) -> None:
    await asked.webhooks.check_key()
    with pytest.raises(CustomerIoRefused, match="or of the other region"):
        await asked.of(Workspace(asked.api.url, "wrong")).check_key()


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, CustomerIoRefused, "at least one event"),
        (401, CustomerIoRefused, "App API keys"),
        (403, CustomerIoRefused, "App API keys"),
        (404, CustomerIoMissing, "was it deleted?"),
        (429, CustomerIoUnavailable, "too many requests"),
        (500, CustomerIoUnavailable, "try again later"),
        (302, CustomerIoRefused, "the right region"),
        (418, CustomerIoRefused, "the right region"),
    ],
)
async def test_each_status_says_what_to_do(
    asked: Asked, status: int, kind: type[CustomerIoFault], words: str
) -> None:
    asked.answers(status, times=5, body=b'{"errors":[{"detail":"Its own words"}]}')
    with pytest.raises(kind, match=words) as caught:
        await asked.webhooks.update(Webhook(4, "a", ENDPOINT, ("email_sent",)))
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.call) == (status, f"PUT {PATH}/4")
    assert "Its own words" in str(caught.value)
    assert not caught.value.maybe_done


async def test_a_webhook_without_events_is_refused_with_the_field(asked: Asked) -> None:
    with pytest.raises(CustomerIoRefused, match="events is required"):
        await asked.webhooks.create("sluice", ENDPOINT, [])


async def test_what_was_over_the_rate_is_asked_again_after_a_second(asked: Asked) -> None:
    """429 has no Retry-After; nothing was done, so a POST is made again too."""
    asked.api.allowed = 0
    made = await asked.webhooks.create("sluice", ENDPOINT, ["email_sent"])
    assert (made.id, len(asked.api.got), asked.slept) == (4, 2, [2.0])
    asked.answers(429, times=9)
    with pytest.raises(CustomerIoUnavailable):
        await asked.webhooks.all()
    assert len(asked.api.got) == 7


async def test_calls_keep_below_ten_a_second(asked: Asked) -> None:
    paced = asked.of(Workspace(asked.api.url, KEY), pace=8.0)
    for _ in range(3):
        await paced.all()
    assert asked.slept == [0.125, 0.25]


async def test_a_webhook_whose_making_was_not_answered_is_not_made_twice(asked: Asked) -> None:
    asked.answers(502, times=2)
    with pytest.raises(CustomerIoUnavailable) as caught:
        await asked.webhooks.create("sluice", ENDPOINT, ["email_sent"])
    assert (caught.value.maybe_done, len(asked.api.got)) == (True, 1)
    gone = asked.of(Workspace("http://127.0.0.1:9", KEY))
    with pytest.raises(CustomerIoUnavailable, match="reachable") as lost:
        await gone.create("sluice", ENDPOINT, ["email_sent"])
    assert lost.value.maybe_done


async def test_what_changes_nothing_twice_is_asked_again(asked: Asked) -> None:
    made = await asked.webhooks.create("sluice", ENDPOINT, ["email_sent"])
    for ask in (asked.webhooks.all, lambda: asked.webhooks.update(made)):
        asked.answers(503)
        await ask()
    asked.answers(500)
    assert await asked.webhooks.delete(4) is True


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"{}", b'{"id":"4"}', b"[]", b"null", b"", b'{"id":true}', b" " * 4_000_001],
)
async def test_an_answer_of_another_shape_is_unreadable(asked: Asked, body: bytes) -> None:
    asked.answers(200, times=3, body=body)
    with pytest.raises(CustomerIoUnreadable):
        await asked.webhooks.get(4)
    with pytest.raises(CustomerIoUnreadable) as caught:
        await asked.webhooks.create("sluice", ENDPOINT, ["email_sent"])
    assert caught.value.maybe_done
    with pytest.raises(CustomerIoUnreadable):
        await asked.webhooks.addresses()


@pytest.mark.parametrize("answer", [{"reporting_webhooks": 3}, {}, [], None])
async def test_a_list_of_another_shape_is_not_taken_for_nothing(asked: Asked, answer: Any) -> None:
    asked.answers(200, body=json.dumps(answer).encode())
    with pytest.raises(CustomerIoUnreadable):
        await asked.webhooks.named("sluice")


async def test_every_call_is_shown_as_curl_without_the_key(asked: Asked) -> None:
    await asked.webhooks.create("it's", ENDPOINT, ["email_sent"])
    [shown] = asked.shown
    assert shown.startswith(f"curl -X POST {asked.api.url}{PATH} \\\n")
    assert "-H 'Authorization: Bearer '\"$CUSTOMERIO_APP_API_KEY\"" in shown
    assert KEY not in shown


async def test_the_key_is_in_no_text_no_log_and_no_traceback(asked: Asked) -> None:
    workspace = Workspace(asked.api.url, KEY)
    assert KEY not in repr(workspace)
    for broken in (asked.of(Workspace("http://127.0.0.1:9", KEY)), asked.webhooks):
        asked.answers(401, body=f'{{"errors":[{{"detail":"bad key {KEY}"}}]}}'.encode())
        with capture_logs() as logs, pytest.raises(CustomerIoFault) as caught:
            await broken.all()
        assert KEY not in "".join(traceback.format_exception(caught.value)) + str(logs)
        asked.api.answers.clear()


async def test_a_look_that_a_person_waits_for_is_tried_once_more(asked: Asked) -> None:
    server = TestServer(_that_hangs(asked.api))
    await server.start_server()
    api = AppApi(
        asked.session, Workspace(str(server.make_url("")), KEY), look_seconds=0.05,
        sleep=asked._sleep,
    )  # fmt: skip
    with pytest.raises(CustomerIoUnavailable, match=r"no answer .* reachable"):
        await Webhooks(api).all()
    assert len(asked.api.got) == 2
    await server.close()


def _that_hangs(api: ScriptedAppApi) -> web.Application:
    async def handle(request: web.Request) -> web.StreamResponse:
        api.got.append(request)
        await asyncio.sleep(60)
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    return app
