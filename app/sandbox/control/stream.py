"""Many JSON objects as one answer, a line each, in pieces."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import orjson
from aiohttp import web

_FLUSH_BYTES: Final = 65_536


async def stream_lines(request: web.Request, lines: Iterable[dict[str, Any]]) -> web.StreamResponse:
    """One line an object. `lines` must not change meanwhile: others are served between pieces."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    chunk = bytearray()
    for line in lines:
        chunk += orjson.dumps(line) + b"\n"
        if len(chunk) >= _FLUSH_BYTES:
            await response.write(bytes(chunk))
            chunk.clear()
    await response.write(bytes(chunk))
    await response.write_eof()
    return response
