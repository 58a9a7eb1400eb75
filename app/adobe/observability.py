"""Observability Insights: hourly counters of inlet and dataset (platform.md section 6.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from app.adobe.platform_client import PlatformClient
from app.adobe.reading import at, count, items, text

PATH: Final = "/data/infrastructure/observability/insights/metrics"

RECEIVED: Final = "timeseries.data.collection.inlet.total.messages.received"
INGESTED: Final = "timeseries.ingestion.dataset.recordsuccess.count"


class Wanted(NamedTuple):
    """One counter, for one thing: `key` is the filter's name, such as dataSetId."""

    metric: str
    key: str
    value: str


class Observability:
    """Raises what PlatformClient raises."""

    def __init__(self, client: PlatformClient) -> None:
        self._client = client

    async def hourly(
        self, wanted: Sequence[Wanted], start_s: int, end_s: int
    ) -> list[dict[int, int]]:
        """Per wanted counter: Unix hour -> count, without the hours that Platform leaves out."""
        question = {
            "start": _iso(start_s),
            "end": _iso(end_s),
            "granularity": "hour",
            "metrics": [
                {
                    "name": each.metric,
                    "filters": [{"name": each.key, "value": each.value, "groupBy": True}],
                    "aggregator": "sum",
                    "downsample": "sum",
                }
                for each in wanted
            ],
        }
        reply = await self._client.call("POST", PATH, body=question, safe=True)
        answers = items(at(reply.document, "metricResponses"))
        return [_hours(_answer_to(each, at_, answers)) for at_, each in enumerate(wanted)]


def _answer_to(wanted: Wanted, position: int, answers: list[Any]) -> Any:
    """By its name, else by its place: the page does not say that an answer is named."""
    for answer in answers:
        if wanted.metric in (at(answer, "metric"), at(answer, "name")):
            return answer
    return answers[position] if position < len(answers) else None


def _hours(answer: Any) -> dict[int, int]:
    found: dict[int, int] = {}
    for point in items(at(answer, "datapoints")):
        dps = at(point, "dps")
        for when, value in dps.items() if isinstance(dps, dict) else ():
            hour, number = _hour(when), count(value)
            if hour is not None and number is not None:
                found[hour] = found.get(hour, 0) + number
    return found


def _hour(when: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text(when))
    except ValueError:
        return None
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()) // 3600


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
