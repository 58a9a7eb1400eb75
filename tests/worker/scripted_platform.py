"""A scripted Platform on a real port, and lanes to it, as tests of the lane use them."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from arq.connections import ArqRedis

from app.core.outcome import Outcome, Verdict
from app.core.platform import Inlet, inlet_urls
from app.store.budgets import Budgets
from app.store.lanes import Lanes
from worker.lane import Lane, LaneLimits

D, T, R, U = Verdict.DELIVERED, Verdict.TRY_AGAIN, Verdict.REJECTED, Verdict.UNKNOWN
LIMITS = LaneLimits(requests_per_second=math.inf, messages_per_second=math.inf, timeout_seconds=5.0)


@dataclass
class Got:
    """One request as Platform saw it."""

    path: str
    headers: Mapping[str, str]
    numbers: list[int]
    size: int


Script = Callable[[Got], Awaitable[web.StreamResponse | None] | web.StreamResponse | None]


@dataclass
class Platform:
    """Accepts everything, unless `script` answers first. `bad`: messages refused wherever."""

    got: list[Got] = field(default_factory=list)
    script: Script | None = None
    url: str = ""
    busy: int = 0
    busiest: int = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.busy += 1
        self.busiest = max(self.busy, self.busiest)
        try:
            return await self._answer(request)
        finally:
            self.busy -= 1

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        found = orjson.loads(body)
        messages = found["messages"] if "/batch/" in request.path else [found]
        numbers = [message["n"] for message in messages]
        got = Got(request.path, dict(request.headers), numbers, len(body))
        self.got.append(got)
        answer = self.script(got) if self.script else None
        answer = answer if isinstance(answer, web.StreamResponse | None) else await answer
        return accept(got) if answer is None else answer

    @property
    def numbers(self) -> list[int]:
        return sorted(number for got in self.got for number in got.numbers)


def accept(got: Got) -> web.Response:
    if len(got.numbers) == 1 and "/batch/" not in got.path:
        return web.json_response({"inletId": "a", "xactionId": "1:2:3", "receivedTimeMs": 1})
    return multi({"xactionId": f"b:{at}"} for at in range(len(got.numbers)))


def multi(entries: Any) -> web.Response:
    body = {"inletId": "a", "batchId": "b", "receivedTimeMs": 1, "responses": list(entries)}
    return web.json_response(body, status=207)


def problem(status: int, text: str = "no", **headers: str) -> web.Response:
    return web.json_response({"report": {"message": text}}, status=status, headers=headers)


def each(*answers: web.Response | None) -> Script:
    """These answers in turn, the last one for ever."""
    left = list(answers)

    def script(got: Got) -> web.Response | None:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if answer is None:
            return None
        return web.Response(body=answer.body, status=answer.status, headers=answer.headers.copy())

    return script


def messages(*numbers: int, pad: int = 0) -> list[bytes]:
    return [b'{"n":%d,"pad":"%s"}' % (number, b"x" * pad) for number in numbers]


def verdicts(outcomes: list[Outcome]) -> list[Verdict]:
    return [outcome.verdict for outcome in outcomes]


class Tokens:
    """Numbered tokens; a renewed one is the next. Or a fault."""

    def __init__(self, fault: Exception | None = None, *, renews: bool = True) -> None:
        self.number = 1
        self.fault = fault
        self.renews = renews

    async def token(self) -> str:
        if self.fault is not None:
            raise self.fault
        return f"tok-{self.number}"

    async def renew(self, refused: str) -> str:
        if self.renews and refused == f"tok-{self.number}":
            self.number += 1
        return await self.token()


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    platform = Platform()
    server = TestServer(_application(platform))
    await server.start_server()
    platform.url = str(server.make_url("/collection/abc"))
    yield platform
    await server.close()


def _application(platform: Platform) -> web.Application:
    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.router.add_post("/collection/abc", platform.handle)
    app.router.add_post("/collection/batch/abc", platform.handle)
    return app


Make = Callable[..., Lane]


@pytest.fixture
async def make(platform: Platform, store: ArqRedis) -> AsyncIterator[Make]:
    """Makes lanes to the platform (or `url`), closed at the end."""
    made: list[Lane] = []

    def make(
        limits: LaneLimits = LIMITS, *, tokens: Tokens | None = None, url: str = "", **more: Any
    ) -> Lane:
        single, batch, inlet_id = inlet_urls(url or platform.url)
        inlet = {key: more.pop(key) for key in ("mode", "flow_id", "org_id") if key in more}
        inlet_ = Inlet(single, batch, inlet_id, authenticated=tokens is not None, **inlet)
        states = more.pop("states", None) or Lanes(store)
        budget = more.pop("budget", None) or Budgets(store)
        name = more.pop("name", "conn")
        made.append(Lane(name, inlet_, states, budget, tokens, limits, **more))
        return made[-1]

    yield make
    for lane in made:
        await lane.close(0.1)
