"""platform.md section 6.3: counters."""

from __future__ import annotations

from typing import Any

import pytest

METRICS = "/data/infrastructure/observability/insights/metrics"
INLET = "timeseries.data.collection.inlet."
DATASET = "timeseries.ingestion.dataset."
# 1_800_000_000 is 2027-01-15T08:00:00Z.
WINDOW = {"start": "2027-01-15T00:00:00Z", "end": "2027-01-16T00:00:00Z"}


async def _ask(platform: Any, *metrics: Any, **changes: Any) -> tuple[int, Any]:
    body = {**WINDOW, "granularity": "hour", "metrics": list(metrics), **changes}
    answer = await platform.client.post(
        METRICS, json=body, headers=await platform.gateway_headers()
    )
    return answer.status, await answer.json()


def _metric(name: str, *filters: Any) -> dict[str, Any]:
    return {"name": name, "filters": list(filters), "aggregator": "sum", "downsample": "sum"}


async def _dps(platform: Any, name: str, **changes: Any) -> dict[str, float]:
    _, body = await _ask(platform, _metric(name), **changes)
    (response,) = body["metricResponses"]
    (datapoint,) = response["datapoints"]
    dps: dict[str, float] = datapoint["dps"]
    return dps


async def _traffic(platform: Any) -> None:
    """Three good messages and a bad one in the first hour, one good in the second, a refusal."""
    good = [platform.message(name) for name in "ABC"]
    await platform.batch([*good, platform.message("D", empty=None)])
    await platform.hour_over()
    await platform.one(platform.message("E"))
    await platform.one({})
    await platform.hour_over()


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        (f"{INLET}success", 1, 1),
        (f"{INLET}failure", None, 1),
        (f"{INLET}total.messages.received", 4, 1),
        (f"{DATASET}recordsuccess.count", 3, 1),
        (f"{DATASET}batchsuccess.count", 1, 1),
        (f"{DATASET}batchfailed.count", 1, None),
        ("timeseries.data.collection.validation.category.presence.count", 1, None),
        ("timeseries.identity.dataset.recordsuccess.count", 3, 1),
        ("timeseries.identity.dataset.recordfailed.count", None, None),
        ("timeseries.profiles.dataset.recordsuccess.count", 3, 1),
    ],
)
async def test_streaming_counters_by_the_hour(
    platform: Any, name: str, first: int | None, second: int | None
) -> None:
    await _traffic(platform)

    dps = await _dps(platform, name)

    expected = {"2027-01-15T08:00:00Z": first, "2027-01-15T09:00:00Z": second}
    assert dps == {hour: count for hour, count in expected.items() if count is not None}


async def test_sizes_are_the_bytes_of_what_was_taken(platform: Any) -> None:
    await platform.one(platform.message("A", text="x" * 5000))
    (size,) = (await _dps(platform, f"{INLET}total.messages.size.received")).values()
    assert 5000 < size < 6000


@pytest.mark.parametrize(
    ("granularity", "dps"),
    [
        ("day", {"2027-01-15T00:00:00Z": 4}),
        ("MONTH", {"2027-01-01T00:00:00Z": 4}),
        (None, {"2027-01-15T00:00:00Z": 4}),
    ],
)
async def test_counters_by_longer_times(platform: Any, granularity: Any, dps: Any) -> None:
    await _traffic(platform)
    assert await _dps(platform, f"{DATASET}recordsuccess.count", granularity=granularity) == dps


async def test_a_window_holds_its_start_and_not_its_end(platform: Any) -> None:
    await _traffic(platform)
    window = {"start": "2027-01-15T09:00:00Z", "end": "2027-01-15T10:00:00.000Z"}
    assert await _dps(platform, f"{DATASET}recordsuccess.count", **window) == {
        "2027-01-15T09:00:00Z": 1
    }


async def test_filters_choose_and_group(platform: Any) -> None:
    """The answer's form is that of the page which section 6.3 cites."""
    await _traffic(platform)
    dataset = platform.inlet.dataset_id
    chosen = {"name": "dataSetId", "value": f"{dataset}|other", "groupBy": True}
    inlet = {"name": "inletId", "value": "other", "groupBy": False}

    status, body = await _ask(
        platform,
        _metric(f"{DATASET}recordsuccess.count", chosen),
        _metric(f"{INLET}success", inlet),
    )

    assert status == 200
    grouped, empty = body["metricResponses"]
    assert grouped["metric"] == f"{DATASET}recordsuccess.count"
    assert grouped["filters"] == [chosen]
    assert grouped["granularity"] == "HOUR"
    assert grouped["datapoints"] == [
        {
            "groupBy": {"dataSetId": dataset},
            "dps": {"2027-01-15T08:00:00Z": 3.0, "2027-01-15T09:00:00Z": 1.0},
        },
        {"groupBy": {"dataSetId": "other"}, "dps": {}},
    ]
    assert empty["datapoints"] == [{"groupBy": {}, "dps": {}}]


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": []},
        {"metrics": [{"name": f"{INLET}success"}]},
        {"metrics": [{"name": "other", "aggregator": "sum", "downsample": "sum"}]},
        {"metrics": [{"name": f"{INLET}success", "aggregator": "sum"}]},
        {"metrics": [{"name": f"{INLET}success", "aggregator": "best", "downsample": "sum"}]},
        {"metrics": [_metric(f"{INLET}success", {"name": "dataSetId", "value": "a"})]},
        {"granularity": "minute"},
        {"start": "2027-01-17T00:00:00Z"},
        {"start": "soon"},
    ],
)
async def test_a_wrong_payload_is_insght_1000_400(platform: Any, changes: Any) -> None:
    """Section 6.3: INSGHT-1000-400."""
    status, body = await _ask(platform, _metric(f"{INLET}success"), **changes)

    assert (status, body["status"]) == (400, 400)
    assert body["type"] == "http://ns.adobe.com/aep/errors/INSGHT-1000-400"
    assert body["title"].startswith("Bad Request - ")
    assert body["error-chain"][0]["errorCode"] == "INSGHT-1000-400"


async def test_an_unknown_sandbox_is_insght_1003_401(platform: Any) -> None:
    """Section 6.3: INSGHT-1003-401."""
    platform.headers["x-sandbox-name"] = "dev"

    status, body = await _ask(platform, _metric(f"{INLET}success"))

    assert status == 401
    assert body["type"].endswith("/INSGHT-1003-401")


async def test_the_sink_counts_no_calls(start: Any) -> None:
    platform = await start(sink=True)
    await platform.batch([platform.message("A")])
    assert await _dps(platform, f"{INLET}success") == {}
