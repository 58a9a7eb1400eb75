"""Customer.io's own fields, `_{TENANT}.customerio`: what no standard field group has a place for.

Names are Customer.io's own wherever XDM lets them be: letters, digits, `-` and `_`, not starting
with `_` (platform.md section 5.1). Once a dataset uses the schema, fields may only be added.
"""

from __future__ import annotations

from typing import Final

from app.core.xdm.compose.fields import Field, flag, group, keyed, many, text

# How to know which of Customer.io's products sent a message (customerio.md section 3).
_VARIANTS: Final = {
    "broadcast": "API-triggered broadcast",
    "campaign": "Campaign",
    "newsletter": "Newsletter",
    "transactional": "Transactional message",
}


def _choices(name: str, title: str, item_title: str) -> Field:
    """Subscription choices as a list: their keys are the workspace's own."""
    choice = group(
        "", item_title, text("id", "Id in Customer.io"), flag("subscribed", "Subscribed")
    )
    return many(name, title, choice)


# Of every event (customerio.md sections 2, 3).
_ENVELOPE: Final = (
    text("event_id", "Event id"),
    text("object_type", "Family"),
    text("metric", "Metric"),
    text("variant", "What sent the message", enum=_VARIANTS),
    text("mapping", "Mapping set and version that made this record"),
)

# Who (customerio.md sections 3, 5).
_PERSON: Final = (
    group(
        "identifiers",
        "Identifiers of the person",
        text("id", "Id"),
        text("email", "Email address"),
        text("cio_id", "Customer.io id"),
        keyed("other", "Identifiers that no other field is for"),
    ),
    text("customer_id", "Customer id (deprecated)"),
    text("email_address", "Email address of a subscription change"),
)

# What sent it. Numbers in some bodies, strings in others, so strings (customerio.md section 3).
_ORIGIN: Final = (
    text("delivery_id", "Delivery id"),
    text("action_id", "Action id"),
    text("parent_action_id", "Parent action id"),
    text("campaign_id", "Campaign id"),
    text("trigger_event_id", "Trigger event id"),
    text("journey_id", "Journey id"),
    text("broadcast_id", "Broadcast id"),
    text("trigger_id", "Broadcast trigger id"),
    text("newsletter_id", "Newsletter id"),
    text("content_id", "Newsletter version id"),
    text("transactional_message_id", "Transactional message id"),
)

# Bodies of before 2020 only (customerio.md section 12).
_OLD: Final = (
    text("template_id", "Template id"),
    text("message_id", "Message id"),
    text("message_name", "Message name"),
)

# The message and what became of it (customerio.md section 6).
_MESSAGE: Final = (
    text("recipient", "Recipient"),
    many(
        "recipients",
        "Devices",
        group(
            "",
            "Device",
            text("device_id", "Device token"),
            text("device_platform", "Device platform"),
            text("failure_message", "Failure message"),
        ),
    ),
    text("subject", "Subject"),
    text("content", "Body content"),
    many(
        "headers",
        "Custom headers",
        group("", "Header", text("name", "Name"), many("values", "Values", text("", "Value"))),
    ),
    text("failure_message", "Failure message"),
    text("href", "Link"),
    text("link_id", "Link id"),
    flag("machine", "Clicked by a machine"),
    flag("proxied", "Opened through a proxy"),
    flag("prefetched", "Prefetched by the mail client"),
    flag("synthetic", "Open inferred from a click"),
    text("tracked_response", "Name of the action taken"),
    text("inbound_event_id", "Inbound event id"),
    text("to", "Number replied to"),
)

# The JSON string of a subscription change, parsed (customerio.md section 5).
_PREFERENCES: Final = group(
    "preferences",
    "Subscription preferences",
    _choices("topics", "Topics", "Topic"),
    _choices("channels", "Channels", "Channel"),
)

# The whole field group, below `_{TENANT}`.
TENANT_FIELDS: Final = (
    group(
        "customerio",
        "Customer.io event",
        *_ENVELOPE,
        *_PERSON,
        *_ORIGIN,
        *_OLD,
        *_MESSAGE,
        _PREFERENCES,
        # What is new tomorrow must not be lost, nor make a record invalid. Texts: a tenant's map
        # holds strings or integers only (platform.md section 4.2).
        keyed("other", "Fields that no other field is for"),
    ),
)
