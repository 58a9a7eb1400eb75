"""Validate and preview: a mapping set tried without sending data (platform.md section 4.1)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from app.sandbox.dataprep.reading.expression import Unread
from app.sandbox.dataprep.reading.record import Failed, Reading
from app.sandbox.dataprep.sets import check_rows, checked_set
from app.sandbox.dataprep.stored import destination_of, kind_of, source_of
from app.sandbox.gateway.errors import json_answer
from app.sandbox.gateway.view import View
from app.sandbox.plane.body import object_of, refused


async def validate_set(request: web.Request, view: View) -> web.StreamResponse:
    """One entry per mapping, in order."""
    body = await object_of(request, view)
    check_rows(view, body.get("mappings"))
    faults = view.sandbox.judge.row_faults(body)
    entries = [
        {"status": "FAILED" if number in faults else "SUCCESS", "errors": faults.get(number)}
        for number in range(1, len(body["mappings"]) + 1)
    ]
    return json_answer({"validationResponse": entries})


async def preview_set(request: web.Request, view: View) -> web.StreamResponse:
    """What the set makes of each object. A row that fails is an error, and leaves its field out."""
    asked = await object_of(request, view)
    data, given = asked.get("data"), asked.get("mappingSet")
    if isinstance(data, dict):
        data = [data]
    if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
        raise refused(view, "data must be a list of objects")
    if not isinstance(given, dict):
        raise refused(view, "mappingSet is required and must be an object")
    return json_answer(_previewed(view, checked_set(view, given), data))


def _previewed(view: View, asked: dict[str, Any], data: list[dict[str, Any]]) -> list[Any]:
    """By the sandbox's own reading; with a row that is beyond it, by the engine."""
    rows, judge = asked["mappings"], view.sandbox.judge
    try:
        reading = Reading(rows, judge.schema_named(asked["outputSchema"]["schemaRef"]["id"]))
        return [_answer(rows, *reading.record(each)) for each in data]
    except Unread:
        compiled, now_ms = judge.compiled(asked), int(view.sandbox.clock() * 1000)
    answers = []
    for each in data:
        record, warnings = compiled.trial(each, now_ms)
        failed = [Failed(warning.number - 1, warning.detail) for warning in warnings]
        answers.append(_answer(rows, record, failed))
    return answers


def _answer(
    rows: list[dict[str, Any]], record: dict[str, Any], failed: list[Failed]
) -> dict[str, Any]:
    errors = [
        {
            "source": source_of(rows[each.place]),
            "destination": destination_of(rows[each.place]),
            "sourceType": kind_of(rows[each.place]),
            "columnName": destination_of(rows[each.place]),
            "exception": each.detail,
        }
        for each in failed
    ]
    return {"data": record, "errors": errors or None}
