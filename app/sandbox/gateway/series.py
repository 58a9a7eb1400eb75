"""The counters behind Observability Insights: (time, subject, number) by metric. Pure reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from app.sandbox.gateway.view import View
from app.sandbox.lake.cut import Cut
from app.sandbox.lake.meters import Meter

Point = tuple[float, str, int]


@dataclass(frozen=True, slots=True)
class Metric:
    """`subject`: the filter's name by which it can be asked for; `points`: its readings."""

    subject: str
    points: Callable[[View], Iterator[Point]]


def _by_dataset(number: Callable[[Cut], int]) -> Metric:
    def points(view: View) -> Iterator[Point]:
        for cut in view.cuts():
            yield cut.span.start, cut.dataset_id, number(cut)

    return Metric("dataSetId", points)


def _by_inlet(number: Callable[[Meter], int]) -> Metric:
    def points(view: View) -> Iterator[Point]:
        # The edge counts at once: the hour that runs shows as far as it got.
        meters = view.sandbox.meters.by_hour
        for (inlet_id, start), meter in meters.items():
            yield start, inlet_id, number(meter)

    return Metric("inletId", points)


_INLET: Final = "timeseries.data.collection.inlet."
_DATASET: Final = "timeseries.ingestion.dataset."
# Section 6.3. Identity and Profile read from the lake whatever landed.
METRICS: Final = {
    f"{_INLET}success": _by_inlet(lambda meter: meter.success),
    f"{_INLET}failure": _by_inlet(lambda meter: meter.failure),
    f"{_INLET}total.messages.received": _by_inlet(lambda meter: meter.messages),
    f"{_INLET}total.messages.size.received": _by_inlet(lambda meter: meter.size),
    "timeseries.data.collection.validation.category.presence.count": _by_dataset(
        lambda cut: cut.refused.count
    ),
    f"{_DATASET}recordsuccess.count": _by_dataset(lambda cut: cut.landed),
    f"{_DATASET}batchsuccess.count": _by_dataset(lambda cut: cut.kinds().count("landed")),
    f"{_DATASET}batchfailed.count": _by_dataset(
        lambda cut: sum(kind != "landed" for kind in cut.kinds())
    ),
    "timeseries.identity.dataset.recordsuccess.count": _by_dataset(lambda cut: cut.landed),
    "timeseries.identity.dataset.recordfailed.count": _by_dataset(lambda _cut: 0),
    "timeseries.profiles.dataset.recordsuccess.count": _by_dataset(lambda cut: cut.landed),
}
