"""The events that a reporting webhook can subscribe to (customerio.md section 10). Pure."""

from __future__ import annotations

from typing import Final

# Object type → metrics. `slack` undeliverable is a kind of event, but no name in the vendor's list.
_METRICS: Final = {
    "customer": "subscribed unsubscribed subscription_preferences_changed",
    "email": "drafted attempted sent delivered opened clicked converted bounced dropped deferred "
    "spammed failed unsubscribed undeliverable",
    "in_app": "drafted attempted sent opened clicked converted failed undeliverable",
    "push": "drafted attempted sent delivered opened clicked converted bounced dropped failed "
    "undeliverable",
    "slack": "drafted attempted sent clicked converted failed",
    "sms": "drafted attempted sent delivered clicked converted bounced dropped failed "
    "undeliverable replied",
    "whatsapp": "drafted attempted sent delivered opened clicked converted bounced dropped failed "
    "undeliverable replied",
    "webhook": "drafted attempted sent clicked converted failed undeliverable",
}

EVENT_NAMES: Final = tuple(
    f"{family}_{metric}" for family, metrics in _METRICS.items() for metric in metrics.split()
)


def event_name(family: str, metric: str) -> str:
    """The name under which (`object_type`, `metric`) is subscribed to; it may be none of the 72.

    On the wire, preference changes have the metric `cio_subscription_preferences_changed`.
    """
    return f"{family}_{metric.removeprefix('cio_')}"
