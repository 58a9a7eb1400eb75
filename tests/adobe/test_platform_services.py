"""Runs, batches, failed files, counters: in the shapes of platform.md section 6 and near them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from app.adobe.catalog import Catalog
from app.adobe.data_access import DataAccess, File
from app.adobe.flow_service import FlowService, Run
from app.adobe.observability import INGESTED, RECEIVED, Observability, Wanted
from app.adobe.platform_client import PlatformClient
from tests.adobe.scripted_api import ACCOUNT, Batch, ScriptedApi, failed_line, run_of, scripted
from tests.worker.scripted_platform import Tokens

HOUR_MS = 3_600_000


class Asked:
    def __init__(self, api: ScriptedApi, client: PlatformClient) -> None:
        self.api = api
        self.flows = FlowService(client)
        self.catalog = Catalog(client)
        self.files = DataAccess(client)
        self.counters = Observability(client)

    async def runs(self, after_ms: int = 0) -> list[Run]:
        return [run async for run in self.flows.runs("flow", after_ms)]


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    async with scripted() as api, aiohttp.ClientSession() as session:
        account = replace(ACCOUNT, api_url=api.url)
        yield Asked(api, PlatformClient(session, account, Tokens(), requests_per_second=1e9))


async def test_a_run_says_what_landed_and_which_batches_it_wrote(asked: Asked) -> None:
    asked.api.runs = [run_of(HOUR_MS, 99, 1, batches=["b1", "b2"])]
    [run] = await asked.runs()
    assert (run.started_ms, run.landed, run.failed, run.finished) == (HOUR_MS, 99, 1, True)
    assert run.batch_ids == ("b1", "b2")


async def test_all_pages_of_runs_are_read_and_older_ones_are_not(asked: Asked) -> None:
    asked.api.page = 2
    asked.api.runs = [run_of(at * HOUR_MS, at) for at in range(1, 6)]
    assert [run.landed for run in await asked.runs(HOUR_MS)] == [2, 3, 4, 5]


async def test_a_server_that_knows_no_filters_does_not_mislead(asked: Asked) -> None:
    items = [run_of(5, 1), run_of(HOUR_MS, 2), run_of(HOUR_MS, 3, flowId="another")]
    asked.api.answers.append(web.json_response({"items": items}))
    assert [run.landed for run in await asked.runs(HOUR_MS - 1)] == [2]


async def test_pages_that_go_round_in_a_circle_end(asked: Asked) -> None:
    page = {"items": [run_of(HOUR_MS, 1)], "_page": {"continuationToken": "same"}}
    asked.api.answers += [web.json_response(page)] * 9
    assert len(await asked.runs()) == 2


@pytest.mark.parametrize(
    ("changes", "landed", "failed"),
    [
        ({"outputRecordCount": "99", "failedRecordCount": "1"}, 99, 1),
        ({"inputRecordCount": 100, "failedRecordCount": 1}, 99, 1),
        ({"inputRecordCount": 100}, 100, 0),
        ({}, 0, 0),
        ({"outputRecordCount": None, "failedRecordCount": "many"}, 0, 0),
        ({"outputRecordCount": -3, "failedRecordCount": True}, 0, 0),
        ({"outputRecordCount": 7.0}, 7, 0),
    ],
)
async def test_counts_may_be_texts_or_missing(
    asked: Asked, changes: dict[str, Any], landed: int, failed: int
) -> None:
    run = run_of(HOUR_MS, 0)
    run["metrics"]["recordSummary"] = changes
    asked.api.runs = [run]
    [found] = await asked.runs()
    assert (found.landed, found.failed) == (landed, failed)


async def test_a_run_that_lacks_a_count_has_not_said_its_last_word(asked: Asked) -> None:
    asked.api.runs = [run_of(HOUR_MS, 1), run_of(HOUR_MS, 1), run_of(HOUR_MS, 1)]
    del asked.api.runs[1]["metrics"]["recordSummary"]["failedRecordCount"]
    asked.api.runs[2]["metrics"]["recordSummary"] = {"failedRecordCount": 0}
    assert [(run.landed, run.finished) for run in await asked.runs()] == [
        (1, True), (1, False), (0, False),
    ]  # fmt: skip


async def test_both_spellings_of_activities_are_read(asked: Asked) -> None:
    one, two = run_of(HOUR_MS, 1, batches=["b1"]), run_of(HOUR_MS, 1, batches=["b2"])
    two["activites"] = two.pop("activities")
    asked.api.runs = [one, two]
    assert [run.batch_ids for run in await asked.runs()] == [("b1",), ("b2",)]


@pytest.mark.parametrize("status", ["processing", "inProgress", "Pending"])
async def test_a_run_under_way_is_not_finished(asked: Asked, status: str) -> None:
    under_way, endless = run_of(HOUR_MS, 1), run_of(HOUR_MS, 1)
    under_way["metrics"]["statusSummary"]["status"] = status
    endless["metrics"]["durationSummary"]["completedAtUTC"] = 0
    asked.api.runs = [under_way, endless]
    assert [run.finished for run in await asked.runs()] == [False, False]


@pytest.mark.parametrize(
    "answer",
    [{}, [], None, {"items": None}, {"items": [None, 3, [], {"metrics": 3}]}, {"items": {"a": 1}}],
)
async def test_a_page_of_another_shape_is_no_runs(asked: Asked, answer: Any) -> None:
    asked.api.answers.append(web.json_response(answer))
    assert await asked.runs() == []


async def test_failed_batches_of_a_time_are_listed_page_by_page(asked: Asked) -> None:
    asked.api.batches = {f"b{at}": Batch(at) for at in range(250)}
    asked.api.batches["well"] = Batch(100, status="success")
    found = [b.batch_id async for b in asked.catalog.failed_batches("dataset", 10, 230)]
    assert found == [f"b{at}" for at in range(10, 231)]


async def test_failed_files_and_their_lines(asked: Asked) -> None:
    record = {"_id": "e1"}
    batch = Batch(1)
    for at in range(101):
        batch.put([b'{"n":1}'], f"part-{at}")
    batch.put([failed_line(record), failed_line(record)], "last")
    batch.rows["parsing_errors_0.json"] = [b'{"a":1}']
    asked.api.batches = {"b1": batch}

    files = [file async for file in asked.files.failed_files("b1")]
    rows = [file async for file in asked.files.row_error_files("b1")]
    lines = [json.loads(line) async for line in asked.files.failed_lines("b1", files[-1])]
    row_lines = [line async for line in asked.files.row_error_lines("b1", rows[0])]

    assert (len(files), files[0]) == (102, File("part-0", 7))
    assert rows == [File("row_errors/parsing_errors_0.json", 7)]
    assert [line["body"]["xdmEntity"] for line in lines] == [record, record]
    assert row_lines == [b'{"a":1}']


async def test_a_batch_id_cannot_change_the_path(asked: Asked) -> None:
    asked.api.answers.append(web.json_response({"data": []}))
    assert [file async for file in asked.files.failed_files("../x?y")] == []
    assert asked.api.got[-1].raw_path.startswith(
        "/data/foundation/export/batches/..%2Fx%3Fy/failed?"
    )


async def test_counters_come_by_hour(asked: Asked) -> None:
    asked.api.counters = {
        RECEIVED: {"1970-01-01T05:00:00.000Z": 7, "1970-01-01T06:00:00Z": "8", "soon": 3},
        INGESTED: {"1970-01-01T05:00:00.000Z": 6.0, "1970-01-01T06:00:00Z": None},
    }
    wanted = [Wanted(RECEIVED, "inletId", "i"), Wanted(INGESTED, "dataSetId", "d")]
    assert await asked.counters.hourly(wanted, 0, 36_000) == [{5: 7, 6: 8}, {5: 6}]
    question = json.loads(asked.api.bodies[0])
    assert (question["start"], question["granularity"]) == ("1970-01-01T00:00:00.000Z", "hour")
    assert question["metrics"][1]["filters"] == [
        {"name": "dataSetId", "value": "d", "groupBy": True}
    ]


async def test_counters_without_names_are_taken_in_order(asked: Asked) -> None:
    answers = [{"datapoints": [{"dps": {"1970-01-01T05:00:00Z": n}}]} for n in (1, 2)]
    asked.api.answers.append(web.json_response({"metricResponses": answers}))
    wanted = [Wanted("a", "x", "y"), Wanted("b", "x", "y"), Wanted("c", "x", "y")]
    assert await asked.counters.hourly(wanted, 0, 1) == [{5: 1}, {5: 2}, {}]
