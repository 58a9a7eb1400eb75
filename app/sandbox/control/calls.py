"""The request log: every call to IMS, the gateway and the App API as it came, without secrets."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import orjson
from aiohttp import web

from app.sandbox.control.befall import Plain
from app.sandbox.state import SANDBOX

_KEPT: Final = 2_000
# Of a body that is no JSON; one that is, is kept whole up to the server's own limit.
_TEXT_KEPT: Final = 2_000
_MASKED: Final = "***"


class Calls:
    """The newest 2,000 calls. `number` counts from 1 and is never used twice."""

    def __init__(self) -> None:
        self._kept: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self.number = 0

    def add(self, call: dict[str, Any]) -> dict[str, Any]:
        """Keep a call; it is answered later, under the key `status`."""
        self.number += 1
        entry = {"number": self.number, **call, "status": None}
        self._kept.append(entry)
        return entry

    def after(self, number: int, limit: int) -> Iterator[dict[str, Any]]:
        """Calls in order of arrival, those that came after call `number`."""
        found = (call for call in self._kept if call["number"] > number)
        return (call for call, _ in zip(found, range(limit), strict=False))

    def clear(self) -> None:
        """Forget the calls; their numbers go on."""
        self._kept.clear()


def logged(handler: Plain) -> Plain:
    """`handler`, with its calls in the log. `status` None: hangs, or was cut."""

    async def log(request: web.Request) -> web.StreamResponse:
        sandbox = request.app[SANDBOX]
        call = sandbox.calls.add(
            {
                "at_ms": int(sandbox.clock() * 1000),
                "method": request.method,
                "path": _path(request),
                "headers": _headers(request),
                "body": await _body(request),
            }
        )
        answer = await handler(request)
        transport = request.transport
        if transport is not None and not transport.is_closing():
            call["status"] = answer.status
        return answer

    return log


def _path(request: web.Request) -> str:
    """With its query; IMS also takes the secret there, so without it."""
    url = request.rel_url
    return url.raw_path if url.raw_path.startswith("/ims/") else url.raw_path_qs


def _headers(request: web.Request) -> dict[str, str]:
    """As they were spelled, but the token."""
    return {
        # Names come as a text of their own kind, which orjson takes for no text.
        str(name): f"{value.split(' ')[0]} {_MASKED}" if name.lower() == "authorization" else value
        for name, value in request.headers.items()
    }


async def _body(request: web.Request) -> Any:
    """Parsed, if it is JSON. A form is IMS's and holds the client's secret: only its names."""
    if request.content_type == "application/x-www-form-urlencoded":
        return dict.fromkeys(await request.post(), _MASKED)
    body = await request.read()
    if not body:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")[:_TEXT_KEPT]
