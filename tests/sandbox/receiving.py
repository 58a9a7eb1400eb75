"""A webhook endpoint that answers as a test says, and keeps what it got."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from app.core.signature import matching_key
from app.sandbox.defaults import SIGNING_KEY

KEY = b"a-signing-key"
Script = Callable[[int], web.Response | None]


@dataclass
class Receiver:
    """Answers webhook number 0, 1, … as `script` says; None cuts the connection."""

    script: Script
    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def receive(self, request: web.Request) -> web.StreamResponse:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        body = await request.read()
        self.at_once -= 1
        number = len(self.bodies)
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        timestamp = request.headers["X-CIO-Timestamp"]
        if (
            matching_key(
                [KEY, SIGNING_KEY.encode()], timestamp, request.headers["X-CIO-Signature"], body
            )
            is None
        ):
            return web.Response(status=401)
        answer = self.script(number)
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return answer


Listen = Callable[..., Awaitable[Receiver]]
