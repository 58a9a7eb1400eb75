"""A small App API on a real port, written from customerio.md section 10 alone.

Stateful, and what a test puts in `answers` comes first. The limit is counted by requests, not by
the clock: after `allowed` of them every further one is 429, until `rested` is called.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

KEY = "appapikeywithoutadigit"
PATH = "/v1/reporting_webhooks"
ADDRESSES = ["35.188.196.183", "104.198.177.219"]

_WANTED = ("name", "endpoint", "events")


class ScriptedAppApi:
    """`webhooks`: by id; `got`: every request; `bodies`: what it held."""

    def __init__(self) -> None:
        self.url = ""
        self.webhooks: dict[int, dict[str, Any]] = {}
        self.answers: deque[web.Response] = deque()
        self.got: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.allowed = 1_000

    @property
    def calls(self) -> list[str]:
        return [f"{each.method} {each.raw_path}" for each in self.got]

    def rested(self) -> None:
        self.allowed = 10

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.got.append(request)
        self.bodies.append(await request.read())
        if self.answers:
            return self.answers.popleft()
        if self.allowed <= 0:
            return web.Response(status=429)
        self.allowed -= 1
        if request.path == "/v1/info/ip_addresses":
            return web.json_response({"ip_addresses": ADDRESSES})
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"errors": [{"detail": "unauthorized"}]}, status=401)
        return self._webhooks(request)

    def _webhooks(self, request: web.Request) -> web.Response:
        tail = request.path.removeprefix(PATH).strip("/")
        if not tail:
            return self._made() if request.method == "POST" else self._listed()
        webhook = self.webhooks.get(int(tail))
        if webhook is None:
            return web.json_response({"errors": [{"detail": "not found"}]}, status=404)
        if request.method == "DELETE":
            del self.webhooks[int(tail)]
            return web.Response(status=200)
        if request.method == "PUT":
            asked = json.loads(self.bodies[-1])
            if (refusal := _refusal(asked)) is not None:
                return refusal
            webhook.update(asked)
        return web.json_response(webhook)

    def _listed(self) -> web.Response:
        # n8n guards against null.
        found = list(self.webhooks.values()) or None
        return web.json_response({"reporting_webhooks": found})

    def _made(self) -> web.Response:
        asked = json.loads(self.bodies[-1])
        if (refusal := _refusal(asked)) is not None:
            return refusal
        number = max(self.webhooks, default=3) + 1
        self.webhooks[number] = {"id": number, "type": "webhook", **asked}
        return web.json_response(self.webhooks[number])


def _refusal(asked: dict[str, Any]) -> web.Response | None:
    missing = [key for key in _WANTED if not asked.get(key)]
    if not missing:
        return None
    return web.json_response({"errors": [{"detail": f"{missing[0]} is required"}]}, status=400)


@asynccontextmanager
async def scripted() -> AsyncIterator[ScriptedAppApi]:
    api = ScriptedAppApi()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", api.handle)
    server = TestServer(app)
    await server.start_server()
    api.url = str(server.make_url("")).rstrip("/")
    try:
        yield api
    finally:
        await server.close()
