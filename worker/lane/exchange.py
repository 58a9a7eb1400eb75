"""One POST to Platform and back: bytes out, an Answer in. What it means is app.core.platform's.

No aiohttp exception leaves this module.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import aiohttp
from yarl import URL

from app.core.outcome import Failure
from app.core.platform import Answer, Inlet, read_answer, request_for, unsent

CONNECT_SECONDS: Final = 5.0
# An answer names every message, some 60 bytes each, an error rarely over 1 KB.
_ANSWER_MAX_BYTES: Final = 8 * 1024 * 1024
# Shorter than what servers and load balancers keep: a POST on a connection that the other side has
# just closed is "maybe delivered".
_KEEPALIVE_SECONDS: Final = 10.0
# Stands for a body that broke off: it is not empty, and it says nothing.
_BROKEN: Final = b"-"


class Reply(NamedTuple):
    """`status` 0: no answer came. `size`: bytes of the body sent. `seconds`: it took."""

    answer: Answer
    status: int
    size: int
    seconds: float


class Exchange:
    """The HTTP client of one lane: its own connections, so that no other lane can use them up."""

    def __init__(
        self,
        inlet: Inlet,
        *,
        connections: int = 8,
        timeout_seconds: float = 60.0,
        connect_seconds: float = CONNECT_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._inlet = inlet
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, connect=connect_seconds)
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, messages: Sequence[bytes], token: str | None, *, batches_proven: bool
    ) -> Reply:
        """Sends the messages in one request. Raises nothing but CancelledError."""
        request = request_for(self._inlet, messages, token)
        count, size, began = len(messages), len(request.body), time.perf_counter()
        sent = SimpleNamespace(written=False)
        try:
            async with self._open().post(
                URL(request.url, encoded=True),
                data=request.body,
                headers=request.headers,
                # A redirect would carry token and data to a host nobody configured.
                allow_redirects=False,
                trace_request_ctx=sent,
            ) as response:
                status, headers = response.status, response.headers
                body = await _read(response)
        except Exception as fault:
            # Whatever it was: not written is harmless, written is "maybe delivered". The class
            # only, for texts of aiohttp may hold the address.
            answer = _no_answer(fault, count, written=sent.written)
            return Reply(answer, 0, size, time.perf_counter() - began)
        answer = read_answer(
            status, headers, body, count, now=self._clock(), batches_proven=batches_proven
        )
        return Reply(answer, status, size, time.perf_counter() - began)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            trace = aiohttp.TraceConfig()
            trace.on_request_headers_sent.append(_mark_written)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections, keepalive_timeout=_KEEPALIVE_SECONDS
                ),
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[trace],
            )
        return self._session


async def _mark_written(_session: Any, context: SimpleNamespace, _params: Any) -> None:
    context.trace_request_ctx.written = True


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body; _BROKEN if it breaks off or is endless: the status alone must do then."""
    kept = bytearray()
    try:
        async for chunk in response.content.iter_any():
            kept += chunk
            if len(kept) > _ANSWER_MAX_BYTES:
                response.close()
                return _BROKEN
    except (aiohttp.ClientError, OSError, ValueError):
        return _BROKEN
    return bytes(kept)


def _no_answer(fault: Exception, count: int, *, written: bool) -> Answer:
    failure = Failure.UNKNOWN if written else Failure.TRANSIENT
    if isinstance(fault, TimeoutError):
        code = "answer_timeout" if written else "connect_timeout"
    else:
        code = "connection_lost" if written else "connect_failed"
    return unsent(failure, code, type(fault).__name__, count)
