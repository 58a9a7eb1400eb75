"""Observability Insights: POST /metrics (platform.md section 6.3)."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any, Final, Literal

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError, model_validator

from app.sandbox.gateway.errors import api_error, json_answer
from app.sandbox.gateway.series import METRICS
from app.sandbox.gateway.view import View

_DAY_HOURS: Final = 24


class _Filter(BaseModel):
    name: str
    value: str
    groupBy: bool = False


class _Metric(BaseModel):
    name: str
    filters: list[_Filter] = []
    aggregator: Literal["sum"]
    downsample: Literal["sum"] | None = None


class _Request(BaseModel):
    """Without `granularity` the whole time is one datapoint."""

    start: datetime
    end: datetime
    granularity: Literal["HOUR", "DAY", "MONTH"] | None = None
    metrics: list[_Metric] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _either_case(cls, given: Any) -> Any:
        """The guide writes day, its answer DAY."""
        if isinstance(given, dict) and isinstance(given.get("granularity"), str):
            return {**given, "granularity": given["granularity"].upper()}
        return given


async def show_metrics(request: web.Request, view: View) -> web.StreamResponse:
    """The datapoints of every metric asked for. Hours in which nothing was counted are left out."""
    try:
        asked = _Request.model_validate_json(await request.read())
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        text = f"Bad Request - {where}: {first['msg']}"
        raise api_error(view.sandbox, view.side, 400, text) from None
    if _seconds(asked.start) > _seconds(asked.end):
        text = "Bad Request - Start date cannot be after end date."
        raise api_error(view.sandbox, view.side, 400, text)
    return json_answer({"metricResponses": [_answer(view, asked, m) for m in asked.metrics]})


def _answer(view: View, asked: _Request, metric: _Metric) -> dict[str, Any]:
    _check(view, asked, metric)
    known = METRICS[metric.name]
    wanted = metric.filters[0] if metric.filters else None
    subjects = wanted.value.split("|") if wanted is not None else None
    grouped = wanted is not None and wanted.groupBy
    sums: dict[str, defaultdict[str, float]] = {}
    for name in (subjects or []) if grouped else [""]:
        sums[name] = defaultdict(float)
    first, last = _seconds(asked.start), _seconds(asked.end)
    for at, subject, number in known.points(view):
        if first <= at < last and number and (subjects is None or subject in subjects):
            sums[subject if grouped else ""][_bucket(view, asked, at)] += number
    datapoints = [
        {"groupBy": {known.subject: name} if grouped else {}, "dps": dps}
        for name, dps in sums.items()
    ]
    body: dict[str, Any] = {
        "metric": metric.name,
        "filters": [each.model_dump() for each in metric.filters],
        "datapoints": datapoints,
    }
    if asked.granularity is not None:
        body["granularity"] = asked.granularity
    return body


def _check(view: View, asked: _Request, metric: _Metric) -> None:
    known = METRICS.get(metric.name)
    text = ""
    if known is None:
        text = f"Invalid metric {metric.name}"
    elif asked.granularity is not None and metric.downsample is None:
        text = "downsample is required with granularity"
    elif wrong := [each.name for each in metric.filters if each.name != known.subject]:
        text = f"Invalid filter {wrong[0]} for {metric.name}, wanted {known.subject}"
    if text:
        raise api_error(view.sandbox, view.side, 400, f"Bad Request - {text}")


def _bucket(view: View, asked: _Request, at: float) -> str:
    """The ISO time at which the hour, day or month of `at` begins."""
    hour_s = view.sandbox.lake.calendar.hour_s
    if asked.granularity is None:
        return _iso(_seconds(asked.start))
    if asked.granularity == "HOUR":
        return _iso(view.sandbox.lake.calendar.hour(at).start)
    if asked.granularity == "DAY":
        return _iso(at // (hour_s * _DAY_HOURS) * hour_s * _DAY_HOURS)
    month = datetime.fromtimestamp(at, UTC).replace(day=1, hour=0, minute=0, second=0)
    return _iso(month.replace(microsecond=0).timestamp())


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _iso(at: float) -> str:
    """`2020-07-14T00:00:00Z`, with milliseconds only where an hour does not begin on a second."""
    text = datetime.fromtimestamp(at, UTC).isoformat(
        timespec="seconds" if at == int(at) else "milliseconds"
    )
    return text.replace("+00:00", "Z")
