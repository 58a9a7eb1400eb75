"""The default mapping set and its schema belong together: what one writes the other takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import MappingFailed
from app.core.event import parse_event
from app.core.published import LEGACY, PUBLISHED
from app.sandbox.traffic import every_kind, generate
from tests.core.dataprep.default_set import NOW, compiled, mapped, tenant
from tests.core.dataprep.kinds import customer, event, legacy, message

FIXTURES = Path(__file__).parents[1] / "fixtures" / "customerio"
BODIES = sorted(p for p in FIXTURES.iterdir() if p.suffix in (".json", ".raw"))
SET, SCHEMA = compiled()
PATHS = {path for paths in (*PUBLISHED.values(), LEGACY) for path in paths}


@pytest.mark.parametrize("body", BODIES, ids=lambda p: p.stem)
def test_every_known_body_makes_a_valid_record(body: Path) -> None:
    event = parse_event(body.read_bytes())

    record = mapped(event.document)

    assert record["_id"] == event.event_id
    assert (tenant(record)["object_type"], tenant(record)["metric"]) == (event.family, event.metric)
    assert "other" not in tenant(record)


def test_every_body_of_the_sandbox_makes_a_valid_record_that_knows_all_its_fields() -> None:
    for body in [*every_kind(1), *generate(5, 1_000), *generate(6, 100, body_bytes=2_048)]:
        event = parse_event(body)

        record = mapped(event.document)

        assert record["_id"] == event.event_id
        assert "other" not in tenant(record)
        assert "other" not in tenant(record).get("identifiers", {})


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
    record = mapped(event("fax", "shredded", {"delivery_id": "d"}))

    assert record["eventType"] == "customerio.fax.shredded"
    assert (tenant(record)["object_type"], tenant(record)["metric"]) == ("fax", "shredded")
    assert tenant(record)["delivery_id"] == "d"
    assert "directMarketing" not in record


def test_unknown_fields_are_kept_as_texts() -> None:
    fields = {
        "text": "a", "whole": 7, "half": 0.5, "flag": False, "list": [1, {"b": 2}],
        "object": {"b": [1], "a": "ä"}, "null": None, "empty": "", "with.dot": "d",
    }  # fmt: skip

    kept = tenant(mapped(event("email", "sent", {"subject": "s", **fields})))

    assert kept["other"] == {
        "text": "a", "whole": "7", "half": "0.5", "flag": "false", "list": '[1,{"b":2}]',
        "object": '{"a":"ä","b":[1]}', "with.dot": "d",
    }  # fmt: skip


def test_unknown_identifiers_are_kept_and_are_no_identity() -> None:
    record = mapped(event("sms", "sent", {"identifiers": {"id": "42", "phone": "+12025550143"}}))

    assert tenant(record)["identifiers"] == {"id": "42", "other": {"phone": "+12025550143"}}
    assert list(record["identityMap"]) == ["CustomerioId"]


@pytest.mark.parametrize("good", [0, 150])
def test_a_hundred_thousand_wrong_items_are_told_as_a_few(
    good: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker stood still for seconds while an error object was made for each."""
    made = 0
    usual = jsonschema_rs.ValidationError.__init__

    def counted(self: Any, *given: Any, **more: Any) -> None:
        nonlocal made
        made += 1
        usual(self, *given, **more)

    monkeypatch.setattr(jsonschema_rs.ValidationError, "__init__", counted)
    people = [{"device_id": "d"}] * good + ["nobody"] * 100_000
    record, _ = SET.transform(event("email", "sent", {"recipients": people}))

    violations = SCHEMA.check(record, NOW)

    assert 1 <= len(violations) <= 5
    assert violations[0].path == f"/_acme/customerio/recipients/{good}"
    assert 0 < made <= 100


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
    assert set(tenant(record)) == {"event_id", "object_type", "metric", "variant", "mapping"}


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


@pytest.mark.parametrize(
    "recipient", ["+12025550143", "#general", "https://hook.example/x", "a@b.example"]
)
@pytest.mark.parametrize("identifiers", [None, {}, {"id": "", "email": None, "cio_id": "null"}])
def test_a_recipient_is_never_an_identity(recipient: str, identifiers: Any) -> None:
    data = {"identifiers": identifiers, "recipient": recipient, "to": recipient}

    assert "identityMap" not in mapped(event("sms", "replied", data))


@pytest.mark.parametrize(
    ("address", "identity"),
    [
        ("customer@example.com", "customer@example.com"),
        (" Customer@Example.COM ", "customer@example.com"),
        ("Jane Doe <Jane@example.com>", "jane@example.com"),
        ('"Doe, Jane" <jane@example.com>', "jane@example.com"),
        ("<jane@example.com>", "jane@example.com"),
        ("Jane", None),
        ("Jane <jane>", None),
        ("Jane <a@b.example> <c@d.example> and more", None),
        ("a@b.example, c@d.example", None),
        ("+12025550143", None),
        ("", None),
        (None, None),
    ],
)
def test_an_email_identity_is_a_bare_or_a_named_address(address: Any, identity: str | None) -> None:
    record = mapped(legacy("email_sent", email_address=address))

    found = [one["id"] for one in record["identityMap"].get("Email", [])]
    assert found == ([identity] if identity else [])
    assert record["identityMap"]["CustomerioId"][0]["primary"] is True


def test_old_bodies_name_the_person_in_their_variables_at_least() -> None:
    variables = {"customer": {"id": 7, "email": "Jane@example.com", "plan": "gold"}}

    record = mapped(legacy("email_sent", customer_id=None, email_address=None, variables=variables))

    assert {n: one["id"] for n, [one] in record["identityMap"].items()} == {
        "CustomerioId": "7", "Email": "jane@example.com",
    }  # fmt: skip
    assert "gold" not in str(record)


def test_an_old_body_keeps_all_its_fields() -> None:
    record = mapped(legacy("email_delivered"))

    assert record["marketing"] == {
        "campaignName": "Trial started", "trackingCode": "campaign-12",
    }  # fmt: skip
    assert tenant(record) == {
        "event_id": "01C9S7G83JJEXG1SZ5QBMXRAS4", "object_type": "email", "metric": "delivered",
        "variant": "campaign", "mapping": "customerio-default 2-example", "customer_id": "42",
        "email_address": "Jane Doe <Jane@example.com>", "campaign_id": "12",
        "delivery_id": "ZI6aBAABYnJ3muVry9xcBjL7Aj", "message_id": "65", "template_id": "35",
        "message_name": "How trials work", "subject": "How trials work",
    }  # fmt: skip


def test_an_old_unsubscription_of_a_person_is_told_from_a_message_s() -> None:
    person = legacy("customer_unsubscribed")
    for name in ("email_id", "subject"):
        del person["data"][name]

    assert mapped(person)["eventType"] == "customerio.customer.unsubscribed"
    assert mapped(legacy("email_unsubscribed"))["eventType"] == "directMarketing.emailUnsubscribed"


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


@pytest.mark.parametrize("timestamp", [None, "soon", 10**18, [], "absent"])
def test_an_event_whose_time_cannot_be_told_fails_naming_the_row(timestamp: Any) -> None:
    source = message("email", "sent") | {"timestamp": timestamp}
    if timestamp == "absent":
        del source["timestamp"]

    with pytest.raises(MappingFailed) as failed:
        SET.transform(source)

    assert failed.value.path == "timestamp"
    assert failed.value.row.startswith("#2 EXPRESSION dformat(")
    assert "soon" not in str(failed.value)


def test_a_record_says_which_version_of_the_set_made_it() -> None:
    assert tenant(mapped(message("email", "sent")))["mapping"] == "customerio-default 2-example"


# Every name in `data`, and values of other kinds than the vendor's schema says.
FIELDS = sorted({path.split(".")[1].removesuffix("[*]") for path in PATHS if "." in path})
ODD: list[Any] = [None, "", 0, 7, 1.5, True, "x", [], {}, [1], ["x"], {"a": 1}, [{"a": [None]}]]


# Where else a field goes than to the place of its name.
HOMES = {
    "content": "content|preferences", "delivery_id": "delivery_id|messageID",
    "email_id": "delivery_id|messageID", "link_id": "link_id|actionID",
    "campaign_name": "campaignName",
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_another_kind_makes_a_valid_record_or_a_fault_that_names_it(
    name: str, odd: Any
) -> None:
    for source in (
        message("email", "clicked"),
        customer("cio_subscription_preferences_changed"),
        legacy("email_sent"),
    ):
        source["data"][name] = odd

        record, warnings = SET.transform(source)

        faults = [w.path for w in warnings] + [v.path for v in SCHEMA.check(record, NOW)]
        assert all(re.search(rf"\b({HOMES.get(name, name)})\b", fault) for fault in faults)


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("name", ["id", "email", "cio_id", "phone"])
def test_an_identifier_of_another_kind_makes_a_valid_record_or_a_fault_that_names_it(
    name: str, odd: Any
) -> None:
    record, warnings = SET.transform(event("email", "sent", {"identifiers": {name: odd}}))

    assert warnings == ()
    faults = SCHEMA.check(record, NOW)
    assert all(re.search(f"/identifiers/{name}|/identityMap/", fault.path) for fault in faults)


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
