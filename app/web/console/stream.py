"""Server-sent events: the overview as it changes. Rendered once per look, however many watch."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

import orjson
from aiohttp import web

from app.core.errors import StoreUnavailable
from app.web.console.config import CONSOLE
from app.web.console.door import DOOR
from app.web.console.pages.overview import chart_of, render_parts
from app.web.console.panels import explain

# A stream ends with its session, soon.
_ASK_AGAIN_SECONDS: Final = 30.0
# A browser that lost its stream waits so long before it asks anew.
_RETRY_MS: Final = 3000


class Streams:
    """How many are open, and the latest event as bytes."""

    def __init__(self) -> None:
        self.open = 0
        self.version = -1
        self.event = b""

    def latest(self, request: web.Request) -> bytes:
        """The event of the latest look."""
        live = request.app[CONSOLE].live
        if self.version != live.version:
            told = {"parts": render_parts(request, live), "chart": chart_of(live)._asdict()}
            self.event = b"event: look\ndata: " + orjson.dumps(told) + b"\n\n"
            self.version = live.version
        return self.event


STREAMS: Final = web.AppKey("streams", Streams)


Send = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


async def live(request: web.Request) -> web.StreamResponse:
    """GET /live."""
    return await streamed(request, _send_all)


async def streamed(request: web.Request, send: Send) -> web.StreamResponse:
    """What `send` writes, as events. A watched page does not keep a session alive: nobody may sit
    before it."""
    console, streams = request.app[CONSOLE], request.app[STREAMS]
    if streams.open >= console.config.streams_max:
        raise web.HTTPServiceUnavailable(
            text="Too many pages are watching: refresh by hand.", headers={"Retry-After": "60"}
        )
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            # Or nginx would collect it.
            "X-Accel-Buffering": "no",
        }
    )
    await response.prepare(request)
    streams.open += 1
    try:
        await response.write(f"retry: {_RETRY_MS}\n\n".encode())
        await send(request, response)
    except ConnectionError:
        pass  # the page was closed
    except Exception as fault:
        # The answer has begun: it can only end. The browser asks anew.
        explain(fault)
    finally:
        streams.open -= 1
    return response


async def _send_all(request: web.Request, response: web.StreamResponse) -> None:
    watched, streams = request.app[CONSOLE].live, request.app[STREAMS]
    asked_at, version = time.monotonic(), 0
    while not watched.closing:
        version = await watched.after(version)
        if time.monotonic() - asked_at > _ASK_AGAIN_SECONDS:
            if not await _still_in(request):
                await response.write(b"event: over\ndata: {}\n\n")
                return
            asked_at = time.monotonic()
        await response.write(streams.latest(request))


async def _still_in(request: web.Request) -> bool:
    try:
        return await request.app[DOOR].by_session(request, used=False) is not None
    except StoreUnavailable:
        return False
