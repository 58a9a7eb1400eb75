"""Bodies of Platform's answers, read within bounds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from app.core.errors import PlatformUnavailable

# A record is 1 MB at most (section 2.7); the errors beside it are not.
LINE_MAX_BYTES: Final = 4_000_000


@asynccontextmanager
async def released(response: aiohttp.ClientResponse) -> AsyncIterator[aiohttp.ClientResponse]:
    """The response, given back at the end."""
    try:
        yield response
    finally:
        response.release()


async def bounded(response: aiohttp.ClientResponse, most: int) -> bytes | None:
    """The body; None when it is longer than `most`. Raises PlatformUnavailable."""
    kept = bytearray()
    try:
        async for chunk in response.content.iter_any():
            kept += chunk
            if len(kept) > most:
                return None
    except (aiohttp.ClientError, TimeoutError, OSError) as fault:
        call = f"{response.method} {response.url.path}"
        raise PlatformUnavailable(
            call, f"broke off ({type(fault).__name__}); run the command again", code="no_answer"
        ) from None
    return bytes(kept)


async def lines_of(content: aiohttp.StreamReader, length: int) -> AsyncIterator[bytes]:
    """Lines without their ends, `b"{}"` for one over LINE_MAX_BYTES, empty ones left out.

    Raises EOFError before a last line that may be half a one.
    """
    buffer = bytearray()
    skipping, came = False, 0
    async for chunk in content.iter_any():
        came += len(chunk)
        buffer += chunk
        *whole, rest = buffer.split(b"\n")
        for line in whole:
            if skipping or len(line) > LINE_MAX_BYTES:
                skipping = False
                yield b"{}"
            elif line.strip():
                yield bytes(line)
        buffer = rest
        if len(buffer) > LINE_MAX_BYTES:
            skipping = True
            buffer.clear()
    if came < length:
        raise EOFError
    if skipping:
        yield b"{}"
    elif buffer.strip():
        yield bytes(buffer)
