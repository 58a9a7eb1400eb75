"""Reading a body that is not there yet, within its limit and its time."""

from __future__ import annotations

import asyncio

from aiohttp import hdrs, web

from app.web.protocol import Request


class BodyTooLarge(Exception):
    """More bytes than allowed, said by Content-Length or counted."""


class BodyTooSlow(Exception):
    """The body did not arrive in time."""


class BodyBroken(Exception):
    """The client broke off, or what it sends is no HTTP body."""


async def read_body(request: Request, limit: int, seconds: float) -> bytes:
    """The raw bytes, as sent: no content coding is undone. Raises the three above."""
    said = request.headers.get(hdrs.CONTENT_LENGTH, "")
    if said.isdecimal() and int(said) > limit:
        raise BodyTooLarge
    _invite(request)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while chunk := await request.content.readany():
                chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    raise BodyTooLarge
    except TimeoutError:
        raise BodyTooSlow from None
    except (web.RequestPayloadError, ConnectionError):
        raise BodyBroken from None
    return b"".join(chunks)


def _invite(request: Request) -> None:
    """curl and others hold a large body back until they are told to go on (RFC 9110, 10.1.1)."""
    transport = request.protocol.transport
    if transport is not None and request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
