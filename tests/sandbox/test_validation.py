"""platform.md sections 2.4, 2.8 and 6.2: asynchronous and synchronous validation."""

from __future__ import annotations

from typing import Any

import pytest

SCHEMA = {
    "type": "object",
    "required": ["eventType"],
    "additionalProperties": False,
    "properties": {
        "_id": {"type": "string"},
        "timestamp": {"type": "string", "format": "date-time"},
        "eventType": {"type": "string", "enum": ["a"]},
        "count": {"type": "integer"},
        "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
    },
}


async def test_a_bad_record_is_accepted_and_fails_only_later(start: Any) -> None:
    platform = await start(schema=SCHEMA)
    good, bad = platform.message("A", eventType="a"), platform.message("B", count=1.5, code="eur")

    assert (await platform.batch([good, bad])).status == 207

    failed = await platform.get("/failed?settle=true")
    assert (failed["failed"], failed["ingested"], failed["validating"]) == (1, 1, 0)
    line = failed["records"][0]["message"]
    assert line["header"] == bad["header"]
    assert line["body"] == bad["body"]
    assert sorted(line["_errors"]["_streamingValidation"], key=lambda e: e["message"]) == [
        {
            "code": "DCVS-1103-400",
            "message": "#/code: string [eur] does not match pattern ^[A-Z]{3}$",
        },
        {"code": "DCVS-1104-400", "message": "#/count: expected type: Integer, found: Double"},
        {"code": "DCVS-1106-400", "message": "#/eventType: required key [eventType] not found"},
    ]
    assert (await platform.get("/received"))["failed"] == 1


async def test_nothing_is_failed_before_its_time(start: Any) -> None:
    platform = await start(validation_delay_s=3600.0)

    await platform.one(platform.message("a:b"))

    counts = await platform.get("/failed")
    assert (counts["failed"], counts["validating"]) == (0, 1)


@pytest.mark.parametrize(
    ("entity", "pointer"),
    [
        ({"_id": "a:b"}, "#/_id"),
        ({"_id": 7}, "#/_id"),
        ({"timestamp": "2026-01-01"}, "#/timestamp"),
        ({"timestamp": "2026-01-01T00:00:00"}, "#/timestamp"),
        ({"timestamp": "2026-00-01T00:00:00Z"}, "#/timestamp"),
        ({"timestamp": 1_700_000_000}, "#/timestamp"),
        ({"timestamp": "2030-01-01T00:00:00Z"}, "#/timestamp"),
        ({"deep": {"list": [{"x": None}]}}, "#/deep/list/0/x"),
        ({"empty": ""}, "#/empty"),
        ({"empty": {}}, "#/empty"),
        ({"empty": []}, "#/empty"),
    ],
)
async def test_rules_that_hold_without_any_schema(
    start: Any, entity: dict[str, Any], pointer: str
) -> None:
    platform = await start(line_style="_errors")
    message = platform.message()
    message["body"]["xdmEntity"].update(entity)

    assert (await platform.one(message)).status == 200

    (failed,) = (await platform.get("/failed?settle=true"))["records"]
    (error,) = failed["message"]["_errors"]["_streamingValidation"]
    assert error["message"].startswith(f"{pointer}: ")


@pytest.mark.parametrize(
    "timestamp",
    ["2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00+02:00", "2026-01-01T00:00:00.1-05:30"],
)
async def test_the_documented_forms_of_a_timestamp_pass(platform: Any, timestamp: str) -> None:
    await platform.one(platform.message(timestamp=timestamp))
    assert (await platform.get("/failed?settle=true"))["failed"] == 0


async def test_validation_stops_after_five_errors(platform: Any) -> None:
    await platform.one(platform.message(**{f"k{number}": None for number in range(9)}))

    (failed,) = (await platform.get("/failed?settle=true"))["records"]
    assert len(failed["message"]["_errors"]["_streamingValidation"]) == 5


async def test_sync_validation_answers_at_once(start: Any) -> None:
    platform = await start(schema=SCHEMA)

    good = await platform.one(platform.message("A", eventType="a"), "?syncValidation=true")
    bad = await platform.one(platform.message("B", eventType="a", x=1), "?syncValidation=true")

    assert (await good.json())["syncValidation"] == {"status": "pass"}
    report = (await bad.json())["report"]
    assert bad.status == 400
    assert report["message"].endswith("Message is invalid")
    (tree,) = report["cause"]["_streamingValidation"]
    assert tree["message"] == "1 schema violations found"
    (cause,) = tree["causingExceptions"]
    assert cause["keyword"] == "additionalProperties"
    assert cause["message"] == "extraneous key [x] is not permitted"
    assert (await platform.get("/received"))["messages"] == 1


async def test_sync_validation_is_limited_to_sixty_a_minute(platform: Any) -> None:
    message = platform.message()
    statuses = [(await platform.one(message, "?syncValidation=true")).status for _ in range(61)]
    assert statuses == [200] * 60 + [429]


async def test_sync_validation_is_501_outside_its_data_centre(start: Any) -> None:
    platform = await start({"sync_validation": False})
    assert (await platform.one(platform.message(), "?syncValidation=true")).status == 501


async def test_more_than_can_wait_are_validated_early(start: Any) -> None:
    platform = await start(validation_delay_s=3600.0, keep_records=2)

    await platform.batch([platform.message(f"a:{number}") for number in range(5)])

    counts = await platform.get("/failed")
    assert (counts["failed"], counts["validating"]) == (3, 2)
    assert [record["_id"] for record in counts["records"]] == ["a:1", "a:2"]
