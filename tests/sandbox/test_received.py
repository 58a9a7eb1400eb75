"""Reading back what arrived."""

from __future__ import annotations

from typing import Any

import orjson


async def test_repeats_are_counted_by_id_and_inlet(platform: Any) -> None:
    await platform.batch([platform.message("A"), platform.message("B")])
    await platform.one(platform.message("A", again=True))

    counts = await platform.get("/received")
    assert (counts["messages"], counts["distinct"], counts["repeats"]) == (3, 2, 1)
    assert counts["inlets"][platform.inlet.id]["requests"] == 2

    one = await platform.get("/received?id=A")
    assert one["count"] == 2
    assert one["newest"]["record"]["again"] is True


async def test_an_id_that_never_came_is_404(platform: Any) -> None:
    answer = await platform.client.get("/received?id=Z")
    assert answer.status == 404
    assert (await answer.json())["count"] == 0


async def test_records_are_listed_page_by_page(platform: Any) -> None:
    await platform.batch([platform.message(name) for name in "ABCDE"])

    first = await platform.get("/received?limit=3")
    second = await platform.get(f"/received?limit=3&after={first['after']}")
    third = await platform.get(f"/received?after={second['after']}")

    assert [record["_id"] for record in first["records"]] == ["A", "B", "C"]
    assert [record["_id"] for record in second["records"]] == ["D", "E"]
    assert third == {"records": [], "after": None}


async def test_every_id_is_streamed_with_its_count(platform: Any) -> None:
    await platform.batch([platform.message(name) for name in "ABA"])

    answer = await platform.client.get("/received?ids=true")

    lines = [orjson.loads(line) for line in (await answer.read()).splitlines()]
    assert {line["id"]: line["count"] for line in lines} == {"A": 2, "B": 1}


async def test_only_the_newest_records_are_kept_but_all_are_counted(start: Any) -> None:
    platform = await start(keep_records=2)
    await platform.batch([platform.message(name) for name in "ABCDE"])

    assert (await platform.get("/received"))["distinct"] == 5
    assert [r["_id"] for r in (await platform.get("/received?limit=9"))["records"]] == ["D", "E"]
    assert await platform.get("/received?id=A") == {"_id": "A", "count": 1, "newest": None}


async def test_a_record_without_id_is_received_all_the_same(platform: Any) -> None:
    message = platform.message()
    del message["body"]["xdmEntity"]["_id"]

    assert (await platform.one(message)).status == 200

    counts = await platform.get("/received")
    assert (counts["messages"], counts["without_id"], counts["repeats"]) == (1, 1, 0)


async def test_forgetting_answers_what_was_there(platform: Any) -> None:
    await platform.one(platform.message())

    before = await (await platform.client.delete("/received")).json()

    assert before["messages"] == 1
    assert (await platform.get("/received"))["messages"] == 0
    assert (await platform.get("/received?limit=5"))["records"] == []


async def test_the_sink_counts_messages_and_answers_each(start: Any) -> None:
    platform = await start(sink=True)
    tricky = platform.message("B", text='"xdmEntity":')

    answer = await platform.batch([platform.message("A"), tricky])
    assert (await platform.one(platform.message("C"))).status == 200

    assert answer.status == 207
    assert len((await answer.json())["responses"]) == 2
    counts = await platform.get("/received")
    assert (counts["messages"], counts["inlets"][platform.inlet.id]["requests"]) == (3, 2)


async def test_health_and_help_are_there(platform: Any) -> None:
    assert await platform.get("/healthz") == {"status": "ok"}
    assert "/received" in await (await platform.client.get("/")).text()
