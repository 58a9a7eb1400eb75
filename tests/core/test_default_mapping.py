"""The default mapping set and its schema belong together: what one writes the other takes."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.dataprep import compile_mapping_set
from app.core.errors import MappingFailed
from tests.core.dataprep.default_set import CONFIG, VARIABLES, default_set, read
from tests.core.dataprep.kinds import VARIANTS, customer, event, message, pairs

FIXTURES = Path(__file__).parents[1] / "fixtures" / "customerio"
BODIES = sorted(p for p in FIXTURES.iterdir() if p.suffix in (".json", ".raw"))
SET, SCHEMA = default_set()
NOW = 1_900_000_000.0


def mapped(source: dict[str, Any]) -> dict[str, Any]:
    """The record of an event that maps without a warning to a valid record."""
    before = copy.deepcopy(source)
    record, warnings = SET.transform(source)
    assert warnings == ()
    assert SCHEMA.check(record, NOW) == ()
    assert source == before
    return record


def tenant(record: dict[str, Any]) -> dict[str, Any]:
    return record["_acme"]["customerio"]


@pytest.mark.parametrize("body", BODIES, ids=lambda p: p.stem)
def test_every_published_body_makes_a_valid_record(body: Path) -> None:
    source = json.loads(body.read_bytes())

    record = mapped(source)

    assert record["_id"] == source["event_id"]
    assert tenant(record)["metric"] == source["metric"]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("family", "metric"), pairs())
def test_every_message_kind_of_every_variant_keeps_all_its_fields(
    family: str, metric: str, variant: str
) -> None:
    source = message(family, metric, variant)

    record = mapped(source)

    kept = tenant(record)
    assert kept["object_type"] == family
    assert kept["metric"] == metric
    assert kept["variant"] == variant
    assert set(source["data"]) <= set(kept)
    assert kept.get("recipients") == source["data"].get("recipients")


def test_the_set_needs_no_types_for_what_is_published() -> None:
    document = read("mappings/customerio-default.json")
    untyped = compile_mapping_set(document, VARIABLES)

    for family, metric in pairs():
        for variant in VARIANTS:
            source = message(family, metric, variant)
            assert untyped.transform(source) == SET.transform(source)


def test_every_published_pair_is_covered() -> None:
    # 66 message pairs with a schema, and email deferred, sms dropped, slack and webhook converted.
    assert len(pairs()) == 70


@pytest.mark.parametrize(
    ("family", "metric", "event_type"),
    [
        ("email", "sent", "directMarketing.emailSent"),
        ("email", "delivered", "directMarketing.emailDelivered"),
        ("email", "opened", "directMarketing.emailOpened"),
        ("email", "clicked", "directMarketing.emailClicked"),
        ("email", "bounced", "directMarketing.emailBounced"),
        ("email", "unsubscribed", "directMarketing.emailUnsubscribed"),
        ("email", "spammed", "customerio.email.spammed"),
        ("push", "opened", "pushTracking.applicationOpened"),
        ("push", "clicked", "pushTracking.customAction"),
        ("in_app", "opened", "inappmessageTracking.display"),
        ("in_app", "clicked", "inappmessageTracking.interact"),
        ("whatsapp", "replied", "customerio.whatsapp.replied"),
    ],
)
def test_event_type_is_xdm_s_own_where_one_fits(family: str, metric: str, event_type: str) -> None:
    assert mapped(message(family, metric))["eventType"] == event_type


@pytest.mark.parametrize("metric", ["subscribed", "unsubscribed"])
@pytest.mark.parametrize("channel", ["customer", "email", "sms"])
def test_a_person_s_subscription_is_told_from_a_message_by_its_data(
    channel: str, metric: str
) -> None:
    record = mapped(customer(metric, channel))

    assert record["eventType"] == f"customerio.customer.{metric}"
    assert tenant(record)["object_type"] == channel
    assert tenant(record)["email_address"] == "test@example.com"


@pytest.mark.parametrize("key", ["object_type", "object_type_type", "delivery_type"])
def test_a_preference_change_is_parsed_under_each_spelling_of_the_family_s_key(key: str) -> None:
    content = '{"topics":{"topic_1":true,"topic_2":false},"channels":{"email":false}}'
    source = customer("cio_subscription_preferences_changed", content=content, newsletter_id=4)
    source[key] = source.pop("object_type")

    record = mapped(source)

    assert record["eventType"] == "customerio.customer.cio_subscription_preferences_changed"
    assert tenant(record)["object_type"] == "customer"
    assert tenant(record)["content"] == content
    assert tenant(record)["preferences"] == {
        "topics": [
            {"id": "topic_1", "subscribed": True},
            {"id": "topic_2", "subscribed": False},
        ],
        "channels": [{"id": "email", "subscribed": False}],
    }


def test_a_missing_family_on_a_preference_change_does_not_kill_the_event() -> None:
    source = customer("cio_subscription_preferences_changed")
    del source["object_type"]

    assert tenant(mapped(source))["object_type"] == "customer"


def test_preferences_that_are_not_json_leave_a_warning_and_the_text() -> None:
    source = customer("cio_subscription_preferences_changed", content="{oops")

    record, warnings = SET.transform(source)

    assert [w.path for w in warnings] == [
        "_acme.customerio.preferences.topics",
        "_acme.customerio.preferences.channels",
    ]
    assert tenant(record)["content"] == "{oops"
    assert "oops" not in str(warnings)
    assert SCHEMA.check(record, NOW) == ()


def test_unknown_families_and_metrics_map_too() -> None:
    record = mapped(event("fax", "shredded", {"delivery_id": "d", "new_field": {"a": [1]}}))

    assert record["eventType"] == "customerio.fax.shredded"
    assert tenant(record)["delivery_id"] == "d"


def test_ids_become_texts_whatever_the_vendor_sends() -> None:
    kept = tenant(mapped(message("sms", "sent", "broadcast")))

    assert kept["journey_id"] == "15"
    assert kept["action_id"] == "42"


def test_headers_become_a_list_that_xdm_can_hold() -> None:
    kept = tenant(mapped(message("email", "sent")))

    assert kept["headers"] == [{"name": "X-A", "values": ["1", "2"]}]


def test_nulls_and_empties_are_left_out() -> None:
    data = {"campaign_id": None, "subject": "", "identifiers": {"id": None}, "recipients": [{}]}

    record = mapped(event("email", "sent", data))

    assert "identityMap" not in record
    assert set(tenant(record)) == {"event_id", "object_type", "metric", "variant"}


IDS = {"cio_id": "c1", "id": "42", "email": " A@B.example "}


@pytest.mark.parametrize(
    ("identifiers", "primary"),
    [
        (IDS, "CustomerioCioId"),
        ({**IDS, "cio_id": ""}, "CustomerioId"),
        ({"id": 42}, "CustomerioId"),
        ({"id": None, "email": "a@b.example"}, "Email"),
        ({"id": "null", "cio_id": "anonymous", "email": "a@b.example"}, "Email"),
        ({"id": "", "email": "+15551234567"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_exactly_one_identity_is_primary_cio_id_before_id_before_email(
    identifiers: Any, primary: str | None
) -> None:
    data = {"identifiers": identifiers, "recipient": "+15551234567"}

    identities = mapped(event("sms", "sent", data)).get("identityMap", {})

    assert [n for n, [one] in identities.items() if one["primary"]] == [primary][: bool(primary)]
    assert all(one["authenticatedState"] == "ambiguous" for [one] in identities.values())


def test_the_email_identity_is_lower_case_and_never_the_recipient() -> None:
    identities = mapped(event("email", "sent", {"identifiers": IDS, "recipient": "z@z.example"}))

    assert identities["identityMap"]["Email"][0]["id"] == "a@b.example"


def test_a_body_without_identifiers_is_known_by_its_customer_id() -> None:
    record = mapped(event("email", "sent", {"customer_id": "1"}))

    assert record["identityMap"]["CustomerioId"][0] == {
        "id": "1", "authenticatedState": "ambiguous", "primary": True,
    }  # fmt: skip


@pytest.mark.parametrize("event_id", ["a:b", "a b", "ä", "a\nb", "01E4\n"])
def test_an_event_id_that_no_uri_may_hold_is_hashed_the_same_way_every_time(event_id: str) -> None:
    source = message("email", "sent") | {"event_id": event_id}

    record = mapped(source)

    assert re.fullmatch("[0-9a-f]{64}", record["_id"])
    assert record == mapped(source)
    assert tenant(record)["event_id"] == event_id


@pytest.mark.parametrize("timestamp", [None, "soon", 10**18, True, [], "absent"])
def test_an_event_whose_time_cannot_be_told_fails_naming_the_row(timestamp: Any) -> None:
    source = message("email", "sent") | {"timestamp": timestamp}
    if timestamp == "absent":
        del source["timestamp"]

    with pytest.raises(MappingFailed) as failed:
        SET.transform(source)

    assert failed.value.path == "timestamp"
    assert failed.value.row.startswith("#2 EXPRESSION dformat(")
    assert "soon" not in str(failed.value)


def test_the_examples_of_the_set_come_out_as_written() -> None:
    examples = read("mappings/examples/customerio-default.json")

    assert examples["variables"] == VARIABLES
    for example in examples["examples"]:
        assert mapped(example["in"]) == example["out"], example["name"]


def test_the_set_is_adobe_s_language_and_names_no_variable_but_ours() -> None:
    text = (CONFIG / "mappings/customerio-default.json").read_text()

    assert set(re.findall(r"\{([A-Z_]+)\}", text)) == set(VARIABLES)
    assert all(len(str(row.source)) <= 4096 for row in SET.rows)


def test_the_schema_knows_exactly_the_places_that_the_set_writes() -> None:
    everything: set[str] = set()
    sources = [message(f, m, v) for f, m in pairs() for v in VARIANTS] + [
        customer("subscribed"),
        customer("cio_subscription_preferences_changed", content='{"topics":{"a":true}}'),
    ]
    for source in sources:
        everything |= set(tenant(mapped(source)))

    known = read("schemas/customerio-events.json")["properties"]["_{TENANT}"]["properties"]
    assert set(known["customerio"]["properties"]) == everything


# fmt: off
NAMES = st.sampled_from([
    "identifiers", "id", "email", "cio_id", "customer_id", "delivery_id", "action_id", "subject",
    "journey_id", "recipients", "recipient", "device_id", "content", "headers", "link_id",
    "machine", "topics", "channels", "x",
])
# fmt: on
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=25,
)


def empties(value: Any) -> bool:
    """Is there a null or an empty anywhere?"""
    if isinstance(value, dict | list):
        children = value.values() if isinstance(value, dict) else value
        return not value or any(map(empties, children))
    return value is None or value == ""


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    data=st.dictionaries(NAMES, JSON, max_size=8) | JSON,
    metric=st.sampled_from(["sent", "cio_subscription_preferences_changed", "subscribed"]) | JSON,
    family=st.sampled_from(["email", "push"]) | JSON,
)
def test_any_data_gives_a_record_without_empties_that_is_valid_or_has_named_faults(
    data: Any, metric: Any, family: Any
) -> None:
    source = event(family, metric, data)
    before = repr(source)

    record, warnings = SET.transform(source)

    assert repr(source) == before
    assert not empties(record)
    assert all(w.row and w.path and w.detail for w in warnings)
    assert all(v.path and v.keyword for v in SCHEMA.check(record, NOW))
    assert SET.transform(source) == (record, warnings)


@settings(max_examples=100, deadline=None)
@given(source=st.dictionaries(st.sampled_from(["event_id", "timestamp", "data"]), JSON))
def test_any_object_gives_a_record_or_a_listed_fault(source: dict[str, Any]) -> None:
    try:
        record, _ = SET.transform(source)
    except MappingFailed as fault:
        assert fault.path in ("_id", "timestamp")
    else:
        assert {"_id", "timestamp"} <= record.keys()
