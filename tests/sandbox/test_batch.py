"""platform.md section 2.5: the 207 and both shapes of its entries."""

from __future__ import annotations

from typing import Any


async def test_every_message_has_an_entry_in_order(platform: Any) -> None:
    answer = await platform.batch([platform.message("A"), {"body": {}}, platform.message("B")])

    body = await answer.json()
    assert answer.status == 207
    assert body["inletId"] == platform.inlet.id
    assert body["responses"] == [
        {"xactionId": f"{body['batchId']}:0"},
        {
            "statusCode": 400,
            "message": "The 'header' field is mandatory. "
            "Provide a valid 'header' value and try again.",
        },
        {"xactionId": f"{body['batchId']}:2"},
    ]
    counts = await platform.get("/received")
    assert (counts["messages"], counts["refused"]) == (2, 1)


async def test_the_other_shape_names_the_index_at_the_end_of_the_xaction_id(start: Any) -> None:
    platform = await start(entry_style="status")

    answer = await platform.batch([platform.message("A"), {}])

    good, bad = (await answer.json())["responses"]
    assert good.keys() == {"xactionId"}
    assert bad.keys() == {"xactionId", "status", "message"}
    assert bad["status"] == 400
    assert good["xactionId"].rpartition("-")[2] == "0"
    assert bad["xactionId"].rpartition("-")[2] == "1"


async def test_both_shapes_in_turn(start: Any) -> None:
    platform = await start(entry_style="both")

    entries = [(await (await platform.batch([{}])).json())["responses"][0] for _ in range(20)]

    assert {("status" in entry, "statusCode" in entry) for entry in entries} == {
        (True, False),
        (False, True),
    }


async def test_total_failure_is_207_too(platform: Any) -> None:
    answer = await platform.batch([{}, {}])
    assert answer.status == 207


async def test_a_batch_without_messages_is_malformed(platform: Any) -> None:
    path = f"/collection/batch/{platform.inlet.id}"
    bodies: list[Any] = [{}, {"messages": []}, [], {"messages": {}}]
    for body in bodies:
        assert (await platform.client.post(path, json=body)).status == 400


async def test_a_batch_over_one_megabyte_is_too_large(platform: Any) -> None:
    answer = await platform.batch([platform.message("A", text="x" * 515_000)] * 2)

    assert answer.status == 413
    assert (await platform.get("/received"))["messages"] == 0


async def test_a_raw_batch_is_taken_or_refused_as_such(start: Any) -> None:
    taking = await start({"mode": "raw"})
    refusing = await start({"mode": "raw", "raw_batch": False})
    headers = {"x-adobe-flow-id": taking.inlet.flow_id}

    answer = await taking.batch([{"event_id": "01R"}, 7], headers=headers)
    assert answer.status == 207
    assert [entry.get("statusCode") for entry in (await answer.json())["responses"]] == [None, 400]
    assert (await refusing.batch([{"event_id": "01R"}], headers=headers)).status == 400
