"""What a worker counts, for Prometheus. Per batch, never per event: the hot path stays clear."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from app.core.dataprep import MappingSet
from app.core.landing import Judged
from app.core.landing import Verdict as Landing
from app.core.outcome import Verdict
from app.store.lake import Standing
from app.store.settlement import Settlement
from worker.instruments import Instruments


class Metrics(Instruments):
    """Counts with its instruments what a worker tells it."""

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[str, str] = {}
        self._mappings: dict[str, tuple[str, str]] = {}

    def row_failed(self, connection: str, row: str, times: int) -> None:
        """Counts events for which a mapping row failed; `row`: its number."""
        self.row_failures.labels(connection, row).inc(times)

    def mapping_taken(self, connection: str, new: MappingSet) -> None:
        """Says which version is at work from now on."""
        self._no_mapping(connection)
        self._mappings[connection] = _info(new)
        self.mapping_info.labels(connection, *_info(new)).set(1)

    def mapping_gone(self, connection: str) -> None:
        """The connection is no more, or maps nothing."""
        self._no_mapping(connection)
        with contextlib.suppress(KeyError):
            self.mapping_refused.remove(connection)

    def gone(self, connection: str) -> None:
        """The connection was removed: nothing holds it back. What was counted stays."""
        self._unheld(connection)
        for gauge in (self.lane_rate, self.reconcile_failing, self.reconcile_seen):
            with contextlib.suppress(KeyError):
                gauge.remove(connection)

    def _no_mapping(self, connection: str) -> None:
        if known := self._mappings.pop(connection, None):
            self.mapping_info.remove(connection, *known)

    def on_hold(self, connection: str, reason: str, *, ours: bool) -> None:
        """The lane is held back (worker.lane.RequestWatch)."""
        self._unheld(connection)
        # The class only: an operator's own words are no label.
        self._held[connection] = name = reason.partition(":")[0]
        self.lane_held.labels(connection, name).set(1)
        if ours:
            self.lane_pauses.labels(connection, name).inc()

    def on_open(self, connection: str, held_seconds: float) -> None:
        """The lane is open again (worker.lane.RequestWatch)."""
        self._unheld(connection)
        self.lane_held_seconds.labels(connection).inc(max(0.0, held_seconds))

    def on_rate(self, connection: str, messages_per_second: float) -> None:
        """What the lane may send now (worker.lane.RequestWatch)."""
        self.lane_rate.labels(connection).set(messages_per_second)

    def stands(
        self, connection: str, standing: Standing, judged: Mapping[int, Judged], overall: Judged
    ) -> None:
        """Shows what Platform says of the events it took (worker.reconcile)."""
        self.reconcile_seen.labels(connection).set(standing.seen_ms / 1000)
        self.reconcile_failing.labels(connection).set(1 if standing.error else 0)
        hours = standing.hours
        for column in ("accepted", "landed", "failed"):
            total = sum(getattr(hour, column) for hour in hours)
            self.reconcile_events.labels(connection, column).set(total)
        for verdict in Landing:
            # A verdict over all hours is of no single one.
            said = [*judged.values(), *([overall] if overall.verdict is Landing.UNFOUND else [])]
            open_ = sum(each.events for each in said if each.verdict is verdict)
            self.reconcile_open.labels(connection, verdict.value).set(open_)

    def _unheld(self, connection: str) -> None:
        if name := self._held.pop(connection, None):
            self.lane_held.labels(connection, name).set(0)

    def on_request(
        self,
        connection: str,
        status: int,
        size: int,
        seconds: float,
        verdicts: Mapping[Verdict, int],
    ) -> None:
        """Counts one POST to Platform (worker.lane.RequestWatch)."""
        self.requests.labels(connection, str(status)).inc()
        self.request_bytes.labels(connection).inc(size)
        self.request_seconds.labels(connection).observe(seconds)

    def settled(self, connection: str, settlement: Settlement) -> None:
        """Counts a settled batch."""
        later = sum(successor.events for successor in settlement.successors)
        for outcome, count in (
            ("duplicate", settlement.duplicates),
            ("test", settlement.tests),
            ("delivered", settlement.delivered),
            ("dead", len(settlement.letters)),
            ("later", later),
        ):
            if count:
                self.events.labels(connection, outcome).inc(count)
                if settlement.run and outcome != "later":
                    self.replayed.labels(connection, outcome).inc(count)


def _info(mapping: MappingSet) -> tuple[str, str]:
    """Labels `set` and `version`: what stands before and after the label's last @."""
    name, _, version = mapping.label.rpartition("@")
    return name, version
