"""Bodies that are signed like any other but are no Customer.io event."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import orjson

from app.sandbox.customerio.events.texts import words


def garbage(rng: random.Random, body: bytes, event_id: str) -> bytes:
    """Something unreadable, made from the good `body`. `event_id`: one that was never used."""
    return rng.choice(_WAYS)(rng, body, event_id)


def _cut_off(rng: random.Random, body: bytes, _event_id: str) -> bytes:
    return body[: rng.randint(1, len(body) - 1)]


def _no_json(rng: random.Random, _body: bytes, _event_id: str) -> bytes:
    return f"<html><body>{words(rng, 60)}</body></html>".encode()


def _no_text(rng: random.Random, _body: bytes, _event_id: str) -> bytes:
    return b"\xff\xfe\x00" + rng.randbytes(rng.randint(20, 200))


def _wrapped(_rng: random.Random, body: bytes, _event_id: str) -> bytes:
    return b'{"events":[' + body + b"]}"


def _array(_rng: random.Random, body: bytes, _event_id: str) -> bytes:
    return b"[" + body + b"]"


def _without_id(_rng: random.Random, body: bytes, _event_id: str) -> bytes:
    document = orjson.loads(body)
    del document["event_id"]
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def _without_kind(_rng: random.Random, body: bytes, event_id: str) -> bytes:
    """The format of before 2020 (customerio.md section 12), but for the metric."""
    timestamp: Any = orjson.loads(body)["timestamp"]
    data = {"email_id": "RPILAgUBcRhIBqSfeiIwdIYJKxTY", "campaign_name": "Welcome"}
    legacy = {"data": data, "event_id": event_id, "event_type": "email", "timestamp": timestamp}
    return orjson.dumps(legacy)


_WAYS: tuple[Callable[[random.Random, bytes, str], bytes], ...] = (
    _cut_off,
    _no_json,
    _no_text,
    _wrapped,
    _array,
    _without_id,
    _without_kind,
)
