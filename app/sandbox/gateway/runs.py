"""Flow Service: GET /runs and /flows/{id} (platform.md sections 1.7, 1.10 and 6.1)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from app.sandbox.gateway.errors import Turned, api_error, json_answer
from app.sandbox.gateway.filters import BadFilter, Filter, ordered
from app.sandbox.gateway.run import run_id, run_of, so_far, without_counts
from app.sandbox.gateway.view import View
from app.sandbox.lake.cut import Cut

# Neither is documented: ours.
_LIMIT: Final = 20
_LIMIT_MAX: Final = 100
EXPORT: Final = "/data/foundation/export/batches"


async def list_runs(request: web.Request, view: View) -> web.StreamResponse:
    """The runs of hours that are over, newest first when no order is asked for."""
    query = request.query
    if "limit" in query and query.get("count") == "true":
        text = "The limit and count parameters cannot be given together in the same request."
        raise api_error(view.sandbox, view.side, 400, text, "1401-400")
    try:
        filters = [Filter.parse(text) for text in query.getall("property", [])]
        runs = [run for run in _runs(request, view) if all(f.takes(run) for f in filters)]
        runs = ordered(runs, query.get("orderby") or query.get("orderBy") or "-createdAt")
    except BadFilter as fault:
        raise api_error(view.sandbox, view.side, 400, fault.text, fault.code) from None
    if query.get("count") == "true":
        return json_answer({"count": len(runs)})
    limit, start = _limit(request, view), _start(request, view)
    body: dict[str, Any] = {"items": view.page(runs[start : start + limit]), "_links": {}}
    if start + limit < len(runs):
        body["_links"] = {"next": {"href": _next(request, limit, start + limit)}}
    return json_answer(body)


async def show_flow(request: web.Request, view: View) -> web.StreamResponse:
    """The least of section 1.7: the flow's inlet, state and where its runs are."""
    flow_id = request.match_info["flow"]
    for inlet in view.sandbox.config.inlets:
        if inlet.flow_id == flow_id:
            item = {
                "id": flow_id,
                "state": "enabled",
                "imsOrgId": inlet.org_id,
                "sandboxName": view.sandbox.config.sandbox_name,
                "options": {"inletUrl": f"{request.url.origin()}/collection/{inlet.id}"},
                "runs": f"/runs?property=flowId=={flow_id}",
            }
            return json_answer({"items": [item]})
    raise api_error(view.sandbox, view.side, 404, f"The requested flow {flow_id} is not found.")


def _runs(request: web.Request, view: View) -> list[dict[str, Any]]:
    found = []
    for number, cuts in enumerate(view.hours()):
        run = _run(request, view, cuts)
        if run is None:
            continue
        spelling = view.sandbox.config.activities
        if spelling == "activites" or (spelling == "both" and number % 2):
            run["activites"] = run.pop("activities")
        found.append(run)
    return found


def _run(request: web.Request, view: View, cuts: Sequence[Cut]) -> dict[str, Any] | None:
    """The run as the faults in force let it show, if they do."""
    sandbox = view.sandbox
    inlets = [i.id for i in sandbox.config.inlets if i.flow_id == cuts[0].flow_id]
    late_s, off, lean, early = 0.0, 0, False, False
    for rule in sandbox.faults.over_run(run_id(cuts), inlets):
        if rule.run_missing:
            return None
        late_s += (rule.run_late_hours or 0.0) * sandbox.config.hour_seconds
        off += rule.run_count_off
        lean = lean or rule.run_counts_lack
        early = early or rule.run_early
    over = cuts[0].hour.end + late_s <= view.up_to
    if not (over or early):
        return None
    run = run_of(cuts, f"{request.url.origin()}{EXPORT}", late_s, off)
    run = run if over else so_far(run)
    return without_counts(run) if lean else run


def _limit(request: web.Request, view: View) -> int:
    text = request.query.get("limit", str(_LIMIT))
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise api_error(view.sandbox, view.side, 400, f"Invalid value {text} for limit", "1452-400")
    return min(int(text), _LIMIT_MAX)


def _start(request: web.Request, view: View) -> int:
    token = request.query.get("continuationToken", "")
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error):
        raise _bad_token(view) from None


def _bad_token(view: View) -> Turned:
    text = "Invalid params continuationToken provided in query params."
    return api_error(view.sandbox, view.side, 400, text, "1451-400")


def _next(request: web.Request, limit: int, start: int) -> str:
    kept = [(k, v) for k, v in request.query.items() if k not in ("continuationToken", "limit")]
    token = base64.urlsafe_b64encode(str(start).encode()).decode()
    return f"/runs?{urlencode([*kept, ('limit', limit), ('continuationToken', token)])}"
