"""platform.md sections 1.10 and 6.1: flow runs."""

from __future__ import annotations

from typing import Any

import pytest

HOUR_MS = 3_600_000
START_MS = 1_800_000_000_000


async def _three_hours(platform: Any) -> None:
    for number in range(3):
        await platform.batch([platform.message(f"{number}{n}") for n in range(number + 1)])
        await platform.hour_over()


async def test_an_hour_that_is_over_has_one_run_of_the_references_form(platform: Any) -> None:
    """Section 6.1, and: status success hides failed records."""
    good, bad = platform.message("A"), platform.message("B", empty=None)
    await platform.batch([good, good, bad])
    await platform.hour_over()

    body = await platform.runs()

    (run,) = body["items"]
    assert body["_links"] == {}
    assert run["flowId"] == platform.inlet.flow_id
    assert run["createdAt"] == run["updatedAt"] == START_MS + HOUR_MS
    assert run["metrics"]["durationSummary"] == {
        "startedAtUTC": START_MS,
        "completedAtUTC": START_MS + HOUR_MS,
    }
    assert run["metrics"]["recordSummary"] == {
        "inputRecordCount": 3,
        "outputRecordCount": 2,
        "failedRecordCount": 1,
    }
    assert run["metrics"]["fileSummary"] == {"inputFileCount": 1, "outputFileCount": 1}
    sizes = run["metrics"]["sizeSummary"]
    assert sizes["inputBytes"] > sizes["outputBytes"] > 0
    assert run["metrics"]["statusSummary"] == {"status": "success", "errors": []}
    (activity,) = run["activities"]
    assert activity["id"] == "promotionActivity"
    assert activity["statusSummary"]["extensions"]["errors"] == [
        {"code": "DCVS-1101-400", "recordCount": 1, "message": "Streaming validation failed."}
    ]
    (target,) = activity["targetInfo"]
    assert target["type"] == "TargetConnection"
    assert target["reference"]["type"] == "Batch"
    assert sorted(target["reference"]["ids"]) == sorted(await platform.batches())


async def test_an_hour_that_is_not_over_has_no_run(platform: Any) -> None:
    await platform.one(platform.message())
    await platform.get("/lake?settle=true")
    platform.clock.now += 3599

    assert (await platform.runs())["items"] == []


async def test_a_run_waits_for_what_is_not_validated_yet(start: Any) -> None:
    platform = await start(validation_delay_s=3600.0)
    await platform.one(platform.message())
    platform.clock.now += 3600 * 3

    assert (await platform.runs())["items"] == []


async def test_an_hours_length_is_told_and_times_stay_real(start: Any) -> None:
    platform = await start(hour_seconds=4.0, batch_minutes=15.0)
    await platform.one(platform.message("A"))
    platform.clock.now += 1
    await platform.one(platform.message("B"))
    await platform.get("/lake?settle=true")
    platform.clock.now += 3

    (run,) = (await platform.runs())["items"]

    assert run["metrics"]["durationSummary"] == {
        "startedAtUTC": START_MS,
        "completedAtUTC": START_MS + 4000,
    }
    assert len(run["activities"]) == 2


@pytest.mark.parametrize(
    ("query", "counts"),
    [
        ("", [3, 2, 1]),
        ("&orderby=createdAt", [1, 2, 3]),
        ("&orderBy=-metrics.recordSummary.inputRecordCount", [3, 2, 1]),
        (f"&property=metrics.durationSummary.startedAtUTC>{START_MS}", [3, 2]),
        (f"&property=metrics.durationSummary.startedAtUTC%3E={START_MS}", [3, 2, 1]),
        (
            f"&property=metrics.durationSummary.startedAtUTC>{START_MS - 1}"
            f"&property=metrics.durationSummary.startedAtUTC<{START_MS + HOUR_MS}",
            [1],
        ),
        ("&property=metrics.statusSummary.status==Success", [3, 2, 1]),
        ("&property=metrics.statusSummary.status!=success", []),
        ("&property=metrics.statusSummary.status==Failed,success", [3, 2, 1]),
        ("&property=activities[].targetInfo[].type==TargetConnection", [3, 2, 1]),
        ("&property=nothing", []),
        ("&property=flowId==other", []),
    ],
)
async def test_filters_are_joined_by_and(platform: Any, query: str, counts: list[int]) -> None:
    """Section 6.1, with the forms of sort-and-filter."""
    await _three_hours(platform)

    runs = (await platform.runs(query))["items"]

    assert [run["metrics"]["recordSummary"]["inputRecordCount"] for run in runs] == counts


async def test_pages_follow_each_other_through_links(platform: Any) -> None:
    """Section 1.10: limit and continuationToken."""
    await _three_hours(platform)

    body = await platform.runs("&limit=2")
    href = body["_links"]["next"]["href"]
    rest = await (await platform.call(f"/foundation/flowservice{href}")).json()

    assert "continuationToken=" in href
    assert (len(body["items"]), len(rest["items"])) == (2, 1)
    assert rest["_links"] == {}
    assert not {run["id"] for run in body["items"]} & {run["id"] for run in rest["items"]}


async def test_runs_can_be_counted_but_not_with_a_limit(platform: Any) -> None:
    """Sections 1.10 and 1.11: 1401-400."""
    await _three_hours(platform)

    assert await platform.runs("&count=true") == {"count": 3}
    refused = await platform.runs("&count=true&limit=2")
    assert (refused["errorCode"], refused["statusCode"]) == ("1401-400", 400)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("&property=createdAt>soon", "1452-400"),
        ("&property=createdAt>1,2", "1443-400"),
        ("&property=createdAt==", "1453-400"),
        ("&property=createdAt~1", "1450-400"),
        ("&orderby=%23id", "1433-400"),
        ("&limit=none", "1452-400"),
        ("&continuationToken=x", "1451-400"),
    ],
)
async def test_a_wrong_query_is_refused_with_its_code(platform: Any, query: str, code: str) -> None:
    assert (await platform.runs(query))["errorCode"] == code


async def test_the_activities_may_be_spelled_as_in_the_api_model(start: Any) -> None:
    """Section 6.1: activites in the model, activities in the guide."""
    platform = await start(activities="both")
    await _three_hours(platform)

    spelled = [{"activities", "activites"} & set(run) for run in (await platform.runs())["items"]]

    assert spelled == [{"activities"}, {"activites"}, {"activities"}]


async def test_a_flow_can_be_read(platform: Any) -> None:
    """Section 1.7."""
    flow = platform.inlet.flow_id

    answer = await platform.call(f"/foundation/flowservice/flows/{flow}")

    (item,) = (await answer.json())["items"]
    assert item["id"] == flow
    assert item["state"] == "enabled"
    assert item["options"]["inletUrl"].endswith(f"/collection/{platform.inlet.id}")
    assert item["runs"] == f"/runs?property=flowId=={flow}"
    missing = await platform.call("/foundation/flowservice/flows/other")
    assert (missing.status, (await missing.json())["errorCode"]) == (404, "1101-404")
