"""platform.md sections 5.3 and 6.2: batches in Catalog, and the files of those that failed."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

START_MS = 1_800_000_000_000
QUARTER_MS = 900_000


async def _failed_batch(platform: Any, *messages: Any) -> str:
    """The id of the failed batch that these messages come to."""
    await platform.batch(list(messages))
    await platform.hour_over()
    (batch_id,) = await platform.batches("status=failed")
    return str(batch_id)


async def test_what_was_refused_and_what_landed_are_two_batches(platform: Any) -> None:
    """Section 6.2, point 1: an object keyed by batch id."""
    bad = platform.message("B", empty=None)
    await platform.batch([platform.message("A"), bad, bad])
    await platform.hour_over()

    found = await platform.batches(f"dataSet={platform.inlet.dataset_id}")

    failed, landed = sorted(found.values(), key=lambda batch: batch["status"])
    assert failed["status"] == "failed"
    assert failed["errors"] == [
        {
            "code": "DCVS-1101-400",
            "description": "Streaming validation failed.",
            "recordCount": 2,
        }
    ]
    assert failed["metrics"]["inputRecordCount"] == failed["metrics"]["failedRecordCount"] == 2
    assert failed["metrics"]["outputRecordCount"] == 0
    assert failed["metrics"]["inputFileCount"] == 1
    assert failed["metrics"]["inputByteSize"] > 0
    assert failed["relatedObjects"] == [{"type": "dataSet", "id": platform.inlet.dataset_id}]
    assert failed["created"] == failed["updated"] == START_MS + QUARTER_MS
    assert failed["failedBatchLocation"].endswith(f"/batches/{failed['id']}/failed")
    assert landed["status"] == "success"
    assert landed["metrics"]["outputRecordCount"] == 1
    assert "errors" not in landed
    assert list(found) == [batch["id"] for batch in found.values()]


async def _four_quarters(platform: Any) -> None:
    for number in range(4):
        await platform.one(platform.message(str(number)))
        await platform.get("/lake?settle=true")
        platform.clock.now += 900


@pytest.mark.parametrize(
    ("query", "quarters"),
    [
        ("", [4, 3, 2, 1]),
        ("orderBy=asc:created", [1, 2, 3, 4]),
        ("orderBy=desc:created&limit=2", [4, 3]),
        ("orderBy=desc:created&limit=2&start=2", [2, 1]),
        ("limit=2&start=4", []),
        ("status=failed", []),
        ("status=failed,success&limit=1", [4]),
        ("dataSet=other", []),
        (
            f"createdAfter={START_MS + QUARTER_MS}&createdBefore={START_MS + 4 * QUARTER_MS}",
            [3, 2],
        ),
    ],
)
async def test_batches_are_filtered_ordered_and_paged(
    platform: Any, query: str, quarters: list[int]
) -> None:
    """A micro-batch is cut every quarter of an hour (section 2.7)."""
    await _four_quarters(platform)

    found = await platform.batches(query)

    created = [batch["created"] for batch in found.values()]
    assert [(at - START_MS) // QUARTER_MS for at in created] == quarters


@pytest.mark.parametrize("query", ["limit=101", "limit=0", "limit=x", "orderBy=created"])
async def test_a_wrong_question_to_catalog_is_400(platform: Any, query: str) -> None:
    """Section 5.3: limit is at most 100."""
    body = await platform.batches(query)
    assert body["status"] == 400
    assert body["type"].startswith("http://ns.adobe.com/aep/errors/")


async def test_one_batch_can_be_read_by_its_id(platform: Any) -> None:
    batch_id = await _failed_batch(platform, platform.message("B", empty=None))

    answer = await platform.call(f"/foundation/catalog/batches/{batch_id}")

    assert (await answer.json())[batch_id]["status"] == "failed"
    assert (await platform.call("/foundation/catalog/batches/other")).status == 404


async def test_a_failed_batchs_files_hold_the_original_messages(start: Any) -> None:
    """Section 6.2, points 2 and 3, in the form of field samples."""
    platform = await start(line_style="_errors")
    bad = platform.message("B", empty=None)
    batch_id = await _failed_batch(platform, bad)

    listed = await platform.export(f"{batch_id}/failed")
    (file,) = listed["data"]
    href = file["_links"]["self"]["href"]
    (line,) = await platform.lines(f"{batch_id}/failed?path={file['name']}")

    assert listed["_page"] == {"limit": 100, "count": 1}
    assert href.endswith(f"/data/foundation/export/batches/{batch_id}/failed?path={file['name']}")
    assert line == {
        **bad,
        "_errors": {
            "_streamingValidation": [
                {
                    "code": "DCVS-1101-400",
                    "message": "#/empty: expected type: String, found: Null",
                }
            ]
        },
    }
    content = await platform.call(
        f"/foundation/export/batches/{batch_id}/failed?path={file['name']}"
    )
    assert file["length"] == str(len(await content.read()))


async def test_lines_may_have_the_documented_key_instead(start: Any) -> None:
    """Section 6.2, point 3: `_validationErrors`, with its keyword and pointer."""
    platform = await start(line_style="_validationErrors")
    bad = platform.message("B", timestamp="2018-00-10T22:07:56Z")
    batch_id = await _failed_batch(platform, bad)

    (line,) = await platform.lines(f"{batch_id}/failed?path=failed_messages_0.json")

    assert line == {
        **bad,
        "_validationErrors": [
            {
                "keyword": "format",
                "pointerToViolation": "#/timestamp",
                "schemaLocation": "#/properties/timestamp",
                "message": "[2018-00-10T22:07:56Z] is not a valid date-time",
                "causingExceptions": [],
            }
        ],
    }


async def test_by_default_the_kind_of_violation_decides_the_key(platform: Any) -> None:
    batch_id = await _failed_batch(
        platform, platform.message("B", timestamp="now"), platform.message("C", empty=None)
    )

    lines = await platform.lines(f"{batch_id}/failed?path=failed_messages_0.json")

    assert ["_validationErrors" in line for line in lines] == [True, False]
    assert ["_errors" in line for line in lines] == [False, True]


async def test_a_long_list_of_files_has_pages(start: Any) -> None:
    """Section 6.2, point 2: start and limit, at most 100."""
    platform = await start(lines_per_file=1)
    bad = [platform.message(str(number), empty=None) for number in range(103)]
    batch_id = await _failed_batch(platform, *bad)

    first = await platform.export(f"{batch_id}/failed")
    rest = await platform.export(f"{batch_id}/failed?start=100&limit=50")

    assert (first["_page"], len(first["data"])) == ({"limit": 100, "count": 100}, 100)
    assert first["_links"]["next"]["href"].endswith("?start=100&limit=100")
    assert (rest["_page"], len(rest["data"])) == ({"limit": 50, "count": 3}, 3)
    assert "_links" not in rest
    assert (
        await platform.call(f"/foundation/export/batches/{batch_id}/failed?limit=101")
    ).status == 400


async def test_a_large_file_comes_whole(platform: Any) -> None:
    bad = [platform.message(str(n), empty=None, text="x" * 900) for n in range(600)]
    batch_id = await _failed_batch(platform, *bad)

    lines = await platform.lines(f"{batch_id}/failed?path=failed_messages_0.json")

    assert [line["body"]["xdmEntity"]["_id"] for line in lines] == [str(n) for n in range(600)]


@pytest.mark.parametrize(
    "path", ["other/failed", "{}/failed?path=other", "{}/meta?path=other", "{}/meta"]
)
async def test_what_is_not_there_is_404(platform: Any, path: str) -> None:
    batch_id = await _failed_batch(platform, platform.message("B", empty=None))
    answer = await platform.call(f"/foundation/export/batches/{path.format(batch_id)}")
    assert answer.status == 404


RAW = {"event_id": "01R", "metric": "sent"}


async def test_rows_that_the_mapper_drops_stand_in_row_errors(start: Any) -> None:
    """Section 6.2, point 4: the batch says success, and its diagnostics say which rows."""
    platform = await start({"mode": "raw"})
    flow = {"x-adobe-flow-id": platform.inlet.flow_id}
    await platform.one({**RAW, "event_id": "00R"}, headers=flow)
    await platform.fault(lake_fail="MAPPER-3700-400", lake_path="#/_id", lake_message="no source")
    await platform.one(RAW, headers=flow)
    await platform.hour_over()

    ((batch_id, batch),) = (await platform.batches()).items()
    listed = await platform.export(f"{batch_id}/meta?path=row_errors")
    (file,) = listed["data"]
    lines = await platform.lines(f"{batch_id}/meta?path=row_errors/{file['name']}")

    assert batch["status"] == "success"
    assert batch["metrics"]["failedRecordCount"] == batch["metrics"]["outputRecordCount"] == 1
    assert [error["code"] for error in batch["errors"]] == ["INGEST-1212-400", "MAPPER-3700-400"]
    assert file["name"] == "conversion_errors_0.json"
    assert file["_links"]["self"]["href"].endswith(
        f"/batches/{batch_id}/meta?path=row_errors%2Fconversion_errors_0.json"
    )
    assert lines == [
        {
            **RAW,
            "_errors": [{"column": "_id", "code": "MAPPER-3700-400", "message": "no source"}],
            "_filename": "conversion_errors_0.json",
        }
    ]
    assert await platform.lines(f"{batch_id}/meta?path=row_error_samples.json") == lines
    assert (await platform.export(f"{batch_id}/failed"))["data"] == []
    (run,) = (await platform.runs())["items"]
    extensions = run["activities"][0]["statusSummary"]["extensions"]
    assert extensions["errors"][0]["recordCount"] == 1
    assert extensions["manifest"]["failedRecords"].endswith(f"{batch_id}/meta?path=row_errors")
    assert extensions["manifest"]["sampleErrors"].endswith("meta?path=row_error_samples.json")


async def test_input_files_are_listed_and_read(platform: Any) -> None:
    """Section 6.2, point 4."""
    await platform.one(platform.message())
    await platform.hour_over()
    (batch_id,) = await platform.batches()

    (file,) = (await platform.export(f"{batch_id}/meta?path=input_files"))["data"]

    assert file["name"] == "fileMetaData1.json"
    (line,) = await platform.lines(f"{batch_id}/meta?path=input_files/{file['name']}")
    assert list(line) == ["path"]


async def test_a_download_may_break_off_in_the_middle(platform: Any) -> None:
    bad = [platform.message(str(n), empty=None, text="x" * 900) for n in range(300)]
    batch_id = await _failed_batch(platform, *bad)
    await platform.fault(scope="files", half_page=True)

    with pytest.raises(aiohttp.ClientError):
        await platform.lines(f"{batch_id}/failed?path=failed_messages_0.json")


async def test_the_oldest_files_go_first_and_their_counts_stay(start: Any) -> None:
    platform = await start(keep_failures=3)
    for number in range(2):
        bad = [platform.message(f"{number}{n}", empty=None) for n in range(2)]
        await platform.batch(bad)
        await platform.hour_over()

    found = await platform.batches("status=failed&orderBy=asc:created")

    files = [(await platform.export(f"{each}/failed"))["data"] for each in found]
    assert [len(listed) for listed in files] == [0, 1]
    assert [each["metrics"]["failedRecordCount"] for each in found.values()] == [2, 2]
    assert (await platform.get("/lake"))["failed_lines"] == {"kept": 2, "dropped": 2}


async def test_many_readers_at_once_get_the_same(platform: Any) -> None:
    bad = [platform.message(str(n), empty=None) for n in range(50)]
    batch_id = await _failed_batch(platform, *bad)
    path = f"{batch_id}/failed?path=failed_messages_0.json"

    first, *others = await asyncio.gather(*(platform.lines(path) for _ in range(5)))

    assert len(first) == 50
    assert all(other == first for other in others)
