"""The sandbox's own /lake: what truly landed, for whoever judges what was said about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from app.sandbox.control.stream import stream_lines
from app.sandbox.lake.lake import WHYS
from app.sandbox.state import SANDBOX, Sandbox


def lake_routes() -> list[web.RouteDef]:
    return [web.get("/lake", show_lake), web.post("/lake/close", close_hour)]


async def show_lake(request: web.Request) -> web.StreamResponse:
    """Counts; with `ids` every id that landed, with `lost` every one that did not and why, with
    `hours` the counts of each flow's micro-batches. `settle=true`: when nothing waits any more."""
    sandbox = request.app[SANDBOX]
    query = request.query
    if query.get("settle") == "true":
        await sandbox.later.settled()
    if query.get("ids") == "true":
        return await stream_lines(request, _landed(sandbox))
    if query.get("lost") == "true":
        lines = [
            {"id": record_id, "count": copies, "inlet": inlet_id, "why": why}
            for why, inlet_id, record_id, copies in sandbox.lake.losses()
        ]
        return await stream_lines(request, lines)
    if query.get("hours") == "true":
        return await stream_lines(request, list(_hours(sandbox)))
    return web.json_response(_counts(sandbox))


async def close_hour(request: web.Request) -> web.StreamResponse:
    """End Platform's hour now; what was received until now is in it, looked at at once."""
    sandbox = request.app[SANDBOX]
    sandbox.later.look_at_all()
    ended = sandbox.lake.close_hour(sandbox.clock())
    sandbox.meters.turn()
    return web.json_response({"ended_ms": int(ended * 1000), **_counts(sandbox)})


def _counts(sandbox: Sandbox) -> dict[str, Any]:
    lake = sandbox.lake
    return {
        "landed": lake.landed,
        **{why: lake.counts[why] for why in WHYS},
        "waiting": sandbox.later.waiting,
        "micro_batches": {"kept": len(lake.cuts), "dropped": lake.dropped_cuts},
        "failed_lines": {"kept": lake.lines, "dropped": lake.dropped_lines},
    }


def _landed(sandbox: Sandbox) -> Iterator[dict[str, Any]]:
    """Received, less what is known to be lost and what nobody has looked at yet; of a copy."""
    waiting = Counter(sandbox.later.waiting_ids())
    not_landed = sandbox.lake.not_landed
    counted = [
        (inlet, found, copies - not_landed(inlet, found) - waiting[inlet, found])
        for inlet, found, copies in sandbox.received.ids()
    ]
    return ({"id": found, "count": n, "inlet": inlet} for inlet, found, n in counted if n > 0)


def _hours(sandbox: Sandbox) -> Iterator[dict[str, Any]]:
    for cut in sandbox.lake.cuts.values():
        yield {
            "flow": cut.flow_id,
            "hour_ms": [int(cut.hour.start * 1000), int(cut.hour.end * 1000)],
            "batch_ms": [int(cut.span.start * 1000), int(cut.span.end * 1000)],
            "landed": cut.landed,
            "refused": cut.refused.count,
            "row_error": cut.row_errors,
            "unpromoted": cut.unpromoted,
        }
