"""The standard field groups that have a home for Customer.io's data.

Facts: adobe/xdm components/fieldgroups/experience-event/experienceevent-*.schema.json and the data
types they name (context/direct-marketing, data/measure, context/marketing, channels/channel); the
texts are ours. `xdm:` prefixes are dropped, `@id` is `_id`, `@type` is `_type`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.core.xdm.compose.fields import Field, flag, group, many, number, text


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """A field group of Adobe's. `id` is its $id; `fields` are what it adds to the root."""

    id: str
    title: str
    fields: tuple[Field, ...]


_CONTEXT: Final = "https://ns.adobe.com/xdm/context/"


def _measure(name: str, title: str, description: str) -> Field:
    """A count of one thing: usually `{"value": 1}`."""
    return group(
        name,
        title,
        text("id", "Unique identifier", "Of the measure; not of the person."),
        number("value", "Value", required=True),
        description=description,
        data_type="https://ns.adobe.com/xdm/data/measure",
    )


DIRECT_MARKETING: Final = FieldGroup(
    f"{_CONTEXT}experienceevent-directmarketing",
    "Direct Marketing Details",
    (
        group(
            "directMarketing",
            "Direct marketing",
            _measure("sends", "Sends", "Dispatched to the person's account, address or device."),
            _measure("emailDelivered", "Emails delivered", "Email messages delivered."),
            _measure("opens", "Opens", "Opened, swiped or touched."),
            _measure("clicks", "Clicks", "Clicked."),
            _measure("bounces", "Bounces", "Returned as undeliverable for the time being."),
            _measure("nonDeliverables", "Non-deliverables", "Failed in a way that will not mend."),
            _measure("notSent", "Not sent", "Not dispatched: cancelled or expired."),
            _measure("excludes", "Excludes", "The recipient was excluded by a rule."),
            _measure("unsubscriptions", "Unsubscriptions", "The recipient opted out."),
            _measure("userComplaints", "User complaints", "Reported as spam, for example."),
            _measure("impressions", "Impressions", "Seen by the person."),
            _measure("customActions", "Custom actions", "Actions taken on what was sent along."),
            _measure("mirrorPages", "Mirror pages", "Clicks on the web copy of a message."),
            _measure("offerOpens", "Offer opens", "An offer in the message was opened."),
            _measure("marketingSubscription", "Subscriptions", "The person opted in."),
            text("messageID", "Email message ID"),
            text("emailVisitorID", "Email recipient ID"),
            text("hashedEmail", "Hashed email address"),
            text("unsubscribeReason", "Unsubscribe reason", "What the person gave as the reason."),
            description="Email, letters, texts and the like, sent to a person.",
            data_type=f"{_CONTEXT}direct-marketing",
        ),
    ),
)

PUSH_TRACKING: Final = FieldGroup(
    f"{_CONTEXT}experienceevent-pushtracking",
    "Push notification tracking",
    (
        group(
            "pushNotificationTracking",
            "Push notification tracking details",
            group(
                "customAction",
                "Custom action",
                text("actionID", "Action ID", "Which action the person took."),
                number("value", "Value", "Of the action, if it has one."),
                description="What the person did with the notification.",
            ),
            text("pushProviderMessageID", "Push provider message ID"),
            text("pushProvider", "Push provider", "For example apns or fcm."),
            flag("isLaunch", "Is launch", "Whether the notification launched the app."),
        ),
    ),
)

IN_APP_TRACKING: Final = FieldGroup(
    f"{_CONTEXT}experienceevent-inappmessage-tracking",
    "Inapp message tracking",
    (
        group(
            "inappMessageTracking",
            "Inapp message interaction tracking details",
            text("action", "Custom action", "Which action the person took."),
        ),
    ),
)

MARKETING: Final = FieldGroup(
    f"{_CONTEXT}experienceevent-marketing",
    "Campaign Marketing Details",
    (
        group(
            "marketing",
            "Marketing",
            text("trackingCode", "Tracking code", "Tells the campaign of the event."),
            text("campaignName", "Campaign name"),
            text("campaignGroup", "Campaign group"),
            data_type=f"{_CONTEXT}marketing",
        ),
    ),
)

# Channel types that XDM names: https://ns.adobe.com/xdm/channel-types/<these>.
_CHANNEL_TYPES: Final = (
    "web social mobile messaging email offline display search social_display video affiliate"
    " affinity apps preload direct external mail instore"
)
_MEDIA_ACTIONS: Final = (
    "opens sends clicks impressions bounces mirrorpages nonDeliverables notSent offerOpens"
    " unSubscriptions userComplaints subscriptions"
)


def _types(name: str, title: str) -> Field:
    return many(name, title, text("", "Type", format="uri"))


CHANNEL: Final = FieldGroup(
    f"{_CONTEXT}experienceevent-channel",
    "Channel Details",
    (
        group(
            "channel",
            "Experience channel",
            text("_id", "Identifier", "Of the channel.", format="uri-reference", required=True),
            text(
                "_type",
                "Type",
                "Puts alike channels together; other values than these may be used.",
                enum={
                    f"https://ns.adobe.com/xdm/channel-types/{name}": name.replace("_", " ").title()
                    for name in _CHANNEL_TYPES.split()
                },
                open_enum=True,
                format="uri",
            ),
            text("typeAtSource", "Type at source", "The sender's own name of the channel."),
            text(
                "mode",
                "Mode",
                "Who begins.",
                enum={
                    "push": "The sender begins",
                    "pull": "The person begins",
                    "bidirectional": "Either begins",
                },
            ),
            text(
                "mediaType",
                "Media type",
                enum={"paid": "Paid", "owned": "Owned", "earned": "Earned"},
                open_enum=True,
            ),
            text(
                "mediaAction",
                "Media action",
                enum={name: name[0].upper() + name[1:] for name in _MEDIA_ACTIONS.split()},
                open_enum=True,
            ),
            _types("contentTypes", "Content types"),
            _types("metricTypes", "Metric types"),
            _types("locationTypes", "Location types"),
            data_type="https://ns.adobe.com/xdm/channels/channel",
        ),
    ),
)

FIELD_GROUPS: Final = (DIRECT_MARKETING, PUSH_TRACKING, IN_APP_TRACKING, MARKETING, CHANNEL)
