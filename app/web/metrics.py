"""The receiver's numbers: counted in plain integers, moved into prometheus-client once a tick.

Labels come from configuration and code, never from a request. With several processes the parent
names a folder (prometheus-client's multiprocess mode) and any process shows the sum of all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

INF: Final = float("inf")
SIZE_BOUNDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, INF)
COMMIT_BOUNDS: Final = (
    0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 4, 10, INF,
)  # fmt: skip
SKEW_BOUNDS: Final = (1, 2, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400, 604_800, INF)


class Spread:
    """A histogram in plain integers."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * len(bounds)
        self.total = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Tally:
    """What one connection counted since the last tick. `key_matched`: per live key, in order."""

    def __init__(self, keys: int) -> None:
        self.received = 0
        self.acknowledged = 0
        self.late = 0
        self.key_matched = [0] * keys
        self.refused: dict[str, int] = {}
        self.skew = Spread(SKEW_BOUNDS)
        self.batch_events = Spread(SIZE_BOUNDS)
        self.commit_seconds = Spread(COMMIT_BOUNDS)

    def refuse(self, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1

    def committed(self, events: int, seconds: float, result: str) -> None:
        """A commit is over; `result` is empty when it was confirmed."""
        if not result:
            self.batch_events.add(events)
        self.commit_seconds.add(seconds)


class _BulkHistogram(Histogram):
    """A histogram that takes many observations at once."""

    def take(self, spread: Spread) -> None:
        """Move the counts of `spread`, which has the same bounds, here."""
        self._sum.inc(spread.total)
        for bucket, count in zip(self._buckets, spread.counts, strict=True):
            if count:
                bucket.inc(count)
        spread.counts = [0] * len(spread.bounds)
        spread.total = 0.0


class ReceiverMetrics:
    """One process's instruments. `folder`: prometheus-client's multiprocess folder, or None."""

    def __init__(self, folder: str | None = None) -> None:
        self._folder = folder
        self._registry = registry = CollectorRegistry()
        one = ("connection",)
        self._received = Counter(
            "sluice_webhooks_received", "Requests to a connection", one, registry=registry
        )
        self._acknowledged = Counter(
            "sluice_webhooks_acknowledged", "Answered 200", one, registry=registry
        )
        self._refused = Counter(
            "sluice_webhooks_refused", "Not answered 200, by reason", (*one, "reason"),
            registry=registry,
        )  # fmt: skip
        self._key_matched = Counter(
            "sluice_signature_key_matched", "Which live key matched", (*one, "key"),
            registry=registry,
        )  # fmt: skip
        self._skew = _histogram(
            registry, "sluice_signature_skew_seconds", "Signed time against our clock", SKEW_BOUNDS
        )
        self._batch_events = _histogram(
            registry, "sluice_batch_events", "Events per committed batch", SIZE_BOUNDS
        )
        self._commit_seconds = _histogram(
            registry, "sluice_commit_seconds", "Time of one commit", COMMIT_BOUNDS
        )
        self._shedding = Gauge(
            "sluice_receiver_shedding", "Processes that refuse everything, by reason", ("reason",),
            registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._tallies: dict[str, Tally] = {}
        self._shed_reason = ""

    def tally(self, connection: str, keys: int = 0) -> Tally:
        """The connection's tally; the name "" counts requests that belong to none."""
        return self._tallies.setdefault(connection, Tally(keys))

    def shedding(self, reason: str) -> None:
        """The reason why everything is refused; empty when nothing is."""
        if self._shed_reason:
            self._shedding.labels(self._shed_reason).set(0)
        if reason:
            self._shedding.labels(reason).set(1)
        self._shed_reason = reason

    def flush(self) -> None:
        """Move what was tallied into the instruments."""
        for name, tally in self._tallies.items():
            self._received.labels(name).inc(tally.received)
            self._acknowledged.labels(name).inc(tally.acknowledged)
            tally.received = tally.acknowledged = 0
            for key, matched in enumerate(tally.key_matched):
                self._key_matched.labels(name, str(key)).inc(matched)
                tally.key_matched[key] = 0
            for reason, refused in tally.refused.items():
                self._refused.labels(name, reason).inc(refused)
            tally.refused.clear()
            self._skew.labels(name).take(tally.skew)
            self._batch_events.labels(name).take(tally.batch_events)
            self._commit_seconds.labels(name).take(tally.commit_seconds)

    def render(self) -> str:
        """Prometheus' text format: of all processes when there is a folder. Reads files."""
        if self._folder is None:
            return generate_latest(self._registry).decode()
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=self._folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry).decode()


def _histogram(
    registry: CollectorRegistry, name: str, text: str, bounds: Iterable[float]
) -> _BulkHistogram:
    return _BulkHistogram(name, text, ("connection",), registry=registry, buckets=tuple(bounds))
