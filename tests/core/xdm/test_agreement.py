"""Our check beside an independent validator (the jsonschema package) on the same document."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from app.core.xdm import compile_schema, compose, fill_schema

DOCUMENT = fill_schema(compose(), {"TENANT": "acme"})
SCHEMA = compile_schema(DOCUMENT)
INDEPENDENT = Draft7Validator(DOCUMENT, format_checker=Draft7Validator.FORMAT_CHECKER)
NOW = 1_700_000_000.0

# What both validators know; the rest are rules of our own, stricter than the schema.
SCHEMA_WORDS = {
    "type", "required", "enum", "additionalProperties", "minimum", "maximum", "maxLength",
}  # fmt: skip

# A record that uses something of every part of the schema.
RECORD: dict[str, Any] = {
    "_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ",
    "timestamp": "2023-11-14T22:13:20.000Z",
    "eventType": "directMarketing.emailSent",
    "producedBy": "system",
    "identityMap": {
        "Email": [{"id": "ada@example.com", "authenticatedState": "ambiguous", "primary": False}],
        "CioId": [{"id": "03000001", "primary": True}, {"id": "03000002"}],
        "ECID": [{"id": "87098882279810196101440938110216748923"}],
    },
    "directMarketing": {"sends": {"id": "x", "value": 1}, "messageID": "m1"},
    "pushNotificationTracking": {"customAction": {"value": 0.5}, "isLaunch": True},
    "channel": {
        "_id": "https://ns.adobe.com/xdm/channels/email",
        "_type": "https://ns.adobe.com/xdm/channel-types/email",
        "mode": "push",
        "contentTypes": ["https://ns.adobe.com/xdm/content-types/email"],
    },
    "marketing": {"trackingCode": "c-5"},
    "_acme": {
        "customerio": {
            "event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ",
            "variant": "campaign",
            "machine": False,
            "identifiers": {"id": "0200"},
            "recipients": [{"device_id": "t1"}, {"device_id": "t2"}],
            "headers": [{"name": "X-A", "values": ["1", "2"]}],
        }
    },
}

TEXTS = st.text() | st.sampled_from(
    ["", " ", "null", "push", "a:b", "a b", "http://[", "//", "é", "%zz", "#", "http://x y",
     "2023-11-14T22:13:20Z", "2023-11-14t22:13:20z", "2023-02-30T00:00:00Z", "2023-11-14",
     "2023-11-14T22:13:20.1234567890Z", "2023-11-14T22:13:20+02:00", "2016-12-31T23:59:60Z",
     "2023-11-14T24:00:00Z", "2023-11-14T22:13:20+24:00", "0000-01-01T00:00:00Z"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=4,
)


MANY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every object or array in a record with each of its keys."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        steps = value if isinstance(value, dict) else range(len(value))
        for step in steps:
            found += [(value, step), *places(value[step])]
    return found


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """The record above, changed in up to three places: a value, a key less, a key more."""
    record = copy.deepcopy(RECORD)
    for _ in range(draw(st.integers(0, 3))):
        holder, step = draw(st.sampled_from(places(record)))
        change = draw(st.sampled_from(["value", "value", "less", "more"]))
        if change == "value":
            holder[step] = draw(VALUES)
        elif change == "less":
            del holder[step]
        elif isinstance(holder, dict):
            holder[draw(st.sampled_from([*RECORD, "id", "more"]) | st.text())] = draw(VALUES)
        else:
            holder.append(draw(VALUES))
    return record


def test_the_record_that_is_changed_is_good() -> None:
    assert SCHEMA.check(RECORD, NOW) == ()
    assert INDEPENDENT.is_valid(RECORD)


@MANY
@given(record=records())
@example(record=RECORD | {"timestamp": "2016-12-31T23:59:60Z"})
@example(record=RECORD | {"timestamp": "2023-11-14T22:13:20+24:00"})
@example(record=RECORD | {"_id": "//"})
@example(record=RECORD | {"_id": "http://["})
@example(record=RECORD | {"channel": {"_id": "a", "_type": "http://x y"}})
def test_whatever_passes_our_check_passes_an_independent_validator(record: dict[str, Any]) -> None:
    if not SCHEMA.check(record, NOW):
        errors = [(list(error.path), error.validator) for error in INDEPENDENT.iter_errors(record)]
        assert errors == []


@MANY
@given(record=records())
def test_what_we_refuse_by_the_schema_an_independent_validator_refuses(
    record: dict[str, Any],
) -> None:
    if {violation.keyword for violation in SCHEMA.check(record, NOW)} & SCHEMA_WORDS:
        assert not INDEPENDENT.is_valid(record)


@MANY
@given(record=records())
def test_the_quick_check_passes_nothing_that_a_closer_look_finds(record: dict[str, Any]) -> None:
    """Two validators: one says yes or no, one names. `_look_closer` asks the second alone."""
    assert SCHEMA.check(record, NOW) == SCHEMA._look_closer(record, NOW)
