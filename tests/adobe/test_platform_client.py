"""Calls to Platform's own API: headers, errors that say what to do, retries, bounds."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from app.adobe.platform_client import LINE_MAX_BYTES, PlatformClient
from app.core.errors import (
    CredentialsRefused,
    PlatformFault,
    PlatformRefused,
    PlatformUnavailable,
    PlatformUnreadable,
)
from tests.adobe.conftest import Scripted
from tests.adobe.scripted_api import ACCOUNT, FLOWS, ScriptedApi, problem, scripted
from tests.worker.scripted_platform import Tokens

PATH = f"{FLOWS}/runs"
ALL = [("property", "flowId==flow"), ("property", "metrics.durationSummary.startedAtUTC>0")]


class Client:
    """A client, the API it calls, and what it would have slept."""

    def __init__(self, api: ScriptedApi, session: aiohttp.ClientSession) -> None:
        self.api = api
        self.slept: list[float] = []
        self.session = session
        self.tokens = Tokens()
        self.client = self.make(api.url)

    def make(self, url: str) -> PlatformClient:
        return PlatformClient(
            self.session, replace(ACCOUNT, api_url=url), self.tokens,
            sleep=self._sleep, chance=lambda: 1.0, clock=lambda: 0.0, requests_per_second=1e9,
        )  # fmt: skip

    async def _sleep(self, seconds: float) -> None:
        if seconds > 1e-3:
            self.slept.append(seconds)


@pytest.fixture
async def asked() -> AsyncIterator[Client]:
    async with scripted() as api, aiohttp.ClientSession() as session:
        yield Client(api, session)


async def test_every_call_says_whose_it_is(asked: Client) -> None:
    await asked.client.get(PATH, ALL)

    headers = asked.api.got[0].headers
    assert headers["Authorization"] == "Bearer tok-1"
    assert headers["x-api-key"] == "client"
    assert headers["x-gw-ims-org-id"] == "X@AdobeOrg"
    assert headers["x-sandbox-name"] == "prod"
    assert asked.api.got[0].query.getall("property") == [value for _, value in ALL]


async def test_a_body_is_json_and_headers_come_back(asked: Client) -> None:
    asked.api.answers.append(web.json_response({"id": "1"}, status=201, headers={"ETag": '"e"'}))

    reply = await asked.client.call("POST", "/x", body={"a": 1}, headers={"If-Match": '"d"'})

    assert (reply.status, reply.headers["ETag"], reply.document) == (201, '"e"', {"id": "1"})
    assert asked.api.got[0].headers["Content-Type"] == "application/json"
    assert asked.api.got[0].headers["If-Match"] == '"d"'
    assert asked.api.bodies == [b'{"a":1}']


async def test_an_empty_answer_is_no_document(asked: Client) -> None:
    asked.api.answers.append(web.Response(status=204))
    assert (await asked.client.call("DELETE", "/x")).document is None


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_what_passes_by_itself_is_tried_again(asked: Client, status: int) -> None:
    asked.api.answers += [problem(status), problem(status)]
    await asked.client.get(PATH, ALL)
    assert (len(asked.api.got), asked.slept) == (3, [1.0, 2.0])


async def test_a_wait_that_platform_asks_for_is_kept(asked: Client) -> None:
    asked.api.answers.append(problem(429, "slow", **{"Retry-After": "7"}))
    await asked.client.get(PATH, ALL)
    assert asked.slept[0] >= 7


async def test_it_gives_up_after_some_tries(asked: Client) -> None:
    asked.api.answers += [problem(503, "1103-503")] * 9
    with pytest.raises(PlatformUnavailable, match="run the command again in a minute") as caught:
        await asked.client.get(PATH, ALL)
    assert (caught.value.status, caught.value.code) == (503, "1103-503")
    assert len(asked.api.got) == 4


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_what_may_have_been_done_is_not_done_twice(asked: Client, status: int) -> None:
    """A POST that makes something and was answered so may have made it: its maker looks."""
    asked.api.answers += [problem(status), problem(status)]
    with pytest.raises(PlatformUnavailable) as caught:
        await asked.client.call("POST", "/x", body={})
    assert (len(asked.api.got), caught.value.maybe_done) == (1, True)


@pytest.mark.parametrize("last", [403, 412, 429])
async def test_a_refusal_does_not_undo_what_a_try_before_it_may_have_done(
    asked: Client, last: int
) -> None:
    """A PATCH may be repeated; that is no word on whether it was carried out."""
    asked.api.answers += [problem(500), *[problem(last)] * 4]
    with pytest.raises(PlatformFault) as caught:
        await asked.client.call("PATCH", "/x", body=[], safe=True)
    assert (caught.value.status, caught.value.maybe_done) == (last, True)
    asked.api.answers.clear()
    asked.api.answers += [problem(last)] * 4
    with pytest.raises(PlatformFault) as refused:
        await asked.client.call("PATCH", "/x", body=[], safe=True)
    assert not refused.value.maybe_done


async def hangs(_request: web.Request) -> web.StreamResponse:
    """No answer for as long as anybody waits."""
    await asyncio.sleep(60)
    return web.Response()


async def test_a_look_that_a_person_waits_for_is_tried_once_more(asked: Client) -> None:
    """However patient the client is otherwise, and with the changes."""
    client = PlatformClient(
        asked.session, replace(ACCOUNT, api_url=asked.api.url), asked.tokens,
        look_seconds=0.05, sleep=asked._sleep, requests_per_second=1e9,
    )  # fmt: skip
    asked.api.answers += [hangs] * 5
    with pytest.raises(PlatformUnavailable, match=r"no answer .* reachable"):
        await client.get(PATH, ALL)
    assert len(asked.api.got) == 2


async def test_a_change_may_take_longer_than_a_look(asked: Client) -> None:
    async def slow(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.3)
        return web.json_response({"id": "1"})

    client = PlatformClient(
        asked.session, replace(ACCOUNT, api_url=asked.api.url), asked.tokens, look_seconds=0.05,
    )  # fmt: skip
    asked.api.answers.append(slow)
    assert (await client.call("POST", "/x", body={})).document == {"id": "1"}


async def breaks(request: web.Request) -> web.StreamResponse:
    """A good answer that ends in the middle."""
    response = web.StreamResponse(status=201, headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"id":')
    assert request.transport is not None
    request.transport.abort()
    return response


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (breaks, PlatformUnavailable),
        (web.Response(status=201, text="<html>"), PlatformUnreadable),
        (web.Response(status=201, body=b" " * 16_000_001), PlatformUnreadable),
    ],
)
async def test_what_was_done_and_cannot_be_read_may_have_been_done(
    asked: Client, answer: Any, kind: type[PlatformFault]
) -> None:
    for method, maybe_done in (("POST", True), ("GET", False)):
        asked.api.answers.append(answer)
        with pytest.raises(kind) as caught:
            await asked.client.call(method, "/x")
        assert caught.value.maybe_done is maybe_done


async def test_what_was_throttled_was_not_done(asked: Client) -> None:
    asked.api.answers += [problem(429), web.json_response({})]
    await asked.client.call("POST", "/x", body={})
    assert len(asked.api.got) == 2


@pytest.mark.parametrize(
    ("answer", "code", "fix"),
    [
        (problem(400, "1401-400"), "1401-400", "fault of Sluice"),
        (problem(404, "1101-404"), "1101-404", "flow_id"),
        (problem(403, "2118-403"), "2118-403", "role"),
        (problem(404, "2100-404"), "2100-404", "sandbox_name"),
        (problem(401, "2000-401"), "2000-401", "org_id"),
        (
            web.json_response({"error_code": "403025", "message": "not valid"}, status=403),
            "403025",
            "product profile",
        ),
        (
            web.json_response({"error_code": 403003, "message": "Api Key is invalid"}, status=403),
            "403003",
            "client_id",
        ),
        (web.Response(status=403), "", "product profile"),
        (web.Response(status=404, text="<html>"), "", "api_url"),
        (web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}), "", "not allowed"),
        (
            web.json_response({"report": {"errors": [{"code": "INSGHT-1003-401"}]}}, status=401),
            "INSGHT-1003-401",
            "role",
        ),
    ],
)  # fmt: skip
async def test_a_refusal_says_what_to_do_and_is_not_tried_again(
    asked: Client, answer: web.Response, code: str, fix: str
) -> None:
    asked.tokens.renews = False
    asked.api.answers.append(answer)
    with pytest.raises(PlatformRefused, match=fix) as caught:
        await asked.client.get(PATH, ALL)
    assert (caught.value.code, caught.value.call, len(asked.api.got)) == (code, f"GET {PATH}", 1)


async def test_a_state_that_passes_is_left_for_the_next_turn(asked: Client) -> None:
    asked.api.answers.append(problem(400, "1420-400"))
    with pytest.raises(PlatformUnavailable):
        await asked.client.get(PATH, ALL)
    assert len(asked.api.got) == 1


@pytest.mark.parametrize("answer", [problem(401), problem(400, "2114-400")])
async def test_a_refused_token_is_renewed_once(asked: Client, answer: web.Response) -> None:
    asked.api.answers.append(answer)
    await asked.client.get(PATH, ALL)
    tokens = [request.headers["Authorization"] for request in asked.api.got]
    assert tokens == ["Bearer tok-1", "Bearer tok-2"]


async def test_a_token_that_is_refused_again_is_not_renewed_again(asked: Client) -> None:
    asked.api.answers += [problem(401), problem(401), problem(401)]
    with pytest.raises(PlatformRefused):
        await asked.client.get(PATH, ALL)
    assert len(asked.api.got) == 2


async def test_without_a_token_nobody_is_asked(asked: Client) -> None:
    asked.tokens.fault = CredentialsRefused("no")
    with pytest.raises(CredentialsRefused):
        await asked.client.get(PATH, ALL)
    assert asked.api.got == []


async def test_nothing_that_is_raised_holds_the_token_or_a_value(asked: Client) -> None:
    text = 'person@example.com "secret" 01E4C4CT6YDC7Y5M7FE1GWWPQJ'
    asked.api.answers.append(web.json_response({"message": text}, status=400))
    faults: list[PlatformFault] = []
    for url in (asked.api.url, "http://127.0.0.1:9"):
        with pytest.raises(PlatformFault) as caught:
            await asked.make(url).get(PATH, ALL)
        faults.append(caught.value)
    for fault in faults:
        shown = "".join(traceback.format_exception(fault))
        assert not any(word in shown for word in ("tok-", "person@", '"secret"', "7FE1GWWPQJ"))
        assert fault.__cause__ is None


async def test_an_answer_that_is_not_json_is_said(asked: Client) -> None:
    asked.api.answers.append(web.Response(text="<html>"))
    with pytest.raises(PlatformUnreadable, match="not JSON"):
        await asked.client.get(PATH, ALL)


async def test_an_answer_without_end_is_given_up(
    asked: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.adobe.platform_client._ANSWER_MAX_BYTES", 1_000)
    asked.api.answers.append(web.Response(body=b" " * 2_000))
    with pytest.raises(PlatformUnreadable, match="over 1000 bytes"):
        await asked.client.get(PATH, ALL)


async def lines(asked: Client, body: bytes) -> list[bytes]:
    asked.api.answers.append(web.Response(body=body))
    return [line async for line in asked.client.lines("/file")]


async def test_a_file_comes_line_by_line(asked: Client) -> None:
    assert await lines(asked, b"a\nbb\n\n \nccc") == [b"a", b"bb", b"ccc"]
    assert await lines(asked, b"") == []
    assert await lines(asked, b"a\r\nb\n") == [b"a\r", b"b"]


async def test_a_line_without_end_is_counted_and_not_kept(asked: Client) -> None:
    huge = b"x" * (LINE_MAX_BYTES + 100_000)
    assert await lines(asked, b"a\n" + huge + b"\nb\n") == [b"a", b"{}", b"b"]
    assert await lines(asked, b"a\n" + huge) == [b"a", b"{}"]


async def test_a_file_that_breaks_off_is_said_after_its_lines(asked: Client) -> None:
    async def breaks(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"a\nb\nc")
        assert request.transport is not None
        request.transport.abort()
        return response

    asked.api.answers.append(breaks)
    found = []
    with pytest.raises(PlatformUnavailable, match="broke off"):
        async for line in asked.client.lines("/file"):
            found.append(line)
    # How much of it arrives is TCP's.
    assert found in ([], [b"a", b"b"])


async def test_a_file_that_is_shorter_than_told_is_not_taken_for_whole(asked: Client) -> None:
    asked.api.answers.append(web.Response(body=b'{"a":1}\n{"b":2'))
    found = []
    with pytest.raises(PlatformUnavailable, match="broke off"):
        async for line in asked.client.lines("/file", length=20):
            found.append(line)
    # The half line is left for the next time.
    assert found == [b'{"a":1}']


async def test_a_refusal_that_quotes_the_token_is_told_without_it(platform: Scripted) -> None:
    platform.answers({"message": "bad token tok-1 here"}, status=400)
    with pytest.raises(PlatformRefused, match="bad token here"):
        await platform.client.get("/x")


async def test_every_request_is_shown_as_curl_without_its_token(platform: Scripted) -> None:
    platform.answers(problem(429), {})
    body = {"name": "it's"}
    await platform.client.call(
        "POST", "/x", [("property", "name==a b")], body=body, headers={"If-Match": '"e"'}
    )
    assert platform.shown == [platform.shown[0]] * 2
    assert (
        platform.shown[0]
        == f"""curl -X POST '{platform.api.url}/x?property=name==a%20b' \\
  -H 'Authorization: Bearer '"$ACCESS_TOKEN" \\
  -H 'x-api-key: client' \\
  -H 'x-gw-ims-org-id: X@AdobeOrg' \\
  -H 'x-sandbox-name: prod' \\
  -H 'If-Match: "e"' \\
  -H 'Content-Type: application/json' \\
  --data-raw '{{
  "name": "it'"'"'s"
}}'"""
    )


async def test_a_path_goes_out_as_it_was_quoted(platform: Scripted) -> None:
    platform.answers({})
    await platform.client.get("/schemas/https%3A%2F%2Fns.adobe.com%2Fa", [("a", "b/c")])
    assert platform.api.got[0].raw_path == "/schemas/https%3A%2F%2Fns.adobe.com%2Fa?a=b/c"


async def test_calls_keep_a_pace() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with scripted() as api, aiohttp.ClientSession() as session:
        client = PlatformClient(
            session, replace(ACCOUNT, api_url=api.url), Tokens(),
            sleep=sleep, clock=lambda: 0.0, requests_per_second=4,
        )  # fmt: skip
        await asyncio.gather(*(client.get(PATH, ALL) for _ in range(3)))
    assert sorted(slept) == [0.25, 0.5]


async def test_whatever_a_body_holds_the_fault_is_one_of_ours(asked: Client) -> None:
    bodies: list[Any] = [
        [],
        [[[[[[]]]]]],
        {"code": []},
        {"code": True},
        "x",
        None,
        {"a": {"code": 7}},
    ]
    for body in bodies:
        asked.api.answers.append(web.json_response(body, status=400))
        with pytest.raises(PlatformRefused):
            await asked.client.get(PATH, ALL)
