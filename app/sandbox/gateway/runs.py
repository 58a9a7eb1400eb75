"""Flow Service: GET /runs (platform.md sections 1.10 and 6.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from app.sandbox.flowservice.listing import listed
from app.sandbox.gateway.run import run_id, run_of, so_far, without_counts
from app.sandbox.gateway.view import View
from app.sandbox.lake.cut import Cut

EXPORT: Final = "/data/foundation/export/batches"


async def list_runs(request: web.Request, view: View) -> web.StreamResponse:
    """The runs of hours that are over."""
    return listed(request, view, _runs(request, view), "/runs")


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
    inlets = sandbox.inlets.flow_inlets(cuts[0].flow_id)
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
