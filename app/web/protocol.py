"""aiohttp's server, with the answers it gives by itself replaced.

Left alone it answers 400, 500 and 504 where Customer.io would wait an hour, logs a trace for every
bad client, and lets a client take as long as it likes over its headers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import StreamReader, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong

from app.web.answers import Answer, Answers
from app.web.config import ReceiverConfig
from app.web.fault_log import FaultLog
from app.web.metrics import Tally
from app.web.strangers import Strangers


class Request:
    """What the receiver looks at of a request: aiohttp's own takes 4 µs more to make.

    `path` as it came, with its query; `content` the body, perhaps still on its way.
    """

    __slots__ = ("_task", "content", "headers", "keep_alive", "method", "path", "protocol")

    def __init__(
        self,
        message: RawRequestMessage,
        content: StreamReader,
        protocol: ReceiverProtocol,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> None:
        self.method = message.method
        self.path = message.path
        self.headers = message.headers
        self.keep_alive = not message.should_close
        # After an upgrade that it does not know (h2c, which Java's client asks for) aiohttp 3.14.5
        # reads nothing more: the next webhook on the connection would never be answered.
        if message.upgrade and message.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
            self.keep_alive = False
        self.content = content
        self.protocol = protocol
        self._task = task

    @property
    def peer(self) -> str:
        """The address of the TCP connection's other end; empty when it is gone."""
        name = self.protocol.peername
        return str(name[0]) if isinstance(name, tuple) else ""

    def _finish(self) -> None:
        """Called by aiohttp before the answer: nothing is open."""

    def _cancel(self, fault: BaseException) -> None:
        """Called by aiohttp when the client is gone."""
        self.content.set_exception(fault)


Handler = Callable[[Request], Awaitable[Answer]]


class ReceiverProtocol(web.RequestHandler):
    """One client's connection."""

    __slots__ = ("_head_bytes", "_header_guard", "_server", "trusted")

    def __init__(self, server: ReceiverServer, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._header_guard: asyncio.TimerHandle | None = None
        # Of a request whose headers have not all come.
        self._head_bytes = 0
        self.trusted = False

    @property
    def busy(self) -> bool:
        """Whether it has a request that is not answered yet."""
        return self._request_in_progress or bool(self._messages)

    def trust(self) -> None:
        """It brought a valid webhook: it is never cut to make room for others."""
        self.trusted = True
        self._server.strangers.forget(self)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop. While a request is waited for, bytes that begin none are part
        of its headers; at other times they may be a body that nobody wants."""
        before = self._request_count
        super().data_received(data)
        if self._request_count != before:
            if self._head_bytes:
                self._dismiss()
            return
        waiter = self._waiter
        if data and (before == 0 or (waiter is not None and not waiter.done())):
            self._head_came(len(data))

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Called by aiohttp twice per body; left alone it feeds the parser even when not paused."""
        if self._reading_paused or self._buffer_paused:
            super().resume_reading(resume_parser)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._dismiss()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Called by aiohttp for what is no HTTP, and for exceptions that got past the handler."""
        return self._server.answer_for(exc)

    def log_exception(self, *args: Any, **details: Any) -> None:
        """Called by aiohttp when something goes wrong after the answer. Left alone it logs a trace
        for every client that breaks off a body which was refused."""
        fault = details.get("exc_info")
        if self.transport is None or not isinstance(fault, BaseException):
            self._server.broken_off()
        else:
            self._server.answer_for(fault)

    def _head_came(self, size: int) -> None:
        self._head_bytes += size
        config = self._server.config
        if self._head_bytes > config.head_max_bytes:
            self._cut_off(self._server.headers_too_large)
        elif self._header_guard is None:
            self._header_guard = self._loop.call_later(
                config.header_deadline_seconds, self._cut_off, self._server.slow_headers
            )

    def _dismiss(self) -> None:
        self._head_bytes = 0
        if self._header_guard is not None:
            self._header_guard.cancel()
            self._header_guard = None

    def _cut_off(self, reason: Callable[[], Answer]) -> None:
        self._dismiss()
        if self.transport is not None:
            self.transport.write(reason().encoded())
        self.force_close()


class ReceiverServer(web.Server):
    """Makes a ReceiverProtocol per connection. Without a router: 20 % faster than Application."""

    def __init__(
        self,
        handler: Handler,
        config: ReceiverConfig,
        answers: Answers,
        strays: Tally,
        faults: FaultLog,
    ) -> None:
        # aiohttp asks of a request no more than what Request has.
        super().__init__(handler, request_factory=Request)  # type: ignore[arg-type]
        self.config = config
        self.strangers = Strangers(config.max_connections)
        self._answers = answers
        self._strays = strays
        self._faults = faults
        self._options: dict[str, Any] = {
            "keepalive_timeout": config.keepalive_seconds,
            # A refused body is read on for so long, that the client sees the answer, not a reset.
            "lingering_time": 1.0,
            "max_headers": config.max_headers,
            "max_field_size": config.max_header_bytes,
            "max_line_size": config.max_header_bytes,
            # The signature is over the bytes as sent.
            "auto_decompress": False,
            "access_log": None,
        }

    def __call__(self) -> ReceiverProtocol:
        return ReceiverProtocol(self, loop=self._loop, **self._options)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        assert isinstance(handler, ReceiverProtocol)
        if self.strangers.came(handler, len(self._connections)):
            self._strays.refuse("crowded")

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        super().connection_lost(handler, exc)
        assert isinstance(handler, ReceiverProtocol)
        self.strangers.forget(handler)

    def answer_for(self, fault: BaseException | None) -> Answer:
        """The answer to what never became a request, or to a fault that nobody caught."""
        if isinstance(fault, LineTooLong) or "Too many headers" in str(fault):
            return self.headers_too_large()
        if isinstance(fault, BadHttpMessage | web.RequestPayloadError):
            self._strays.refuse("malformed")
            return self._answers.malformed
        if fault is not None:
            self._faults.report(fault)
        self._strays.refuse("internal")
        return self._answers.unavailable.closing

    def headers_too_large(self) -> Answer:
        self._strays.refuse("headers_too_large")
        return self._answers.headers_too_large

    def broken_off(self) -> None:
        self._strays.refuse("broken_off")

    def slow_headers(self) -> Answer:
        self._strays.refuse("headers_too_slow")
        return self._answers.too_slow
