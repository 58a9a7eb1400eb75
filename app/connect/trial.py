"""A signed webhook to ourselves, by the way that Customer.io's will come: through the public URL.

Its event is that of the *Send Test* button, which is counted as a test and never delivered
(customerio.md section 11).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import aiohttp
import orjson

from app.core.curl import Show, curl
from app.core.errors import SluiceError
from app.core.event import SEND_TEST_EVENT_ID
from app.core.signature import sign

# The receiver takes up a new connection file by itself, within seconds.
PATIENCE_SECONDS: Final = 30.0
# A lane that was held is tried with one batch first. Where that was a test, too, nothing is sent,
# and the next has its turn when the time reserved for a probe is over: 40 s, unless configured.
_COUNTED_SECONDS: Final = 180.0
_PAUSE_SECONDS: Final = 0.5
_TIMEOUT: Final = aiohttp.ClientTimeout(total=4)

_HINTS: Final = {
    401: "the receiver has another signing key: is the one that was taken the webhook's own?",
    403: "the receiver lets this machine's address not in (allowed_sources)",
    404: "the receiver does not know the connection: does it read the same config folder?",
    413: "something on the way takes no body of this size",
    503: "the receiver cannot reach Redis, or sheds load",
}


def test_body(now: float) -> bytes:
    """What the button posts, less what no part of ours looks at, and marked as ours: it says
    nothing of the key that Customer.io has."""
    return orjson.dumps(
        {
            # First: app.core.event.OWN_BODY_BEGINS.
            "sluice": "test",
            "data": {
                "customer_id": "user-123",
                "delivery_id": "RAECAAFwnUSneIa0ZXkmq8EdkAM==",
                "identifiers": {"id": "user-123"},
                "recipient": "test@example.com",
                "subject": "Thanks for signing up",
            },
            "event_id": SEND_TEST_EVENT_ID,
            "metric": "sent",
            "object_type": "email",
            "timestamp": int(now),
        }
    )


class Patience(Protocol):
    """How time is told (Unix seconds), and how to wait."""

    @property
    def clock(self) -> Callable[[], float]: ...
    @property
    def sleep(self) -> Callable[[float], Awaitable[None]]: ...


async def send_test(
    session: aiohttp.ClientSession,
    url: str,
    key: bytes,
    patience: Patience,
    show: Show | None = None,
) -> None:
    """Until it is answered 200. `show`: is given the request as curl.

    Raises SluiceError, with what to look at.
    """
    deadline = patience.clock() + PATIENCE_SECONDS
    if show is not None:
        show(curl("POST", url, *_signed(key), secrets={}))
    while True:
        answer = await _post(session, url, key)
        if answer == 200:
            return
        if patience.clock() >= deadline:
            raise SluiceError(_complaint(url, answer))
        await patience.sleep(_PAUSE_SECONDS)


async def counted(count: Callable[[], Awaitable[int]], before: int, patience: Patience) -> None:
    """Until the ledger has one test more. Raises SluiceError."""
    deadline = patience.clock() + _COUNTED_SECONDS
    while await count() <= before:
        if patience.clock() >= deadline:
            raise SluiceError(
                "the test event was taken, but no worker has counted it: does one run, with the "
                "same Redis and config folder? Then try again"
            )
        await patience.sleep(_PAUSE_SECONDS)


def _signed(key: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body, of now."""
    body, now = test_body(time.time()), str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-CIO-Timestamp": now,
        "X-CIO-Signature": sign(key, now.encode(), body),
    }
    return headers, body


async def _post(session: aiohttp.ClientSession, url: str, key: bytes) -> int | str:
    headers, body = _signed(key)
    try:
        async with session.post(
            url, data=body, headers=headers, allow_redirects=False, timeout=_TIMEOUT
        ) as response:
            return response.status
    except (aiohttp.ClientError, TimeoutError, OSError) as fault:
        return type(fault).__name__


def _complaint(url: str, answer: int | str) -> str:
    if isinstance(answer, str):
        hint = "is the receiver up, and is customerio.public_url the way to it?"
        return f"{url} did not answer ({answer}): {hint}"
    other = "is this the receiver's public URL, without a login or a redirect before it?"
    return f"{url} answered {answer}: {_HINTS.get(answer, other)}"
