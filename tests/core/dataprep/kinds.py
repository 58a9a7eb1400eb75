"""One event of every published kind, with every field that it may have (app.core.published)."""

from __future__ import annotations

from typing import Any

from app.core.published import MESSAGES, VARIANTS, WITHOUT_SCHEMA

__all__ = ["VARIANTS", "WITHOUT_SCHEMA", "customer", "event", "legacy", "message", "pairs"]

IDENTIFIERS = {"id": "42", "email": "Test@example.com", "cio_id": "d9c106000001"}
_PERSON = {"identifiers": IDENTIFIERS, "customer_id": "0200000001"}

_DEVICE = {"device_id": "tok", "device_platform": "ios"}
_FAULT = {"failure_message": "BadDeviceToken"}

_VALUES: dict[str, Any] = {
    # Section 3. Integers as the vendor's schema has them; journey_id as its example has it.
    "trigger_id": 7, "broadcast_id": 9, "action_id": 42, "parent_action_id": 41, "journey_id": 15,
    "campaign_id": 23, "trigger_event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQK", "newsletter_id": 11,
    "content_id": 3, "transactional_message_id": 2,
    # Section 6.
    "subject": "Hello", "content": "<p>Hi</p>", "headers": {"X-A": ["1", "2"]},
    "failure_message": "550 5.5.0 mailbox unavailable", "recipients": [_DEVICE],
    "href": "https://example.com/a?b=c", "link_id": 1, "machine": False,
    "proxied": True, "prefetched": False, "synthetic": False,
    "tracked_response": "accept", "inbound_event_id": "in-1", "to": "+12025550111",
}  # fmt: skip

_RECIPIENTS = {
    "email": "test@example.com", "in_app": "42", "sms": "+12025550143",
    "whatsapp": "+12025550143", "slack": "#general", "webhook": "https://hook.example/x",
}  # fmt: skip


def event(family: str, metric: str, data: Any) -> dict[str, Any]:
    """A whole event."""
    return {
        "event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ", "object_type": family, "metric": metric,
        "timestamp": 1613063089, "data": data,
    }  # fmt: skip


def message(family: str, metric: str, variant: str = "campaign") -> dict[str, Any]:
    """A message event with every field the kind and the variant may have."""
    names = [*VARIANTS[variant], *MESSAGES[family][metric].replace("?", "").split()]
    values = {**_VALUES, "recipient": _RECIPIENTS.get(family)}
    data = {**_PERSON, "delivery_id": "RPILAgUBcRhI==", **{name: values[name] for name in names}}
    if family == "push" and metric in ("sent", "bounced", "dropped"):
        data["recipients"] = [{**_DEVICE, **_FAULT}]
    return event(family, metric, data)


def customer(metric: str, family: str = "customer", **data: Any) -> dict[str, Any]:
    """A subscription event of a person (section 5)."""
    return event(family, metric, {**_PERSON, "email_address": "test@example.com", **data})


def legacy(event_type: str, **data: Any) -> dict[str, Any]:
    """A body of before 2020 (section 12)."""
    old = {
        "customer_id": "42", "email_id": "ZI6aBAABYnJ3muVry9xcBjL7Aj",
        "email_address": "Jane Doe <Jane@example.com>", "campaign_id": "12",
        "campaign_name": "Trial started", "message_id": "65", "message_name": "How trials work",
        "template_id": "35", "subject": "How trials work",
    }  # fmt: skip
    return {
        "event_id": "01C9S7G83JJEXG1SZ5QBMXRAS4", "event_type": event_type,
        "timestamp": 1522338867, "data": {**old, **data},
    }  # fmt: skip


def pairs() -> list[tuple[str, str]]:
    """Every message pair of section 4, those without a schema too."""
    return [(family, metric) for family, metrics in MESSAGES.items() for metric in metrics]
