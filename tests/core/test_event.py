"""Reading Customer.io's envelope: five keys are trusted, and the family's three spellings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import UnreadableEvent
from app.core.event import parse_event, peek_event

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "customerio").glob("*-*.*"))
GOOD = {"event_id": "e", "object_type": "email", "metric": "sent", "timestamp": 1, "data": {}}


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_every_published_body_is_read(path: Path) -> None:
    event = parse_event(path.read_bytes())
    if path.stem.startswith("legacy-"):
        assert event.kind == event.document["event_type"].replace("_", ".")
    else:
        assert event.kind == f"{event.document['object_type']}.{event.document['metric']}"
    assert event.is_send_test == (path.suffix == ".raw")
    assert peek_event(path.read_bytes()) == (event.event_id, event.kind)


@pytest.mark.parametrize("key", ["object_type", "object_type_type", "delivery_type"])
def test_a_family_is_found_under_each_of_its_spellings(key: str) -> None:
    document = {k: v for k, v in GOOD.items() if k != "object_type"} | {key: "push"}
    assert parse_event(json.dumps(document).encode()).family == "push"


def test_a_preference_change_without_a_family_is_a_customer_event() -> None:
    document = GOOD | {"object_type": None, "metric": "cio_subscription_preferences_changed"}
    assert parse_event(json.dumps(document).encode()).family == "customer"


OLD = {"event_id": "e", "event_type": "email_sent", "timestamp": 1, "data": {}}


@pytest.mark.parametrize(
    ("event_type", "family", "metric"),
    [
        ("email_sent", "email", "sent"),
        ("customer_unsubscribed", "customer", "unsubscribed"),
        ("in_app_opened", "in_app", "opened"),
        # Nobody has seen these; the first `_` is as good a mark as any.
        ("fax_half_sent", "fax", "half_sent"),
        ("in_app", "in", "app"),
    ],
)
def test_a_body_of_before_2020_has_family_and_metric_in_one(
    event_type: str, family: str, metric: str
) -> None:
    document = OLD | {"event_type": event_type}

    event = parse_event(json.dumps(document).encode())

    assert (event.family, event.metric) == (family, metric)
    assert event.document == document


def test_the_metric_of_today_wins_over_the_event_type_of_old() -> None:
    event = parse_event(json.dumps(GOOD | {"event_type": "sms_clicked"}).encode())
    assert event.kind == "email.sent"


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"event_id": None}, "event_id_invalid", "event_id is null"),
        ({"event_id": ""}, "event_id_invalid", "a string of 1 to 256"),
        ({"event_id": "x" * 257}, "event_id_invalid", "a string of 1 to 256"),
        ({"metric": 5}, "metric_invalid", "metric is an integer"),
        ({"metric": "", "event_type": "email_sent"}, "metric_invalid", "metric is a string"),
        ({"metric": None, "event_type": "email"}, "event_type_invalid", "such as email_sent"),
        ({"metric": None, "event_type": "email_"}, "event_type_invalid", "such as email_sent"),
        ({"metric": None, "event_type": "_sent"}, "event_type_invalid", "such as email_sent"),
        ({"metric": None, "event_type": 7}, "event_type_invalid", "event_type is an integer"),
        ({"object_type": None}, "object_type_invalid", "object_type is null"),
        ({"object_type": []}, "object_type_invalid", "object_type is an array"),
        ({"timestamp": "1"}, "timestamp_invalid", "timestamp is a string"),
        ({"timestamp": True}, "timestamp_invalid", "timestamp is a boolean"),
        ({"timestamp": 1.5}, "timestamp_invalid", "timestamp is a number"),
        ({"timestamp": 0}, "timestamp_invalid", "positive"),
        ({"data": "x"}, "data_invalid", "data is a string"),
    ],
)
def test_a_fault_names_the_field_and_what_is_wanted(
    change: dict[str, object], code: str, said: str
) -> None:
    with pytest.raises(UnreadableEvent) as caught:
        parse_event(json.dumps(GOOD | change).encode())
    assert caught.value.code == code
    assert said in caught.value.detail


def test_an_absent_field_is_called_absent() -> None:
    with pytest.raises(UnreadableEvent, match="data is absent"):
        parse_event(json.dumps({k: v for k, v in GOOD.items() if k != "data"}).encode())


def test_a_fault_never_quotes_the_body() -> None:
    with pytest.raises(UnreadableEvent) as caught:
        parse_event(b'{"email": "somebody@example.com", oops')
    assert "somebody" not in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    peek_event(body)
    with pytest.raises(UnreadableEvent):
        parse_event(body)


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"event_id":5,"metric":"sent"}', b"nonsense"])
def test_a_look_at_anything_never_fails(body: bytes) -> None:
    assert peek_event(body) == ("", "")


def test_a_look_at_endless_names_is_cut_short() -> None:
    """They stand in every summary of a dead letter, which lists read by the thousand."""
    endless = {**GOOD, "event_id": "e" * 9000, "object_type": "f" * 9000, "metric": "m" * 9000}
    for body in (endless, {**endless, "event_id": "e"}):
        event_id, kind = peek_event(json.dumps(body).encode())
        assert len(event_id) <= 256
        assert len(kind) == 128
