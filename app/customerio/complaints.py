"""What a refusal by the App API means, and what to do about it (customerio.md section 10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from app.core.errors import (
    CustomerIoFault,
    CustomerIoMissing,
    CustomerIoRefused,
    CustomerIoUnavailable,
)
from app.core.platform import normalise

_TEXT_MAX_CHARS: Final = 200
_DEPTH: Final = 3

_KEY: Final = (
    "the App API key is wrong, or of the other region: make one in Customer.io under Account "
    "settings, API credentials, App API keys, for the workspace that sends the events"
)
_FIX: Final[Mapping[int, str]] = {
    400: "name, endpoint (an https address) and at least one event are needed, spelled as listed",
    401: _KEY,
    403: _KEY,
    404: "there is no such webhook in the workspace of this App API key: was it deleted?",
}
_OTHERWISE: Final = "is the address that of the App API, for the right region?"


def fault_of(call: str, status: int, body: bytes) -> CustomerIoFault:
    """The exception for a bad answer. `call`: method and path, for the text."""
    text = normalise(_text(body))[:_TEXT_MAX_CHARS]
    said = f"{status} {text}".rstrip()
    if status == 429:
        # Without a body and a Retry-After: 10 requests a second are allowed.
        why = f"{said} too many requests to this workspace's App API; wait a little"
        return CustomerIoUnavailable(call, why, status=status)
    if status >= 500:
        return CustomerIoUnavailable(call, f"{said}; try again later", status=status)
    kind = CustomerIoMissing if status == 404 else CustomerIoRefused
    return kind(call, f"{said}; {_FIX.get(status, _OTHERWISE)}", status=status)


def _text(body: bytes) -> str:
    """The first text in the answer: the reference does not show an error's shape."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    return next((each for each in _texts(found, 0) if each.strip()), "")


def _texts(found: Any, depth: int) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict | list) and depth < _DEPTH:
        for each in found.values() if isinstance(found, dict) else found:
            yield from _texts(each, depth + 1)
