"""What became of accepted messages: the lake, its faults on demand, and /lake.

platform.md sections 2.4 (200 means received), 6.1, 6.2 and 7 (points 1, 2 and 7).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from app.sandbox.defaults import default_inlet
from app.sandbox.lake.calendar import Calendar, Span


async def _ndjson(platform: Any, path: str) -> list[Any]:
    answer = await platform.client.get(path)
    return [orjson.loads(line) for line in (await answer.read()).splitlines()]


async def _summary(platform: Any) -> tuple[int, int, int]:
    (run,) = (await platform.runs())["items"]
    counts = run["metrics"]["recordSummary"]
    return counts["inputRecordCount"], counts["outputRecordCount"], counts["failedRecordCount"]


async def test_what_landed_and_what_did_not_is_told_by_id(platform: Any) -> None:
    good, bad = platform.message("A"), platform.message("B", empty=None)
    await platform.batch([good, good, bad, platform.message("C")])

    counts = await platform.get("/lake?settle=true")

    assert (counts["landed"], counts["refused"], counts["waiting"]) == (3, 1, 0)
    landed = await _ndjson(platform, "/lake?ids=true")
    assert {line["id"]: line["count"] for line in landed} == {"A": 2, "C": 1}
    assert await _ndjson(platform, "/lake?lost=true") == [
        {"id": "B", "count": 1, "inlet": platform.inlet.id, "why": "refused"}
    ]


async def test_what_is_not_validated_yet_has_not_landed(start: Any) -> None:
    platform = await start(validation_delay_s=3600.0)
    await platform.one(platform.message("A"))

    assert await _ndjson(platform, "/lake?ids=true") == []
    assert (await platform.get("/lake"))["waiting"] == 1


async def test_forgetting_what_was_received_empties_the_lake(platform: Any) -> None:
    await platform.batch([platform.message("A"), platform.message("B", empty=None)])
    await platform.hour_over()

    await platform.client.delete("/received")

    counts = await platform.get("/lake")
    assert (counts["landed"], counts["refused"]) == (0, 0)
    assert counts["micro_batches"] == {"kept": 0, "dropped": 0}
    assert (await platform.runs())["items"] == []
    assert await platform.batches() == {}


async def test_a_share_of_what_was_accepted_fails_later_as_told(platform: Any) -> None:
    """Section 7, point 7: a required field was added to the schema."""
    await platform.fault(
        lake_fail="DCVS-1106-400",
        lake_path="#/_acme/eVar14",
        lake_message="required key [eVar14] not found",
        share=0.5,
    )
    answer = await platform.batch([platform.message(str(n)) for n in range(40)])
    await platform.hour_over()

    responses = (await answer.json())["responses"]
    assert not [entry for entry in responses if "statusCode" in entry]
    taken, landed, failed = await _summary(platform)
    assert (taken, landed + failed) == (40, 40)
    assert 5 < failed < 35
    (batch_id,) = await platform.batches("status=failed")
    lines = await platform.lines(f"{batch_id}/failed?path=failed_messages_0.json")
    assert len(lines) == failed
    assert lines[0]["_errors"]["_streamingValidation"] == [
        {
            "code": "DCVS-1106-400",
            "message": "#/_acme/eVar14: required key [eVar14] not found",
        }
    ]


async def test_what_vanishes_is_in_no_run_and_no_batch(platform: Any) -> None:
    """Section 7, point 1: 200 comes back, data is lost."""
    await platform.one(platform.message("A"))
    await platform.fault(vanish=True)
    assert (await platform.one(platform.message("B"))).status == 200
    await platform.hour_over()

    assert await _summary(platform) == (1, 1, 0)
    assert (await platform.get("/lake"))["vanished"] == 1
    (lost,) = await _ndjson(platform, "/lake?lost=true")
    assert (lost["id"], lost["why"]) == ("B", "vanished")
    assert (await platform.get("/received"))["messages"] == 2


async def test_a_run_that_failed_lost_its_records_and_no_file_says_which(platform: Any) -> None:
    """Section 2.6: CONNECTOR-2001-500, promotion failed."""
    await platform.one(platform.message("A"))
    await platform.fault(run_failed=True)
    await platform.one(platform.message("B"))
    await platform.hour_over()

    (run,) = (await platform.runs("&property=metrics.statusSummary.status==Failed"))["items"]
    assert run["metrics"]["statusSummary"]["errors"] == [
        {"code": "CONNECTOR-2001-500", "message": "Error occurred at promotion activity."}
    ]
    assert await _summary(platform) == (2, 1, 1)
    ((batch_id, batch),) = (await platform.batches("status=failed")).items()
    assert batch["errors"][0]["code"] == "CONNECTOR-2001-500"
    assert (await platform.export(f"{batch_id}/failed"))["data"] == []
    (lost,) = await _ndjson(platform, "/lake?lost=true")
    assert (lost["id"], lost["why"]) == ("B", "unpromoted")


async def test_a_late_run_shows_hours_later_with_its_own_start(platform: Any) -> None:
    await platform.one(platform.message("A"))
    await platform.hour_over()
    await platform.fault(run_late_hours=2)

    assert (await platform.runs())["items"] == []
    platform.clock.now += 2 * 3600

    (run,) = (await platform.runs())["items"]
    summary = run["metrics"]["durationSummary"]
    assert summary["startedAtUTC"] == 1_800_000_000_000
    assert summary["completedAtUTC"] == run["updatedAt"] == 1_800_000_000_000 + 3 * 3_600_000


async def test_a_run_may_show_before_its_hour_is_over(platform: Any) -> None:
    """Section 6.1 knows Processing; what such a run counts is not the last word."""
    await platform.fault(run_early=True)
    for name in "AB":
        await platform.one(platform.message(name))
        await platform.get("/lake?settle=true")
        platform.clock.now += 900

    (early,) = (await platform.runs())["items"]
    platform.clock.now += 1800
    (final,) = (await platform.runs())["items"]

    assert early["metrics"]["statusSummary"]["status"] == "processing"
    assert early["metrics"]["recordSummary"]["inputRecordCount"] == 2
    assert "completedAtUTC" not in early["metrics"]["durationSummary"]
    assert final["id"] == early["id"]
    assert final["metrics"]["statusSummary"]["status"] == "success"


async def test_a_missing_run_comes_back_when_the_fault_ends(platform: Any) -> None:
    await platform.one(platform.message("A"))
    await platform.hour_over()
    await platform.fault(run_missing=True)

    assert (await platform.runs())["items"] == []
    assert len(await platform.batches()) == 1

    await platform.client.delete("/faults")
    assert len((await platform.runs())["items"]) == 1


async def test_a_share_of_runs_is_the_same_share_each_time(platform: Any) -> None:
    for number in range(12):
        await platform.one(platform.message(str(number)))
        await platform.hour_over()
    await platform.fault(run_missing=True, share=0.5)

    first, second = await platform.runs(), await platform.runs()

    assert 1 < len(first["items"]) < 11
    assert first == second


async def test_counts_may_be_wrong_or_lacking(platform: Any) -> None:
    """Section 6.1: compare counts, and do not count on their being there."""
    await platform.one(platform.message("A"))
    await platform.hour_over()
    await platform.fault(run_count_off=3)
    assert await _summary(platform) == (4, 4, 0)

    await platform.client.delete("/faults")
    await platform.fault(run_counts_lack=True)

    (run,) = (await platform.runs())["items"]
    assert run["metrics"]["recordSummary"] == {"outputRecordCount": 1}
    assert set(run["metrics"]) == {"durationSummary", "recordSummary", "statusSummary"}


async def test_a_fault_may_be_for_another_inlet(platform: Any) -> None:
    await platform.fault(vanish=True, inlet="other")
    await platform.fault(run_missing=True, inlet="other")
    await platform.one(platform.message("A"))
    await platform.hour_over()

    assert await _summary(platform) == (1, 1, 0)


async def test_an_hour_can_be_ended_at_once(start: Any) -> None:
    platform = await start(validation_delay_s=60.0)
    platform.clock.now += 200
    await platform.one(platform.message("A"))

    ended = await (await platform.client.post("/lake/close")).json()
    assert (ended["ended_ms"], ended["landed"], ended["waiting"]) == (1_800_000_200_000, 1, 0)
    platform.clock.now += 1
    await platform.one(platform.message("B"))
    first = await platform.runs()
    await platform.client.post("/lake/close")
    platform.clock.now += 120

    assert len(first["items"]) == 1
    runs = (await platform.runs("&orderby=createdAt"))["items"]
    spans = [run["metrics"]["durationSummary"] for run in runs]
    assert spans[0] == {"startedAtUTC": 1_800_000_000_000, "completedAtUTC": 1_800_000_200_000}
    hours = await _ndjson(platform, "/lake?hours=true")
    assert [hour["landed"] for hour in hours] == [1, 1]
    assert hours[0]["hour_ms"] == [1_800_000_000_000, 1_800_000_200_000]


async def test_only_the_newest_micro_batches_are_kept_and_hours_go_whole(start: Any) -> None:
    platform = await start(keep_batches=3)
    for number in range(6):
        await platform.one(platform.message(str(number)))
        await platform.get("/lake?settle=true")
        platform.clock.now += 1800
    platform.clock.now += 3600

    runs = (await platform.runs())["items"]

    assert [run["metrics"]["recordSummary"]["inputRecordCount"] for run in runs] == [2]
    assert (await platform.get("/lake"))["micro_batches"] == {"kept": 2, "dropped": 4}
    assert (await platform.get("/lake"))["landed"] == 6


async def test_each_flow_has_runs_of_its_own(start: Any) -> None:
    first = default_inlet()
    other = replace(first, id="other", flow_id="flow-2", dataset_id="dataset-2")
    platform = await start(inlets=(other, first))
    await platform.batch([platform.message("A"), platform.message("B")])
    platform.config = replace(platform.config, inlets=(first,))
    await platform.one(platform.message("A"))
    await platform.hour_over()

    assert await _summary(platform) == (1, 1, 0)
    answer = await platform.call("/foundation/flowservice/runs?orderby=flowId")
    runs = (await answer.json())["items"]
    assert [run["flowId"] for run in runs] == [first.flow_id, "flow-2"]
    (batch,) = (await platform.batches("dataSet=dataset-2")).values()
    assert batch["metrics"]["outputRecordCount"] == 2
    landed = await _ndjson(platform, "/lake?ids=true")
    assert {(line["inlet"], line["id"]) for line in landed} == {
        ("other", "A"),
        ("other", "B"),
        (first.id, "A"),
    }


async def test_messages_of_raw_inlets_land_unvalidated(start: Any) -> None:
    platform = await start({"mode": "raw"})
    flow = {"x-adobe-flow-id": platform.inlet.flow_id}
    await platform.one({"event_id": "R", "empty": None}, headers=flow)
    await platform.hour_over()

    assert await _summary(platform) == (1, 1, 0)
    (landed,) = await _ndjson(platform, "/lake?ids=true")
    assert landed["id"] == "R"


async def test_unreadable_rows_are_parsing_errors(platform: Any) -> None:
    """Section 2.6: INGEST-1401-400, unreadable row; section 6.2 names the file."""
    await platform.fault(lake_fail="INGEST-1401-400")
    await platform.one(platform.message("A"))
    await platform.hour_over()

    (batch_id,) = await platform.batches()
    (file,) = (await platform.export(f"{batch_id}/meta?path=row_errors"))["data"]
    assert file["name"] == "parsing_errors_0.json"
    (lost,) = await _ndjson(platform, "/lake?lost=true")
    assert lost["why"] == "row_error"


CLOSED = 55.000001


@pytest.mark.parametrize(
    ("at", "hour", "batch"),
    [
        (0.0, Span(0.0, 40.0), Span(0.0, 10.0)),
        (39.9, Span(0.0, 40.0), Span(30.0, 40.0)),
        (40.0, Span(40.0, CLOSED), Span(40.0, 50.0)),
        (55.0, Span(40.0, CLOSED), Span(50.0, CLOSED)),
        (56.0, Span(CLOSED, 80.0), Span(CLOSED, CLOSED + 10)),
        (79.0, Span(CLOSED, 80.0), Span(CLOSED + 20, 80.0)),
    ],
)
def test_micro_batches_never_span_two_hours(at: float, hour: Span, batch: Span) -> None:
    calendar = Calendar(hour_seconds=40.0, batch_minutes=15.0)
    assert calendar.close(55.0) == CLOSED

    assert calendar.hour(at) == hour
    assert calendar.batch(at) == batch
