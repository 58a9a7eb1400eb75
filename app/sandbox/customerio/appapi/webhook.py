"""A reporting webhook: what a body may say about it, and how it is shown. Pure.

The vendor's schema requires `name`, `endpoint` and `events` on update too; PostHog sends
`{"disabled": false}` alone and lives (customerio.md section 10): what an update leaves out stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from app.sandbox.customerio.appapi.names import EVENT_NAMES

_KNOWN: Final = frozenset(EVENT_NAMES)


class Malformed(Exception):
    """The body is no reporting webhook; the text says why, and the call is 400."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """`full_resolution` False: only the first open and click of a message is sent."""

    id: int
    name: str
    endpoint: str
    events: tuple[str, ...]
    disabled: bool = False
    full_resolution: bool = False
    with_content: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The object of section 10. The signing key is not in it."""
        return {
            "name": self.name,
            "id": self.id,
            "type": "webhook",
            "endpoint": self.endpoint,
            "disabled": self.disabled,
            "full_resolution": self.full_resolution,
            "with_content": self.with_content,
            "events": list(self.events),
        }


def created(body: bytes, numbers: Iterator[int]) -> Webhook:
    """The webhook that `body` describes, with the next of `numbers`. Raises Malformed."""
    fields = _fields(body)
    if missing := [name for name in ("name", "endpoint", "events") if name not in fields]:
        raise Malformed(f"{missing[0]} is required")
    return Webhook(id=next(numbers), **fields)


def updated(webhook: Webhook, body: bytes) -> Webhook:
    """`webhook` with what `body` says. Raises Malformed."""
    return replace(webhook, **_fields(body))


def _fields(body: bytes) -> dict[str, Any]:
    """The fields in `body`, checked. `id` and `type` are read-only: ignored, as are others."""
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("the body is no JSON") from None
    if not isinstance(given, dict):
        raise Malformed("the body is no object")
    return {name: read(name, given[name]) for name, read in _READERS.items() if name in given}


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Malformed(f"{name} must be a text")
    return value


def _url(name: str, value: Any) -> str:
    """http or https (section 1)."""
    text = _text(name, value)
    try:
        parts = urlsplit(text)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole or any(mark.isspace() for mark in text):
        raise Malformed(f"{name} must be an http or https URL")
    return text


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Malformed(f"{name} must be true or false")
    return value


def _events(name: str, value: Any) -> tuple[str, ...]:
    """A flat list; the nested map of the older beta is none."""
    if not isinstance(value, list) or not value:
        raise Malformed(f"{name} must be a list of at least one event")
    if unknown := [item for item in value if not isinstance(item, str) or item not in _KNOWN]:
        raise Malformed(f"{name}: {str(unknown[0])[:80]} is no event")
    return tuple(dict.fromkeys(value))


_READERS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "name": _text,
    "endpoint": _url,
    "events": _events,
    "disabled": _flag,
    "full_resolution": _flag,
    "with_content": _flag,
}
