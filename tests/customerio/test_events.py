"""The names of events, against the table of what Customer.io publishes (customerio.md sections 4
and 10)."""

from __future__ import annotations

import pytest

from app.core.published import PUBLISHED
from app.customerio.events import ALL, EVENTS, FAMILIES, PREFERENCES, events_of, kind_of


def test_there_are_72_names_and_each_is_of_one_family() -> None:
    listed = [name for names in EVENTS.values() for name in names]
    assert (len(listed), len(ALL)) == (72, 72)
    assert {family: len(names) for family, names in EVENTS.items()} == {
        "customer": 3, "email": 14, "in_app": 8, "push": 11,
        "slack": 6, "sms": 11, "whatsapp": 12, "webhook": 7,
    }  # fmt: skip


def test_the_names_are_those_of_the_kinds_that_are_published() -> None:
    """Slack's undeliverable has a schema, and is missing from what can be subscribed to."""
    assert {kind_of(name) for name in ALL} == set(PUBLISHED) - {("slack", "undeliverable")}


def test_a_name_is_split_as_it_is_on_the_wire() -> None:
    assert kind_of("in_app_clicked") == ("in_app", "clicked")
    assert kind_of(PREFERENCES) == ("customer", "cio_subscription_preferences_changed")
    for unknown in ("email", "slack_undeliverable", "email_sent ", "in_app"):
        with pytest.raises(ValueError, match="no event"):
            kind_of(unknown)


def test_events_of_families() -> None:
    assert events_of(["slack", "customer"]) == EVENTS["slack"] + EVENTS["customer"]
    assert set(events_of(FAMILIES)) == ALL
    with pytest.raises(KeyError):
        events_of(["fax"])
