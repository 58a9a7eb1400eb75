"""One signed POST of a webhook, and what came of it (customerio.md sections 1, 8 and 9)."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from yarl import URL

from app.core.signature import sign
from app.sandbox.customerio.backoff import BAD_CERTIFICATE, EOF, MISBEHAVING, REFUSED, RESET

USER_AGENT: Final = "Customer.io Web Hooks 1.0"
TIMED_OUT: Final = "context deadline exceeded"
NO_HOST: Final = "no such host"


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0: none came, and `error` says why, in the vendor's words where it has any;
    `unclear`: the other side may have taken the webhook in all the same."""

    status: int
    seconds: float
    retry_after: float | None = None
    error: str = ""
    unclear: bool = False

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def as_dict(self) -> dict[str, Any]:
        """`ms`: real milliseconds until the answer, or until none was waited for any more."""
        return {"status": self.status, "error": self.error, "ms": round(self.seconds * 1000, 1)}


async def post(
    session: aiohttp.ClientSession, url: str | URL, key: bytes, body: bytes, now: float
) -> Answer:
    """Post `body`, signed with `key` at `now` (Unix seconds: when the request is sent).

    The session's timeout bounds it. Redirects are not followed: the reference does not know them.
    """
    timestamp = str(int(now))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-CIO-Timestamp": timestamp,
        "X-CIO-Signature": sign(key, timestamp.encode(), body),
    }
    started = time.perf_counter()
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            await response.read()
            retry_after = _seconds(response.headers.get("Retry-After"))
            return Answer(response.status, time.perf_counter() - started, retry_after)
    except aiohttp.ClientConnectorError as fault:
        return Answer(0, time.perf_counter() - started, error=_not_reached(fault))
    except TimeoutError:
        return Answer(0, time.perf_counter() - started, error=TIMED_OUT, unclear=True)
    except aiohttp.ClientError as fault:
        return Answer(0, time.perf_counter() - started, error=_lost(fault), unclear=True)
    except ValueError:
        # A host whose name cannot be one: the resolver does not even ask.
        return Answer(0, time.perf_counter() - started, error=NO_HOST)


def _not_reached(fault: aiohttp.ClientConnectorError) -> str:
    if isinstance(fault, aiohttp.ClientConnectorCertificateError):
        return BAD_CERTIFICATE
    if isinstance(fault.os_error, ConnectionRefusedError):
        return REFUSED
    if isinstance(fault, aiohttp.ClientConnectorDNSError):
        temporary = fault.os_error.errno == socket.EAI_AGAIN
        return MISBEHAVING if temporary else NO_HOST
    return "connect: no route to host"


def _lost(fault: aiohttp.ClientError) -> str:
    if isinstance(fault, aiohttp.ServerDisconnectedError):
        return EOF
    if isinstance(fault, aiohttp.ClientOSError):
        return RESET
    return "malformed HTTP response"


def _seconds(header: str | None) -> float | None:
    """Retry-After in seconds; the date form is not read."""
    return float(header) if header and header.isascii() and header.isdigit() else None
