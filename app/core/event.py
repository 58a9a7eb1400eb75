"""Customer.io's event: the five envelope keys, and nothing more is taken for granted.

Bodies of before 2020 have four: `event_type` stands for family and metric.

Sources: customerio.md sections 2, 3, 5, 11, 12. Requiredness inside `data` is not safe to enforce:
16 of 20 genuine bodies break the vendor's own schema somewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import orjson

from app.core.errors import UnreadableEvent

# The *Send Test* button posts a fixed body: only its timestamp varies (customerio.md section 11).
SEND_TEST_EVENT_ID: Final = "01E2EMRMM6TZ12TF9WGZN0WJQT"

# What we post to a receiver ourselves, the doctor's and the test of an apply, begins so; nothing of
# Customer.io's does. It proves nothing of the signing key that Customer.io has.
OWN_BODY_BEGINS: Final = b'{"sluice":'

# The vendor's own schema spells the family's key in three ways on preference changes
# (customerio.md section 5).
FAMILY_KEYS: Final = ("object_type", "object_type_type", "delivery_type")

# The mapping set takes event_type apart in the same way (customerio.md section 12).
_OLD_KIND: Final = re.compile("(in_app|[^_]+)_(.+)")

EVENT_ID_MAX_CHARS: Final = 256
_KIND_MAX_CHARS: Final = 128
# Deeper than any event.
MAX_DEPTH: Final = 200


@dataclass(slots=True)
class Event:
    """One Customer.io event, parsed.

    `document` is the whole JSON object as it came, `family` its object type ("customer" when
    absent on a preference change), `timestamp` Unix seconds.
    """

    event_id: str
    family: str
    metric: str
    timestamp: int
    document: dict[str, Any]

    @property
    def kind(self) -> str:
        """family.metric, for example `email.clicked`."""
        return f"{self.family}.{self.metric}"

    @property
    def is_send_test(self) -> bool:
        return self.event_id == SEND_TEST_EVENT_ID


def parse_event(body: bytes) -> Event:
    """The event in a webhook body. Raises UnreadableEvent naming the field that is wrong."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        # The decoder's text names a position, never the content.
        raise UnreadableEvent("not_json", f"the body is not JSON: {fault.msg}") from None
    if type(document) is not dict:
        raise UnreadableEvent("not_object", f"the body is {_name(document)}, not an object")
    event_id = document.get("event_id")
    if type(event_id) is not str or not 0 < len(event_id) <= EVENT_ID_MAX_CHARS:
        raise _wrong("event_id", document, f"a string of 1 to {EVENT_ID_MAX_CHARS} characters")
    metric, family = document.get("metric"), document.get("object_type")
    if not (type(metric) is str and metric and type(family) is str and family):
        family, metric = _kind_elsewhere(document)
    timestamp = document.get("timestamp")
    if type(timestamp) is not int or timestamp <= 0:
        raise _wrong("timestamp", document, "Unix seconds, a positive integer")
    if type(document.get("data")) is not dict:
        raise _wrong("data", document, "an object")
    return Event(event_id, family, metric, timestamp, document)


def nests_deeper(document: dict[str, Any], levels: int) -> bool:
    """Whether there are objects or arrays within each other more than `levels` times."""
    layer: list[Any] = [document]
    for _ in range(levels):
        inner: list[Any] = []
        for value in layer:
            inner += value.values() if type(value) is dict else value
        layer = [value for value in inner if type(value) in (dict, list)]
    return bool(layer)


def peek_event(body: bytes) -> tuple[str, str]:
    """(event_id, kind) of a body that may be anything, cut short where they are endless; empty
    where they cannot be read. A ready record (EventBatch.ready) is named by its `_id`."""
    try:
        event = parse_event(body)
    except UnreadableEvent:
        event_id, kind = _peek_unreadable(body)
    else:
        event_id, kind = event.event_id, event.kind
    return event_id[:EVENT_ID_MAX_CHARS], kind[:_KIND_MAX_CHARS]


def _peek_unreadable(body: bytes) -> tuple[str, str]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "", ""
    if not isinstance(document, dict):
        return "", ""
    event_id, family, metric = (document.get(k) for k in ("event_id", "object_type", "metric"))
    event_id = document.get("_id") if event_id is None else event_id
    kind = f"{family}.{metric}" if isinstance(family, str) and isinstance(metric, str) else ""
    return (event_id if isinstance(event_id, str) else ""), kind


def _kind_elsewhere(document: dict[str, Any]) -> tuple[str, str]:
    """Family and metric of a body that does not have both where they belong."""
    metric = document.get("metric")
    old_family, old_metric = _old_kind(document) if metric is None else ("", "")
    metric = old_metric or metric
    if type(metric) is not str or not metric:
        raise _wrong("metric", document, "a string such as sent or clicked")
    for key in FAMILY_KEYS:
        family = document.get(key)
        if type(family) is str and family:
            return family, metric
    if not old_family and metric == "cio_subscription_preferences_changed":
        old_family = "customer"
    if not old_family:
        raise _wrong("object_type", document, "a string such as email, sms or push")
    return old_family, metric


def _old_kind(document: dict[str, Any]) -> tuple[str, str]:
    """Family and metric in `event_type`, such as email_sent; in_app is the family with a `_`."""
    if "event_type" not in document:
        return "", ""
    event_type = document["event_type"]
    found = _OLD_KIND.match(event_type) if type(event_type) is str else None
    if found is None:
        raise _wrong("event_type", document, "family and metric, such as email_sent")
    return found[1], found[2]


def _wrong(key: str, document: dict[str, Any], wanted: str) -> UnreadableEvent:
    found = _name(document[key]) if key in document else "absent"
    return UnreadableEvent(f"{key}_invalid", f"{key} is {found}, wanted {wanted}", key)


def _name(value: Any) -> str:
    return {
        dict: "an object",
        list: "an array",
        str: "a string",
        int: "an integer",
        float: "a number",
        bool: "a boolean",
        type(None): "null",
    }.get(type(value), type(value).__name__)
