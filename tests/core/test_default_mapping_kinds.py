"""What the default set makes of each kind: event type, measures, channel, tracking."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.published import MESSAGES, PUBLISHED
from app.core.xdm.compose import compose
from tests.core.dataprep.default_set import mapped, tenant
from tests.core.dataprep.kinds import VARIANTS, customer, event, legacy, message, pairs

FEEDBACK, TRACKING = "message.feedback", "message.tracking"

# XDM's own value for every kind that has one (adobe/xdm time-series.schema.json, enum of
# xdm:eventType). Adobe's message.feedback says what became of a message to a person: sent, bounce,
# error, delay, exclude, denylist (feedbackStatus in message-delivery-feedback.schema.json);
# message.tracking what the person did: open, click, unsubscribe, spam_complaint (interactionType
# in message-interaction.schema.json). What is about no message to a person, or before one, has no
# value of XDM's.
EVENT_TYPES: dict[str, dict[str, str]] = {
    "email": {
        "attempted": FEEDBACK,
        "sent": "directMarketing.emailSent",
        "delivered": "directMarketing.emailDelivered",
        "opened": "directMarketing.emailOpened",
        "clicked": "directMarketing.emailClicked",
        "unsubscribed": "directMarketing.emailUnsubscribed",
        "bounced": "directMarketing.emailBounced",
        "dropped": FEEDBACK,
        "spammed": TRACKING,
        "failed": FEEDBACK,
        "undeliverable": FEEDBACK,
        "deferred": FEEDBACK,
    },
    "push": {
        "attempted": FEEDBACK,
        "sent": FEEDBACK,
        "delivered": FEEDBACK,
        "opened": "pushTracking.applicationOpened",
        "clicked": "pushTracking.customAction",
        "bounced": FEEDBACK,
        "dropped": FEEDBACK,
        "failed": FEEDBACK,
        "undeliverable": FEEDBACK,
    },
    "in_app": {
        "attempted": FEEDBACK,
        "sent": FEEDBACK,
        "opened": "inappmessageTracking.display",
        "clicked": "inappmessageTracking.interact",
        "failed": FEEDBACK,
        "undeliverable": FEEDBACK,
    },
    "sms": {
        "attempted": FEEDBACK,
        "sent": FEEDBACK,
        "delivered": FEEDBACK,
        "clicked": TRACKING,
        "bounced": FEEDBACK,
        "dropped": FEEDBACK,
        "failed": FEEDBACK,
        "undeliverable": FEEDBACK,
    },
    "whatsapp": {
        "attempted": FEEDBACK,
        "sent": FEEDBACK,
        "delivered": FEEDBACK,
        "opened": TRACKING,
        "clicked": TRACKING,
        "bounced": FEEDBACK,
        "dropped": FEEDBACK,
        "failed": FEEDBACK,
        "undeliverable": FEEDBACK,
    },
}

# XDM's measures (adobe/xdm direct-marketing.schema.json) of messages to a person.
MEASURES: dict[str, dict[str, str]] = {
    "email": {
        "sent": "sends",
        "delivered": "emailDelivered",
        "opened": "opens",
        "clicked": "clicks",
        "unsubscribed": "unsubscriptions",
        "bounced": "bounces",
        "dropped": "excludes",
        "spammed": "userComplaints",
        "undeliverable": "notSent",
    },
    "push": {
        "sent": "sends",
        "opened": "opens",
        "clicked": "clicks",
        "bounced": "bounces",
        "dropped": "excludes",
        "undeliverable": "notSent",
    },
    "in_app": {
        "sent": "sends",
        "opened": "impressions",
        "clicked": "clicks",
        "undeliverable": "notSent",
    },
    "sms": {
        "sent": "sends",
        "clicked": "clicks",
        "bounced": "bounces",
        "dropped": "excludes",
        "undeliverable": "notSent",
    },
    "whatsapp": {
        "sent": "sends",
        "opened": "opens",
        "clicked": "clicks",
        "bounced": "bounces",
        "dropped": "excludes",
        "undeliverable": "notSent",
    },
}

CHANNELS = {
    "email": ("https://ns.adobe.com/xdm/channels/email", "email"),
    "sms": ("https://ns.adobe.com/xdm/channels/sms", "messaging"),
    "push": ("https://ns.adobe.com/xdm/channels/push", "mobile"),
    "in_app": ("https://ns.adobe.com/xdm/channels/inapp", None),
}


def source_of(family: str, metric: str) -> dict[str, Any]:
    return customer(metric) if family == "customer" else message(family, metric)


def test_the_tables_name_published_kinds_only() -> None:
    for table in (EVENT_TYPES, MEASURES):
        assert {(f, m) for f, metrics in table.items() for m in metrics} <= PUBLISHED.keys()


@pytest.mark.parametrize(("family", "metric"), list(PUBLISHED))
def test_event_type_is_xdm_s_own_where_one_fits(family: str, metric: str) -> None:
    own = f"customerio.{family}.{metric}"

    found = mapped(source_of(family, metric))["eventType"]

    assert found == EVENT_TYPES.get(family, {}).get(metric, own)


def test_every_event_type_of_xdm_s_is_in_xdm_s_list() -> None:
    known = compose()["properties"]["eventType"]["meta:enum"]

    assert {value for metrics in EVENT_TYPES.values() for value in metrics.values()} <= set(known)


@pytest.mark.parametrize(("family", "metric"), pairs())
def test_a_message_to_a_person_counts_once_where_xdm_counts_it(family: str, metric: str) -> None:
    counted = dict(mapped(message(family, metric)).get("directMarketing", {}))
    counted.pop("messageID", None)

    measure = MEASURES.get(family, {}).get(metric)
    assert counted == ({measure: {"value": 1}} if measure else {})


@pytest.mark.parametrize("channel", ["customer", "email"])
@pytest.mark.parametrize(
    ("metric", "counted"), [("subscribed", {"marketingSubscription": {"value": 1}}),
                            ("unsubscribed", {})],
)  # fmt: skip
def test_a_person_s_opting_in_counts_and_opting_out_does_not_count_twice(
    channel: str, metric: str, counted: dict[str, Any]
) -> None:
    assert mapped(customer(metric, channel)).get("directMarketing", {}) == counted


@pytest.mark.parametrize(("family", "metric"), pairs())
def test_the_message_id_is_the_delivery_s_and_for_e_mail_only(family: str, metric: str) -> None:
    found = mapped(message(family, metric)).get("directMarketing", {}).get("messageID")

    assert found == ("RPILAgUBcRhI==" if family == "email" else None)


@pytest.mark.parametrize("family", [*MESSAGES, "customer", "fax"])
def test_the_channel_is_one_that_adobe_names(family: str) -> None:
    record = mapped(event(family, "sent", {}))

    wanted, kind = CHANNELS.get(family, (None, None))
    expected = {"_id": wanted, "_type": f"https://ns.adobe.com/xdm/channel-types/{kind}"}
    if kind is None:
        del expected["_type"]
    assert record.get("channel") == (expected if wanted else None)


def test_a_push_opened_launches_the_app_and_one_clicked_is_an_action() -> None:
    assert mapped(message("push", "opened"))["pushNotificationTracking"] == {"isLaunch": True}
    assert mapped(message("push", "clicked"))["pushNotificationTracking"] == {
        "customAction": {"actionID": "1"}
    }
    for family, metric in pairs():
        if (family, metric) not in (("push", "opened"), ("push", "clicked")):
            assert "pushNotificationTracking" not in mapped(message(family, metric))


def test_the_action_taken_in_an_app_is_kept_and_nowhere_else() -> None:
    assert mapped(message("in_app", "clicked"))["inappMessageTracking"] == {"action": "accept"}
    for family, metric in pairs():
        if (family, metric) != ("in_app", "clicked"):
            assert "inappMessageTracking" not in mapped(message(family, metric))


@pytest.mark.parametrize(
    ("variant", "code"),
    [
        ("campaign", "campaign-23"),
        ("newsletter", "newsletter-11"),
        ("broadcast", "broadcast-9"),
        # No campaign sent it.
        ("transactional", None),
    ],
)
def test_the_tracking_code_tells_the_campaign(variant: str, code: str | None) -> None:
    found = mapped(message("email", "sent", variant)).get("marketing", {})

    assert found == ({"trackingCode": code} if code else {})


def test_a_null_id_is_no_campaign_but_tells_the_variant_still() -> None:
    record = mapped(event("email", "sent", {"campaign_id": None}))

    assert "marketing" not in record
    assert tenant(record)["variant"] == "campaign"


def test_of_two_variants_the_one_with_an_id_counts() -> None:
    record = mapped(event("email", "sent", {"newsletter_id": None, "campaign_id": 23}))

    assert record["marketing"] == {"trackingCode": "campaign-23"}
    assert tenant(record)["variant"] == "campaign"


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("family", "metric"), pairs())
def test_every_message_kind_of_every_variant_keeps_all_its_fields(
    family: str, metric: str, variant: str
) -> None:
    source = message(family, metric, variant)

    kept = tenant(mapped(source))

    assert kept["object_type"] == family
    assert kept["metric"] == metric
    assert kept["variant"] == variant
    assert set(source["data"]) <= set(kept)
    assert "other" not in kept
    assert kept.get("recipients") == source["data"].get("recipients")


@pytest.mark.parametrize(
    ("event_type", "family", "metric", "xdm"),
    [
        ("email_sent", "email", "sent", "directMarketing.emailSent"),
        ("email_unsubscribed", "email", "unsubscribed", "directMarketing.emailUnsubscribed"),
        ("email_drafted", "email", "drafted", "customerio.email.drafted"),
        ("in_app_opened", "in_app", "opened", "inappmessageTracking.display"),
        ("push_sent", "push", "sent", FEEDBACK),
        ("fax_half_sent", "fax", "half_sent", "customerio.fax.half_sent"),
    ],
)
def test_a_kind_of_before_2020_is_the_same_kind(
    event_type: str, family: str, metric: str, xdm: str
) -> None:
    record = mapped(legacy(event_type))

    assert record["eventType"] == xdm
    assert (tenant(record)["object_type"], tenant(record)["metric"]) == (family, metric)
