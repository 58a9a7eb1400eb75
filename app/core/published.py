"""What Customer.io publishes: every kind of event, and the fields that each may carry.

customerio.md sections 2 to 6 and 12 as tables. A field is written as a path of the source, as in
Data Prep: `data.recipients[*].device_id`. In the tables by metric a `?` marks a field that is not
always there; requiredness in the vendor's own schema is not to be relied on either (section 3).

Not here, because it is inside a JSON text and no place of the source: `topics` and, observed by
third parties, `channels` in `data.content` of a preference change (section 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

Kind = tuple[str, str]

# Section 2, without the key of the family.
_ENVELOPE: Final = ("event_id", "metric", "timestamp")

# Section 3: what every message event may carry; `customer_id` is deprecated.
_PERSON: Final = ("identifiers.id", "identifiers.email", "identifiers.cio_id", "customer_id")

# Section 3: what tells who sent a message, by variant. The vendor's schema has transactional ones
# for e-mail and push only; its API sends the others too.
VARIANTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "broadcast": (
            "trigger_id", "broadcast_id", "action_id", "parent_action_id", "journey_id",
        ),
        "campaign": (
            "campaign_id", "action_id", "parent_action_id", "trigger_event_id", "journey_id",
        ),
        "newsletter": ("newsletter_id", "content_id"),
        "transactional": ("transactional_message_id",),
    }
)  # fmt: skip

# Section 6, by family and metric.
_EMAIL: Final = {
    "drafted": "subject recipient",
    "attempted": "failure_message",
    "sent": "subject recipient content? headers?",
    "delivered": "subject recipient",
    "opened": "recipient subject? proxied? prefetched? synthetic?",
    "clicked": "subject recipient href link_id machine?",
    "converted": "subject recipient",
    "unsubscribed": "subject recipient",
    "bounced": "subject recipient failure_message",
    "dropped": "subject recipient failure_message",
    "spammed": "subject recipient",
    "failed": "subject failure_message",
    "undeliverable": "subject recipient failure_message",
    "deferred": "subject recipient failure_message",
}
_PUSH: Final = {
    "drafted": "",
    "attempted": "failure_message",
    "sent": "recipients content?",
    "delivered": "recipients",
    "opened": "recipients",
    "clicked": "recipients href link_id",
    "converted": "recipients",
    "bounced": "recipients",
    "dropped": "recipients",
    "failed": "failure_message",
    "undeliverable": "failure_message",
}
_IN_APP: Final = {
    "drafted": "",
    "attempted": "failure_message",
    "sent": "recipient content?",
    "opened": "",
    "clicked": "recipient href link_id tracked_response?",
    "converted": "recipient",
    "failed": "failure_message",
    "undeliverable": "failure_message",
}
_SMS: Final = {
    "drafted": "",
    "attempted": "failure_message",
    "sent": "recipient content?",
    "delivered": "recipient",
    "clicked": "recipient href link_id",
    "converted": "recipient",
    "bounced": "recipient failure_message",
    "failed": "failure_message",
    "undeliverable": "failure_message",
    "replied": "inbound_event_id to recipient",
    "dropped": "recipient failure_message",
}
_CALL: Final = {
    "drafted": "",
    "attempted": "failure_message",
    "sent": "recipient content?",
    "clicked": "recipient href link_id",
    "failed": "failure_message",
    "undeliverable": "failure_message",
    "converted": "recipient",
}

# Message events: what they carry beside the person, the delivery and the variant.
MESSAGES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "email": _EMAIL,
        "push": _PUSH,
        "in_app": _IN_APP,
        "sms": _SMS,
        "whatsapp": {**_SMS, "opened": "recipient"},
        "slack": _CALL,
        "webhook": _CALL,
    }
)

PREFERENCES: Final = "cio_subscription_preferences_changed"

# Section 5: events of a person. Their object_type may be any family's, the channel that caused
# them; `customer` is the one that is always possible.
CUSTOMER: Final[Mapping[str, str]] = MappingProxyType(
    {"subscribed": "", "unsubscribed": "", PREFERENCES: "content?"}
)

# Section 4: can be subscribed to but have no published schema. Their fields are inferred from
# their neighbours'.
WITHOUT_SCHEMA: Final = frozenset(
    {("email", "deferred"), ("sms", "dropped"), ("slack", "converted"), ("webhook", "converted")}
)

_DEVICE: Final = ("recipients[*].device_id", "recipients[*].device_platform")
_DEVICE_FAULT: Final = "recipients[*].failure_message"
_DEVICE_FAULTS: Final = frozenset({"sent", "bounced", "dropped"})


def _message(family: str, metric: str) -> tuple[str, ...]:
    fields = [*_PERSON, "delivery_id"]
    fields += [name for variant in VARIANTS.values() for name in variant]
    for name in MESSAGES[family][metric].replace("?", "").split():
        if name != "recipients":
            fields.append(name)
        else:
            fields += [*_DEVICE, *([_DEVICE_FAULT] if metric in _DEVICE_FAULTS else [])]
    if metric == "unsubscribed":
        # The pair may be the person's change instead of the message's event (section 5).
        fields.append("email_address")
    return _paths(["object_type"], fields)


def _customer(metric: str) -> tuple[str, ...]:
    fields = [*_PERSON, "email_address"]
    families = ["object_type"]
    if metric == PREFERENCES:
        # Three spellings of the family's key, and no transactional variant (section 5).
        families += ["object_type_type", "delivery_type"]
        sent = (name for v, names in VARIANTS.items() if v != "transactional" for name in names)
        fields += ["delivery_id", *sent, "content"]
    return _paths(families, fields)


def _paths(families: list[str], fields: list[str]) -> tuple[str, ...]:
    return (*_ENVELOPE, *families, *dict.fromkeys(f"data.{name}" for name in fields))


def _kinds() -> Iterator[tuple[Kind, tuple[str, ...]]]:
    for family, metrics in MESSAGES.items():
        for metric in metrics:
            yield (family, metric), _message(family, metric)
    for metric in CUSTOMER:
        yield ("customer", metric), _customer(metric)


# (family, metric) → the paths of every field it may carry: 69 pairs and the four without a schema.
PUBLISHED: Final[Mapping[Kind, tuple[str, ...]]] = MappingProxyType(dict(_kinds()))

# Bodies of before 2020 (section 12, and the fixtures named there): all of one kind of body.
# `data.variables.customer` holds the person's attributes, whatever the workspace has.
LEGACY: Final = (
    "event_id",
    "event_type",
    "timestamp",
    "data.customer_id",
    "data.email_id",
    "data.email_address",
    "data.campaign_id",
    "data.campaign_name",
    "data.message_id",
    "data.message_name",
    "data.template_id",
    "data.subject",
    "data.variables.customer",
    "data.variables.customer.id",
    "data.variables.customer.email",
    "data.variables.campaign",
    "data.variables.delivery_id",
    "data.variables.email_id",
    "data.variables.layout",
    "data.variables.message",
)
