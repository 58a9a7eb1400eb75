"""Every answer the receiver gives, built once.

Which status may be given when follows customerio.md section 9: 400, 401, 402, 403, 404, 405, 410,
429, 500, 502 and 521 hold the customer's stream for an hour; 408, 413, 422, 431 and 503 do not.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from email.utils import formatdate
from http import HTTPStatus

from aiohttp import web


class Answer(web.StreamResponse):
    """A whole HTTP answer that all requests share: no object, no header dict per request.

    `closing` is its twin that also ends the connection.
    """

    def __init__(
        self, status: int, text: str = "", headers: Sequence[str] = (), *, close: bool = False
    ) -> None:
        super().__init__(status=status)
        self._keep_alive = not close
        self._text = text.encode()
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *headers]
        if text:
            lines.append("Content-Type: text/plain; charset=utf-8")
        lines.append(f"Content-Length: {len(self._text)}")
        if close:
            lines.append("Connection: close")
        self._lines = "\r\n".join(lines)
        self._second = 0
        self._head = b""
        self._whole = b""
        self.closing: Answer = self if close else Answer(status, text, headers, close=True)

    def encoded(self, *, head_only: bool = False) -> bytes:
        """The bytes on the wire, with the current second as Date."""
        now = int(time.time())
        if now != self._second:
            self._second = now
            date = formatdate(now, usegmt=True)
            self._head = f"{self._lines}\r\nDate: {date}\r\n\r\n".encode()
            self._whole = self._head + self._text
        return self._head if head_only else self._whole

    async def prepare(self, request: web.BaseRequest) -> None:
        """Called by aiohttp: writes all. Raises ConnectionError when the client is gone."""
        protocol = request.protocol
        transport = protocol.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client is gone")
        transport.write(self.encoded(head_only=request.method == "HEAD"))
        if protocol.writing_paused:
            await protocol._drain_helper()

    async def write_eof(self, data: bytes = b"") -> None:
        """Called by aiohttp after `prepare`: nothing is left to write."""


class Answers:
    """The receiver's answers. `retry_after`: seconds for the Retry-After of every 503."""

    def __init__(self, retry_after: int) -> None:
        later = (f"Retry-After: {retry_after}",)
        self.ok = Answer(200)
        self.alive = Answer(200, "alive\n")
        self.ready = Answer(200, "ready\n")
        self.not_ready = Answer(503, "not ready\n", later)
        # 401 costs an hour; it is right: retrying sooner cannot help before a person acts.
        self.unsigned = Answer(401, "the signature does not match\n")
        self.unavailable = Answer(503, "try again\n", later)
        # An unknown connection is as likely a roll-out of ours that is half done as a typing error
        # of the customer's, and 404 would cost the stream an hour in both cases. The text says it.
        self.unknown_connection = Answer(503, "no such connection here\n", later)
        # A stale allow-list is our fault too: Customer.io's addresses change.
        self.source_refused = Answer(503, "this address is not on the allow-list\n", later)
        # Customer.io only ever posts, to the path it was given: these two it never sees.
        self.not_found = Answer(404, "not found\n")
        self.post_only = Answer(405, "POST only\n", ("Allow: POST",))
        self.get_only = Answer(405, "GET only\n", ("Allow: GET, HEAD",))
        self.too_slow = Answer(408, "the request came too slowly\n", close=True)
        self.too_large = Answer(413, "the body is too large\n", close=True)
        # RFC 9110 would have 400 here, which costs an hour.
        self.malformed = Answer(422, "not an HTTP request\n", close=True)
        self.headers_too_large = Answer(431, "too many or too large headers\n", close=True)
