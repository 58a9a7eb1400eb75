"""Making one event after the other: kinds by weight, times, ids, wire form."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final

import orjson

from app.core.event import SEND_TEST_EVENT_ID
from app.core.published import PREFERENCES, Kind
from app.sandbox.customerio.events.fields import KINDS, Scene, customer_data, message_data
from app.sandbox.customerio.events.people import PEOPLE, person
from app.sandbox.customerio.events.texts import words
from app.sandbox.customerio.ulid import ulid

# Shares of real traffic, roughly: sent, delivered and opened messages are most of it.
_FAMILY_WEIGHTS: Final = {
    "email": 62.0,
    "push": 14.0,
    "in_app": 7.0,
    "sms": 7.0,
    "whatsapp": 3.0,
    "webhook": 3.0,
    "slack": 1.0,
    "customer": 3.0,
}
_METRIC_WEIGHTS: Final = {
    "sent": 32.0,
    "delivered": 30.0,
    "opened": 22.0,
    "clicked": 5.0,
    "drafted": 2.0,
    "converted": 1.5,
    "replied": 1.0,
    "subscribed": 6.0,
    "cio_subscription_preferences_changed": 3.0,
}
_RARE: Final = 0.6


def weights(kinds: Sequence[Kind]) -> tuple[float, ...]:
    """Cumulative, in the order of `kinds`; the families' shares hold whatever metrics they have."""
    raw = [_METRIC_WEIGHTS.get(metric, _RARE) for _, metric in kinds]
    sums = dict.fromkeys(_FAMILY_WEIGHTS, 0.0)
    for (family, _), weight in zip(kinds, raw, strict=True):
        sums[family] += weight
    shares = (
        _FAMILY_WEIGHTS[family] * weight / sums[family]
        for (family, _), weight in zip(kinds, raw, strict=True)
    )
    return tuple(accumulate(shares))


_CUMULATIVE: Final = weights(KINDS)


class Mint:
    """Makes events; the same seed and the same times make the same bytes.

    `body_bytes`: bodies shorter than this are padded to it with content.
    """

    def __init__(self, rng: random.Random, body_bytes: int | None = None) -> None:
        self._rng = rng
        self._body_bytes = body_bytes or 0
        self._now_ms = 0

    def ulid(self) -> str:
        """A fresh id of the time of the last event."""
        return ulid(self._now_ms, self._rng.getrandbits(80))

    def event(self, now_ms: int, kind: Kind | None = None) -> bytes:
        """One event recorded at `now_ms`, as bytes on the wire; a kind drawn by weight or given.

        Times never run backwards, whatever `now_ms` does.
        """
        drawn = kind or self._rng.choices(KINDS, cum_weights=_CUMULATIVE)[0]
        document = self.document(now_ms, drawn, odd=kind is None)
        body = wire(document)
        return body if len(body) >= self._body_bytes else self._padded(document, len(body))

    def document(self, now_ms: int, kind: Kind, odd: bool) -> dict[str, Any]:
        """The same before it is bytes, never padded. `odd`: some subscription events differ from
        others, as they do in life."""
        self._now_ms = max(self._now_ms, now_ms)
        family, metric = kind
        rng = self._rng
        scene = Scene(rng, person(rng.randrange(PEOPLE)), family, metric, self.ulid)
        data = customer_data(scene) if family == "customer" else message_data(scene)
        family_key = "object_type"
        if family == "customer" and odd:
            family_key, family = self._oddity(metric)
        return {
            "data": data,
            "event_id": self.ulid(),
            "metric": metric,
            family_key: family,
            "timestamp": self._timestamp(),
        }

    def again(self, now_ms: int, document: dict[str, Any]) -> dict[str, Any]:
        """The same thing done once more by the same person with the same message, at `now_ms`."""
        self._now_ms = max(self._now_ms, now_ms)
        return {**document, "event_id": self.ulid(), "timestamp": self._timestamp()}

    def _oddity(self, metric: str) -> tuple[str, str]:
        """Subscription events name the channel that caused them, and the vendor's schema spells
        the key of preference changes otherwise (customerio.md section 5)."""
        drawn = self._rng.random()
        if metric == PREFERENCES:
            return ("object_type_type" if drawn < 0.1 else "object_type"), "customer"
        return "object_type", "email" if drawn < 0.3 else "customer"

    def _timestamp(self) -> int:
        """Seconds; 0.6 to 2.2 s before the id's time (customerio.md section 2)."""
        newest, oldest = (self._now_ms - 600) // 1000, -((2200 - self._now_ms) // 1000)
        return newest if newest <= oldest else self._rng.randint(oldest, newest)

    def _padded(self, document: dict[str, Any], size: int) -> bytes:
        data = document["data"]
        content = data.get("content")
        if content is None:
            missing = self._body_bytes - size - len(',"content":""')
            data["content"] = words(self._rng, missing)
        elif content.startswith("{"):
            # Stringified JSON stays JSON; inside a string each quote takes two bytes.
            room = self._body_bytes - size - len(',\\"note\\":\\"\\"')
            note = f',"note":"{words(self._rng, room)}"' + "}"
            data["content"] = content[:-1] + note if room > 0 else content
        else:
            data["content"] = f"{content} {words(self._rng, self._body_bytes - size - 1)}"
        return wire(document)


def wire(document: dict[str, Any]) -> bytes:
    """Compact JSON, keys sorted at every level (customerio.md section 1)."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def send_test_body(timestamp: int) -> bytes:
    """What the *Send Test* button posts; only its time varies (customerio.md section 11)."""
    data = {
        "action_id": 42,
        "campaign_id": 23,
        "content": "Welcome to the club, we are with you.",
        "customer_id": "user-123",
        "delivery_id": "RAECAAFwnUSneIa0ZXkmq8EdkAM==",
        "headers": {"Custom-Header": ["custom-value"]},
        "identifiers": {"id": "user-123"},
        "recipient": "test@example.com",
        "subject": "Thanks for signing up",
    }
    return wire(
        {
            "data": data,
            "event_id": SEND_TEST_EVENT_ID,
            "metric": "sent",
            "object_type": "email",
            "timestamp": timestamp,
        }
    )
