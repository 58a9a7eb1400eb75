"""The pipeline as a live picture: what is where, how fast, since when, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import aiohttp_jinja2
from aiohttp import web

from app.core.forecast import Sample
from app.core.moments import moment
from app.store.documents import lane_document
from app.store.pipeline import Stage
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.live import Live

# What is drawn of a rate: smooth enough to be read, quick enough to be live.
_SMOOTH_SECONDS: Final = 10.0

PARTS: Final = ("pipeline", "outlook", "lanes", "balance")


class Chart(NamedTuple):
    """Columns for uPlot: Unix seconds, received/s, settled/s, backlog."""

    at: list[float]
    received: list[float]
    done: list[float]
    backlog: list[int]


async def page(request: web.Request) -> web.Response:
    """GET /."""
    live = request.app[CONSOLE].live
    return look.render(request, "overview.html", {**parts_of(live), "chart": chart_of(live)})


async def document(request: web.Request) -> web.Response:
    """GET /api/overview."""
    live = request.app[CONSOLE].live
    reading, balance = live.reading, live.balance
    outlook = live.forecast()
    return look.json_response(
        {
            "as_of": moment(reading.at_ms) if reading.data else None,
            "fault": reading.fault or None,
            "connections": {name: _flow(flow) for name, flow in reading.data.flows.items()}
            if reading.data
            else {},
            "rates": None
            if outlook.collecting
            else {"received": outlook.received_rate, "settled": outlook.done_rate},
            "backlog_clears_in_seconds": outlook.clears_seconds,
            "memory_lasts_seconds": outlook.full_seconds,
            "lanes": [lane_document(view, None) for view in live.lanes.data or []],
            "balanced": not balance.data.faults if balance.data else None,
        },
        503 if reading.data is None else 200,
    )


def parts_of(live: Live) -> dict[str, Any]:
    """What the templates of the parts are given: the same for everybody."""
    reading = live.reading
    return {
        "reading": reading,
        "whole": reading.data.whole() if reading.data else None,
        "outlook": live.forecast(),
        "lanes": live.lanes,
        "balance": live.balance,
        "memory_limit": int(reading.data.memory_limit * live.memory_share) if reading.data else 0,
    }


def chart_of(live: Live) -> Chart:
    """The last quarter of an hour."""
    samples = list(live.samples)
    received, done = _rates(samples)
    backlog = [sample.backlog for sample in samples[1:]]
    return Chart([round(sample.at, 1) for sample in samples[1:]], received, done, backlog)


def render_parts(request: web.Request, live: Live) -> dict[str, str]:
    """The parts as HTML, for the stream."""
    context = parts_of(live)
    return {
        name: aiohttp_jinja2.render_string(f"parts/{name}.html", request, context) for name in PARTS
    }


def _rates(samples: Sequence[Sample]) -> tuple[list[float], list[float]]:
    received, done, first = [], [], 0
    for last in range(1, len(samples)):
        new = samples[last]
        while first < last - 1 and new.at - samples[first + 1].at >= _SMOOTH_SECONDS:
            first += 1
        old = samples[first]
        seconds = max(new.at - old.at, 0.001)
        received.append(round(max(0, new.received - old.received) / seconds, 1))
        done.append(round(max(0, new.done - old.done) / seconds, 1))
    return received, done


def _flow(flow: Any) -> dict[str, Any]:
    stages = {name: _stage(getattr(flow, name)) for name in ("queued", "delivering", "retrying")}
    return {**flow.counts, **stages, "dead_letters": flow.dead}


def _stage(stage: Stage) -> dict[str, Any]:
    oldest = None if stage.oldest_ms is None else moment(stage.oldest_ms)
    return {"batches": stage.batches, "events": stage.events, "oldest": oldest}
