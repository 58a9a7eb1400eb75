"""The files of static/, from memory: few, small, compressed once, cached by browsers for ever.

Pages name them with a digest of their content, so a new release is a new address.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from aiohttp import web

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class File(NamedTuple):
    """One file. `digest`: of its content."""

    content_type: str
    plain: bytes
    compressed: bytes
    digest: str


@cache
def load() -> dict[str, File]:
    """All of them by name; only what a page can use is served."""
    found = {}
    for path in (files("app.web.console") / "static").iterdir():
        content_type = _TYPES.get(path.name.rpartition(".")[2])
        if content_type:
            plain = path.read_bytes()
            digest = hashlib.sha256(plain).hexdigest()[:12]
            found[path.name] = File(content_type, plain, gzip.compress(plain, 9, mtime=0), digest)
    return found


def address(name: str) -> str:
    """Where a page finds the file. Raises KeyError for one that there is not."""
    return f"/static/{name}?v={load()[name].digest}"


async def serve(request: web.Request) -> web.Response:
    """GET /static/{file}."""
    file = load().get(request.match_info["file"])
    if file is None:
        raise web.HTTPNotFound(text="There is no such file.")
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    response = web.Response(body=file.compressed if zipped else file.plain)
    response.headers["Content-Type"] = file.content_type
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Vary"] = "Accept-Encoding"
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    return response
