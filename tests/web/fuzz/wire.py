"""Raw HTTP/1.1: bytes in, and what comes back, read strictly."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from app.core.signature import sign

# A server that neither answers nor closes in this time hangs.
PATIENCE_SECONDS: Final = 30.0


class Reply(NamedTuple):
    """One answer, as it stood on the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoHttp(AssertionError):
    """What the receiver sent is no row of whole answers."""


def signature_lines(key: bytes, body: bytes, stamp: bytes | None = None) -> list[bytes]:
    """The two headers that Customer.io sends."""
    stamp = stamp or str(int(time.time())).encode()
    return [
        b"X-CIO-Timestamp: " + stamp,
        b"X-CIO-Signature: " + sign(key, stamp, body).encode(),
    ]


def webhook(
    key: bytes,
    body: bytes,
    *more: bytes,
    target: bytes = b"/webhooks/raw",
    version: bytes = b"HTTP/1.1",
    stamp: bytes | None = None,
) -> bytes:
    """A signed webhook with a Content-Length. `more`: further header lines."""
    lines = [
        b"POST " + target + b" " + version,
        b"Host: sluice.test",
        *signature_lines(key, body, stamp),
        *more,
        b"Content-Length: %d" % len(body),
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(body: bytes, sizes: Iterable[int] = (), extension: bytes = b"") -> bytes:
    """The body in chunks of these sizes, the rest in one."""
    framed, at = b"", 0
    for size in [*sizes, len(body)]:
        piece = body[at : at + max(size, 1)]
        if piece:
            framed += b"%x%b\r\n%b\r\n" % (len(piece), extension, piece)
            at += len(piece)
    return framed + b"0\r\n\r\n"


GOODBYE: Final = b"GET /healthz HTTP/1.1\r\nHost: sluice.test\r\nConnection: close\r\n\r\n"


def connect(port: int) -> socket.socket:
    """A bare connection."""
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)


def send(connection: socket.socket, pieces: Sequence[bytes]) -> None:
    """Each piece by itself. The server may close meanwhile, which is no fault here."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with suppress(ConnectionError):
        for piece in pieces:
            connection.sendall(piece)


def rest(connection: socket.socket) -> bytes:
    """All that comes until the server closes. Raises TimeoutError when it never does."""
    read = bytearray()
    with suppress(ConnectionError):
        while piece := connection.recv(65_536):
            read += piece
    return bytes(read)


def talk(port: int, *pieces: bytes) -> list[Reply]:
    """Sends the pieces, reads until the server closes."""
    with connect(port) as connection:
        send(connection, pieces)
        return replies(rest(connection))


def replies(read: bytes) -> list[Reply]:
    """The answers one after the other; 100 Continue is left out. Raises NoHttp."""
    found = []
    while read:
        reply, read = _first(read)
        if reply.status != 100:
            found.append(reply)
    return found


def _first(read: bytes) -> tuple[Reply, bytes]:
    head, end, left = read.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    version, _, status = first.partition(" ")
    if not end or version != "HTTP/1.1" or not status[:3].isdecimal() or status[3:4] != " ":
        raise NoHttp(read[:200])
    headers = {}
    for line in lines:
        name, colon, value = line.partition(": ")
        if not colon:
            raise NoHttp(line)
        headers[name.lower()] = value
    code = int(status[:3])
    length = 0 if code == 100 else int(headers["content-length"])
    # The answer to a HEAD names a length and has no body.
    if length and (not left or left.startswith(b"HTTP/1.1 ")):
        length = 0
    if len(left) < length:
        raise NoHttp(f"{len(left)} of {length} bytes")
    return Reply(code, headers, left[:length]), left[length:]
