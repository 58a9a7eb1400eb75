"""Reading a body that is not there yet, within its limit, its time, and the room for all."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import hdrs, web

from app.web.protocol import Request

# A body may have so much in any case: those of usual size come through while strangers, whose
# signatures nobody knows yet, fill the room with large ones.
_ALWAYS_BYTES: Final = 65_536


class Room:
    """Bytes in hand for all connections of the process, and the most there may be."""

    __slots__ = ("limit", "size")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0


class BodyTooLarge(Exception):
    """More bytes than allowed, said by Content-Length or counted."""


class BodyTooSlow(Exception):
    """The body did not arrive in time."""


class BodyBroken(Exception):
    """The client broke off, or what it sends is no HTTP body."""


class BodiesTooMany(Exception):
    """There is no room for it beside the others that are on their way."""


async def read_body(request: Request, limit: int, seconds: float, room: Room) -> bytes:
    """The raw bytes, as sent: no content coding is undone. Raises the four above."""
    said = request.headers.get(hdrs.CONTENT_LENGTH, "")
    if said.isdecimal() and int(said) > limit:
        raise BodyTooLarge
    _invite(request)
    chunks: list[bytes] = []
    size = taken = 0
    try:
        async with asyncio.timeout(seconds):
            while chunk := await request.content.readany():
                chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    raise BodyTooLarge
                if size > _ALWAYS_BYTES:
                    room.size += size - _ALWAYS_BYTES - taken
                    taken = size - _ALWAYS_BYTES
                    if room.size > room.limit:
                        raise BodiesTooMany
    except TimeoutError:
        raise BodyTooSlow from None
    except (web.RequestPayloadError, ConnectionError):
        raise BodyBroken from None
    finally:
        room.size -= taken
    return b"".join(chunks)


def _invite(request: Request) -> None:
    """curl and others hold a large body back until they are told to go on (RFC 9110, 10.1.1)."""
    transport = request.protocol.transport
    if transport is not None and request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
