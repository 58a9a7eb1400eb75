"""Lines of failed files: whose record, and why (platform.md section 6.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.platform import read_failed_line

RECORD = {"_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ", "timestamp": "2023-11-14T22:13:20Z", "a": 1}
SENT = {"header": {"imsOrgId": "X@AdobeOrg"}, "body": {"xdmMeta": {}, "xdmEntity": RECORD}}
DCVS = {
    "_streamingValidation": [{"code": "DCVS-1106-400", "message": "required key [x] not found"}]
}
AT = "#/commerce/order/currencyCode: string [eur] does not match pattern ^[A-Z]{3}$"
NESTED = [
    {
        "keyword": "format",
        "pointerToViolation": "#/timestamp",
        "schemaLocation": "#/properties/timestamp",
        "message": "no date-time",
        "causingExceptions": [],
    }
]


@pytest.mark.parametrize(
    ("errors", "code", "path"),
    [
        ({"_errors": DCVS}, "DCVS-1106-400", ""),
        (
            {"_errors": {"_streamingValidation": [{"code": "DCVS-1103-400", "message": AT}]}},
            "DCVS-1103-400",
            "/commerce/order/currencyCode",
        ),
        ({"_validationErrors": NESTED}, "format", "/timestamp"),
        ({}, "no_reason", ""),
        ({"_errors": None}, "refused", ""),
        ({"_errors": "garbage"}, "refused", ""),
    ],
)
def test_a_message_in_its_envelope_gives_record_and_reason(
    errors: dict[str, Any], code: str, path: str
) -> None:
    found = read_failed_line(json.dumps({**SENT, **errors}).encode())

    assert (found.event_id, found.timestamp) == (RECORD["_id"], 1_700_000_000)
    assert json.loads(found.record or b"") == RECORD
    assert found.body == b""
    assert (found.problem.code, found.problem.path) == (code, path)


def test_errors_inside_the_record_are_read_and_are_no_part_of_it() -> None:
    line = {"body": {"xdmEntity": {**RECORD, "_errors": DCVS}}}
    found = read_failed_line(json.dumps(line).encode())
    assert found.problem.code == "DCVS-1106-400"
    assert json.loads(found.record or b"") == RECORD


def test_a_bare_record_is_one_too() -> None:
    found = read_failed_line(json.dumps({**RECORD, "_errors": DCVS}).encode())
    assert (found.event_id, found.problem.code) == (RECORD["_id"], "DCVS-1106-400")
    assert json.loads(found.record or b"") == RECORD


def test_of_a_raw_message_the_event_itself_is_left() -> None:
    event = {"event_id": "e1", "metric": "sent", "object_type": "email", "timestamp": 7, "data": {}}
    found = read_failed_line(json.dumps({**event, "_errors": DCVS}).encode())
    assert (found.event_id, found.timestamp, found.record) == ("e1", 7, None)
    assert json.loads(found.body) == event


def test_a_row_of_diagnostics_names_its_column() -> None:
    event = {"event_id": "e1", "metric": "sent", "object_type": "email", "timestamp": 7, "data": {}}
    errors = [{"column": "_acme.count", "code": "MAPPER-3700-400", "message": "no source"}]
    line = {**event, "_errors": errors, "_filename": "conversion_errors_0.json"}
    found = read_failed_line(json.dumps(line).encode())
    assert found.problem == ("MAPPER-3700-400", "no source", "/_acme/count")
    assert json.loads(found.body) == event


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b"[1]",
        b"{}",
        b'{"body":3}',
        b'{"_id":7}',
        b'{"_id":"' + b"x" * 300 + b'"}',
    ],
)
def test_a_line_that_names_no_event_is_told_as_such(line: bytes) -> None:
    found = read_failed_line(line)
    assert (found.event_id, found.body, found.record) == ("", b"", None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["_id", "body", "xdmEntity", "_errors", "event_id", "message", "code"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(value=json_values)
def test_no_line_whatever_raises(value: Any) -> None:
    read_failed_line(json.dumps(value).encode())
