"""One event of every published kind, built from customerio.md sections 3 to 6."""

from __future__ import annotations

from typing import Any

IDENTIFIERS = {"id": "42", "email": "Test@example.com", "cio_id": "d9c106000001"}

# Section 3: the four variants of message events.
VARIANTS: dict[str, dict[str, Any]] = {
    "broadcast": {
        "trigger_id": 7, "broadcast_id": 9, "action_id": 42, "parent_action_id": 41,
        "journey_id": 15,
    },
    "campaign": {
        "campaign_id": 23, "action_id": 42, "trigger_event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQK",
        "journey_id": "01GW20GXAAXBKZD8J96M8FNV3R",
    },
    "newsletter": {"newsletter_id": 11, "content_id": 3},
    "transactional": {"transactional_message_id": 2},
}  # fmt: skip

LINK = {"href": "https://example.com/a?b=c", "link_id": 1}
FM = {"failure_message": "550 5.5.0 mailbox unavailable"}
DEVICE = {"device_id": "tok", "device_platform": "ios"}
REPLY = {"inbound_event_id": "in-1", "to": "+15550001111"}


def _each(metrics: tuple[str, ...], fields: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {metric: dict(fields) for metric in metrics}


def _email() -> dict[str, dict[str, Any]]:
    to = {"recipient": "test@example.com"}
    both = {**to, "subject": "Hello"}
    kinds: dict[str, dict[str, Any]] = _each(
        ("drafted", "delivered", "converted", "unsubscribed", "spammed", "deferred"), both
    )
    kinds |= _each(("bounced", "dropped", "undeliverable"), {**both, **FM})
    kinds["attempted"] = FM
    kinds["failed"] = {"subject": "Hello", **FM}
    kinds["sent"] = {**both, "content": "<p>Hi</p>", "headers": {"X-A": ["1", "2"]}}
    kinds["opened"] = {**to, "proxied": True, "prefetched": False, "synthetic": False}
    kinds["clicked"] = {**both, **LINK, "machine": False}
    return kinds


def _push() -> dict[str, dict[str, Any]]:
    one = {"recipients": [DEVICE]}
    failed = {"recipients": [{**DEVICE, "failure_message": "BadDeviceToken"}]}
    kinds: dict[str, dict[str, Any]] = {"drafted": {}}
    kinds |= _each(("attempted", "failed", "undeliverable"), FM)
    kinds |= _each(("delivered", "opened", "converted"), one)
    kinds |= _each(("bounced", "dropped"), failed)
    kinds["sent"] = {**failed, "content": '{"android":{"message":{}}}'}
    kinds["clicked"] = {"recipients": [{"device_id": "tok"}], **LINK}
    return kinds


def _direct(recipient: str, *metrics: str) -> dict[str, dict[str, Any]]:
    """sms, whatsapp, in_app, slack and webhook share their metrics' fields."""
    to = {"recipient": recipient}
    every: dict[str, dict[str, Any]] = {"drafted": {}, "sent": {**to, "content": "Hi"}}
    every |= _each(("attempted", "failed", "undeliverable"), FM)
    every |= _each(("delivered", "converted", "opened"), to)
    every |= _each(("bounced", "dropped"), {**to, **FM})
    every |= {"clicked": {**to, **LINK}, "replied": {**to, **REPLY}}
    return {metric: every[metric] for metric in metrics}


_BASE = ("drafted", "attempted", "sent", "clicked", "failed", "undeliverable")
_PHONE = "+15551234567"

_IN_APP = _direct("42", *_BASE, "opened", "converted")
_IN_APP["clicked"] = {**_IN_APP["clicked"], "tracked_response": "accept"}

FAMILIES: dict[str, dict[str, dict[str, Any]]] = {
    "email": _email(),
    "push": _push(),
    "in_app": _IN_APP,
    "sms": _direct(_PHONE, *_BASE, "delivered", "converted", "bounced", "dropped", "replied"),
    "whatsapp": _direct(
        _PHONE, *_BASE, "delivered", "opened", "converted", "bounced", "dropped", "replied"
    ),
    "slack": _direct("#general", *_BASE, "converted"),
    "webhook": _direct("https://hook.example/x", *_BASE, "converted"),
}


def event(family: str, metric: str, data: dict[str, Any]) -> dict[str, Any]:
    """A whole event."""
    return {
        "event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ", "object_type": family, "metric": metric,
        "timestamp": 1613063089, "data": data,
    }  # fmt: skip


def message(family: str, metric: str, variant: str = "campaign") -> dict[str, Any]:
    """A message event with every field the kind and the variant may have."""
    data = {
        "identifiers": IDENTIFIERS, "customer_id": "0200000001", "delivery_id": "RPILAgUBcRhI==",
        **VARIANTS[variant], **FAMILIES[family][metric],
    }  # fmt: skip
    return event(family, metric, data)


def customer(metric: str, family: str = "customer", **data: Any) -> dict[str, Any]:
    """A subscription event of a person (section 5)."""
    person = {
        "customer_id": "0200000001", "email_address": "test@example.com",
        "identifiers": IDENTIFIERS,
    }  # fmt: skip
    return event(family, metric, person | data)


def pairs() -> list[tuple[str, str]]:
    """Every message pair of section 4, those without a schema too."""
    return [(family, metric) for family, metrics in FAMILIES.items() for metric in metrics]
