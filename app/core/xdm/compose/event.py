"""The class XDM ExperienceEvent: what every event of Platform's has.

Facts: adobe/xdm components/classes/experienceevent, behaviors/time-series,
fieldgroups/shared/identitymap, datatypes/identityitem; the event types also from
help/xdm/classes/experienceevent.md. `xdm:` prefixes are dropped, `@id` is `_id` (platform.md
section 2.8).
"""

from __future__ import annotations

import re
from typing import Final

from app.core.xdm.compose.fields import Field, flag, group, keyed, many, moment, text

EVENT_CLASS: Final = "https://ns.adobe.com/xdm/context/experienceevent"

# What the class itself extends.
EVENT_CLASS_EXTENDS: Final = (
    "https://ns.adobe.com/xdm/data/time-series",
    "https://ns.adobe.com/xdm/context/identitymap",
    "https://ns.adobe.com/xdm/common/extensible",
)

_EVENT_TYPES: Final = {
    "advertising": (
        "clicks completes conversions federated firstQuartiles impressions midpoints starts"
        " thirdQuartiles timePlayed"
    ),
    "application": "close launch",
    "commerce": (
        "backofficeCreditMemoIssued backofficeOrderCancelled backofficeOrderItemsShipped"
        " backofficeOrderPlaced backofficeShipmentCompleted checkouts productListAdds"
        " productListOpens productListRemovals productListReopens productListViews productViews"
        " purchases saveForLaters"
    ),
    "decisioning": (
        "propositionDismiss propositionDisplay propositionFetch propositionInteract"
        " propositionSend propositionTrigger"
    ),
    "delivery": "feedback",
    "directMarketing": (
        "emailBounced emailBouncedSoft emailClicked emailDelivered emailOpened emailSent"
        " emailUnsubscribed"
    ),
    "inappmessageTracking": "dismiss display interact",
    "leadOperation": (
        "addToCampaign callWebhook changeCampaignStream changeEngagementCampaignCadence"
        " convertLead interestingMoment mergeLeads newLead revenueStageChanged scoreChanged"
        " statusInCampaignProgressionChanged"
    ),
    "listOperation": "addToList removeFromList",
    "location": "entry exit",
    "media": (
        "adBreakComplete adBreakStart adComplete adSkip adStart bitrateChange bufferStart"
        " chapterComplete chapterSkip chapterStart downloaded error pauseStart ping play"
        " sessionComplete sessionEnd sessionStart statesUpdate"
    ),
    "message": "feedback tracking",
    "opportunityEvent": "addToOpportunity opportunityUpdated removeFromOpportunity",
    "pushTracking": "applicationOpened customAction",
    "web": "formFilledOut webinteraction.linkClicks webpagedetails.pageViews",
}


def _event_types() -> dict[str, str]:
    """Every standard value of `eventType`, with a title of the same words."""
    values = [f"{area}.{name}" for area, names in _EVENT_TYPES.items() for name in names.split()]
    return {value: _words(value) for value in values}


def _words(value: str) -> str:
    words = re.findall(r"[A-Za-z][a-z]*", value)
    return " ".join(word[0].upper() + word[1:] for word in words)


_IDENTITY: Final = group(
    "",
    "Identity",
    text("id", "Identifier", "The person's id in the namespace."),
    text(
        "authenticatedState",
        "Authenticated state",
        "How sure it was, when this happened, that the person is who the id says.",
        enum={
            "ambiguous": "Ambiguous",
            "authenticated": "Logged in, or the like, at that moment",
            "loggedOut": "Logged in at some earlier moment",
        },
        default="ambiguous",
    ),
    flag("primary", "Primary", "Whether this identity is preferred.", default=False),
    data_type="https://ns.adobe.com/xdm/context/identityitem",
)

EVENT_FIELDS: Final[tuple[Field, ...]] = (
    text(
        "_id",
        "Identifier",
        "Unique to the event, and the same whenever it is sent again.",
        format="uri-reference",
        required=True,
    ),
    moment("timestamp", "Timestamp", "When it happened; never in the future.", required=True),
    text(
        "eventType",
        "Event type",
        "What kind of event it is; other values than these may be used.",
        enum=_event_types(),
        open_enum=True,
    ),
    text(
        "eventMergeId",
        "ExperienceEvent merge ID",
        "Joins events that are one. Reserved for Adobe's Web SDK.",
    ),
    text(
        "producedBy",
        "Produced by",
        "Who or what made the event; other values than these may be used.",
        enum={
            "self": "Self",
            "system": "System",
            "salesRef": "Sales Representative",
            "customerRep": "Customer Representative",
        },
        open_enum=True,
    ),
    keyed(
        "identityMap",
        "IdentityMap",
        many("", "Identities", _IDENTITY),
        "The person's identities, by namespace.",
    ),
)
