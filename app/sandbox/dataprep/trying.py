"""Validate and preview: a mapping set tried without sending data (platform.md section 4.1)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from app.core.dataprep import RowWarning
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
    compiled = view.sandbox.judge.compiled(checked_set(view, given))
    now_ms = int(view.sandbox.clock() * 1000)
    answers = []
    for each in data:
        record, warnings = compiled.trial(each, now_ms)
        errors = [_error(given["mappings"][w.number - 1], w) for w in warnings]
        answers.append({"data": record, "errors": errors or None})
    return json_answer(answers)


def _error(row: dict[str, Any], warning: RowWarning) -> dict[str, Any]:
    return {
        "source": source_of(row),
        "destination": destination_of(row),
        "sourceType": kind_of(row),
        "columnName": warning.path,
        "exception": warning.detail,
    }
