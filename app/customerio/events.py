"""The 72 event names that a reporting webhook can subscribe to (customerio.md section 10): data.

A name is `<object_type>_<metric>`, with one exception, and `in_app` has a `_` inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

_METRICS: Final = {
    "customer": "subscribed unsubscribed subscription_preferences_changed",
    "email": (
        "drafted attempted sent delivered opened clicked converted bounced dropped deferred "
        "spammed failed unsubscribed undeliverable"
    ),
    "in_app": "drafted attempted sent opened clicked converted failed undeliverable",
    "push": (
        "drafted attempted sent delivered opened clicked converted bounced dropped failed "
        "undeliverable"
    ),
    "slack": "drafted attempted sent clicked converted failed",
    "sms": (
        "drafted attempted sent delivered clicked converted bounced dropped failed undeliverable "
        "replied"
    ),
    "whatsapp": (
        "drafted attempted sent delivered opened clicked converted bounced dropped failed "
        "undeliverable replied"
    ),
    "webhook": "drafted attempted sent clicked converted failed undeliverable",
}

# On the wire the metric of this one is `cio_subscription_preferences_changed`.
PREFERENCES: Final = "customer_subscription_preferences_changed"
_PREFERENCES_METRIC: Final = "cio_subscription_preferences_changed"

# Family (object_type) -> its names, in the order of the reference.
EVENTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        family: tuple(f"{family}_{metric}" for metric in metrics.split())
        for family, metrics in _METRICS.items()
    }
)
FAMILIES: Final = tuple(EVENTS)
ALL: Final = frozenset(name for names in EVENTS.values() for name in names)


def events_of(families: Iterable[str]) -> tuple[str, ...]:
    """The names of these families. Raises KeyError for an unknown one."""
    return tuple(name for family in families for name in EVENTS[family])


def kind_of(name: str) -> tuple[str, str]:
    """(object_type, metric) as they are on the wire. Raises ValueError for an unknown name."""
    for family, names in EVENTS.items():
        if name in names:
            metric = name.removeprefix(f"{family}_")
            return family, _PREFERENCES_METRIC if name == PREFERENCES else metric
    raise ValueError(f"{name}: no event that Customer.io reports")
