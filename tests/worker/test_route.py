"""A connection's messages: what they say, what is refused, and what is only worth a remark."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from app.core.check import check_mapping_set
from app.core.dataprep import Mapped
from app.core.errors import UnreadableEvent
from app.core.event import Event, parse_event
from tests.worker.conftest import ScriptedLane
from tests.worker.connections import EVENT, SCHEMA, mapping_set, row
from worker.route import RecordRefused, Remarks, Route, Version

NOW = 1_800_000_000.0
RECEIVED_MS = 1_799_999_999_000


def route(*more: dict[str, str]) -> Route:
    """Of the small set and `more` rows."""
    report = check_mapping_set(mapping_set(1, *more), {"TENANT": "acme"}, SCHEMA)
    assert report.problems == ()
    version = Version(report.mapping_set, report.schema)
    return Route("a", ScriptedLane(), version, (b'{"body":', b"}"))


def event(**data: Any) -> Event:
    return parse_event(orjson.dumps({**EVENT, "data": data}))


def message(made: Route, of: Event, remarks: Remarks | None = None) -> bytes:
    return made.message(of, b"the body", RECEIVED_MS, NOW, remarks or Remarks())


def test_a_message_is_the_record_in_its_envelope() -> None:
    made = route()
    found = message(made, event(count=3))
    record = {"_id": "e1", "timestamp": "2023-11-14T22:13:20Z", "_acme": {"count": 3}}
    assert orjson.loads(found) == {"body": record}
    assert orjson.loads(made.record_of(found) or b"") == record


def test_raw_mode_passes_the_body_on_and_has_no_record() -> None:
    made = Route("a", ScriptedLane(), Version(), (b"<", b">"))
    assert message(made, event()) == b"the body"
    assert made.record_of(b"the body") is None
    assert made.version.label == ""


def test_raw_mode_refuses_a_body_nested_too_deeply_to_be_read_everywhere() -> None:
    """Platform's answer to it would be a 500, and hold back all that waits behind it."""
    made = Route("a", ScriptedLane(), Version(), (b"<", b">"))
    for levels, opens, closes in ((197, b'{"a":', b"}"), (900, b"[", b"]"), (900, b'{"a":', b"}")):
        data = b'{"a":' + opens * levels + b"1" + closes * levels + b"}"
        body = orjson.dumps({**EVENT, "data": {}}).replace(b'"data":{}', b'"data":' + data)
        deep = parse_event(body)
        if levels < 200:
            assert made.message(deep, body, RECEIVED_MS, NOW, Remarks()) == body
            continue
        with pytest.raises(UnreadableEvent, match="nested over 200 levels"):
            made.message(deep, body, RECEIVED_MS, NOW, Remarks())


def test_raw_mode_counts_levels_not_brackets() -> None:
    made = Route("a", ScriptedLane(), Version(), (b"<", b">"))
    body = orjson.dumps({**EVENT, "data": {"many": [{}] * 1000, "text": "[" * 1000}})
    assert made.message(parse_event(body), body, RECEIVED_MS, NOW, Remarks()) == body


def test_the_moment_of_receipt_is_what_a_row_means_by_now() -> None:
    made = route(row('concat(now(), "")', "_{TENANT}.text", "EXPRESSION"))
    first, again = message(made, event(count=3)), message(made, event(count=3))
    assert first == again
    assert b"2027-01-15T07:59:59Z" in first


def test_a_refused_record_names_path_row_wanted_and_found() -> None:
    with pytest.raises(RecordRefused) as caught:
        message(route(), event(count=11))
    fault = caught.value
    assert (fault.stage, fault.code, fault.path) == ("check", "maximum", "/_acme/count")
    assert fault.row == "#3 ATTRIBUTE data.count -> _acme.count"
    assert "10" in fault.detail
    assert "11" not in fault.detail
    assert orjson.loads(fault.record or b"")["_acme"] == {"count": 11}


def test_of_several_violations_the_first_is_told_and_the_others_by_their_paths() -> None:
    made = route(row("metric", "eventType"), row("data.count", "_{TENANT}.text"))
    narrow = {**SCHEMA["properties"]["eventType"], "enum": ["opened"]}
    schema = {**SCHEMA, "properties": {**SCHEMA["properties"], "eventType": narrow}}
    report = check_mapping_set(
        mapping_set(1, row("metric", "eventType")), {"TENANT": "acme"}, schema
    )
    made.version = Version(report.mapping_set, report.schema)

    with pytest.raises(RecordRefused) as caught:
        message(made, event(count=11))

    told = {caught.value.path, *caught.value.detail.partition("1 more: ")[2].split(", ")}
    assert told == {"/_acme/count", "/eventType"}


def test_a_failed_row_is_a_remark_and_the_message_goes_out_without_its_field() -> None:
    made = route(row("to_integer(data.text)", "_{TENANT}.text", "EXPRESSION"))
    remarks = Remarks()
    for number in range(3):
        found = message(made, event(count=number, text="ada@example.com"), remarks)
        assert b'"text"' not in found
    [(warning, times)] = remarks.failed.values()
    assert (warning.path, times) == ("_acme.text", 3)
    assert "ada" not in warning.detail


def test_a_record_over_profile_s_limit_is_a_remark_and_goes_out() -> None:
    """platform.md section 2.7: the lake takes it, Profile drops it, so a person should know."""
    made = route(row("data.text", "_{TENANT}.text"))
    remarks = Remarks()
    assert len(message(made, event(text="x" * 9_000), remarks)) > 9_000
    assert remarks.over_limit == 0
    assert len(message(made, event(text="x" * 11_000), remarks)) > 11_000
    assert remarks.over_limit == 1
    assert remarks.failed == {}


def test_a_record_that_no_json_can_hold_is_the_event_s_fault_and_no_bug() -> None:
    """A bug would be tried again for ever; what a row computes of this event will not change."""
    made = route()
    mapping = made.version.mapping
    assert mapping is not None
    beyond = Mapped({"_id": "e1", "big": 2**70}, ())
    made.version = Version(replace(mapping, transform=lambda *_: beyond))
    with pytest.raises(RecordRefused) as caught:
        message(made, event(count=3))
    assert (caught.value.code, caught.value.record) == ("unwritable", None)
    assert str(2**70) not in caught.value.detail


READY = b'{"_id":"e1","timestamp":"2023-11-14T22:13:20Z","_acme":{"count":3}}'


def test_a_ready_record_goes_into_the_envelope_as_it_is() -> None:
    found = route().ready(READY, NOW)
    assert found == ("e1", 1_700_000_000, b'{"body":' + READY + b"}")


@pytest.mark.parametrize(
    ("record", "code", "path"),
    [
        (READY.replace(b"3}", b"30}"), "maximum", "/_acme/count"),
        (b'{"_id":"e1"}', "required", "/timestamp"),
        (b"{}", "unreadable", "/_id"),
        (b"nonsense", "unreadable", "/_id"),
    ],
)
def test_a_ready_record_must_fit_the_schema_of_today(record: bytes, code: str, path: str) -> None:
    with pytest.raises(RecordRefused) as caught:
        route().ready(record, NOW)
    assert (caught.value.code, caught.value.path) == (code, path)


def test_raw_mode_takes_no_ready_records() -> None:
    raw = Route("a", ScriptedLane(), Version(), (b"", b""))
    with pytest.raises(RecordRefused, match="raw mode"):
        raw.ready(READY, NOW)
