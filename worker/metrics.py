"""What a worker counts, for Prometheus. Per batch, never per event: the hot path stays clear."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.core.dataprep import MappingSet
from app.core.landing import Judged
from app.core.landing import Verdict as Landing
from app.core.outcome import Verdict
from app.store.lake import Standing
from app.store.settlement import Settlement


class Metrics:
    """One worker process's metrics, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.events = Counter(
            "sluice_events", "Events settled, by where they went",
            ["connection", "outcome"], registry=self.registry,
        )  # fmt: skip
        self.batch_seconds = Histogram(
            "sluice_batch_seconds", "Time from taking an event batch to settling it",
            registry=self.registry,
        )  # fmt: skip
        self.leases_lost = Counter(
            "sluice_leases_lost", "Batches that another worker took meanwhile",
            registry=self.registry,
        )  # fmt: skip
        self.in_work = Gauge(
            "sluice_batches_in_work", "Batches this worker holds", registry=self.registry
        )
        self.overdue_seconds = Gauge(
            "sluice_overdue_seconds", "How long the longest due batch has waited",
            registry=self.registry,
        )  # fmt: skip
        self.requests = Counter(
            "sluice_requests", "POSTs to Platform, by HTTP status (0: none came)",
            ["connection", "status"], registry=self.registry,
        )  # fmt: skip
        self.request_bytes = Counter(
            "sluice_request_bytes", "Bytes of the bodies POSTed to Platform",
            ["connection"], registry=self.registry,
        )  # fmt: skip
        self.request_seconds = Histogram(
            "sluice_request_seconds", "Time Platform took to answer",
            ["connection"], registry=self.registry,
        )  # fmt: skip
        self.mapping_info = Gauge(
            "sluice_worker_mapping_info", "The mapping set's version at work (always 1)",
            ["connection", "set", "version"], registry=self.registry,
        )  # fmt: skip
        self.mapping_refused = Gauge(
            "sluice_worker_mapping_refused", "1 while what lies on disk does not pass its check",
            ["connection"], registry=self.registry,
        )  # fmt: skip
        self.config_refused = Gauge(
            "sluice_worker_config_refused", "1 while connection files are not valid",
            registry=self.registry,
        )  # fmt: skip
        self.row_failures = Counter(
            "sluice_worker_row_failures", "Events that went out without a field: its row failed",
            ["connection", "row"], registry=self.registry,
        )  # fmt: skip
        self.over_profile_limit = Counter(
            "sluice_worker_records_over_profile_limit", "Records too large for Profile",
            ["connection"], registry=self.registry,
        )  # fmt: skip
        self.samples_lost = Counter(
            "sluice_worker_samples_lost", "Times that a sample of events could not be kept",
            ["connection"], registry=self.registry,
        )  # fmt: skip
        self.dead_letters_spilled = Counter(
            "sluice_worker_dead_letters_spilled", "Dead letters moved from Redis to files",
            registry=self.registry,
        )  # fmt: skip
        self.lane_held = Gauge(
            "sluice_lane_held", "1 while the lane is held back, by the class of the reason",
            ["connection", "reason"], registry=self.registry,
        )  # fmt: skip
        self.lane_pauses = Counter(
            "sluice_lane_pauses", "Times this worker held a lane back, by the class of the reason",
            ["connection", "reason"], registry=self.registry,
        )  # fmt: skip
        self.lane_held_seconds = Counter(
            "sluice_lane_held_seconds", "Time for which the lane was held back, as seen here",
            ["connection"], registry=self.registry,
        )  # fmt: skip
        self.lane_rate = Gauge(
            "sluice_lane_allowed_messages_per_second", "What all workers may send together now",
            ["connection"], registry=self.registry,
        )  # fmt: skip
        self.archive_lost = Counter(
            "sluice_worker_archive_lost", "Delivered bodies that could not be archived",
            ["connection"], registry=self.registry,
        )  # fmt: skip
        self.archive_bytes = Gauge(
            "sluice_worker_archive_bytes", "Size of the archive on this machine",
            registry=self.registry,
        )  # fmt: skip
        self.reconcile_seen = Gauge(
            "sluice_reconcile_seen_timestamp_seconds",
            "When somebody last looked at Platform and got through",
            ["connection"], registry=self.registry,
        )  # fmt: skip
        self.reconcile_failing = Gauge(
            "sluice_reconcile_failing", "1 while looks at Platform do not get through",
            ["connection"], registry=self.registry,
        )  # fmt: skip
        self.reconcile_events = Gauge(
            "sluice_reconcile_events", "Events so far, by where Platform has them",
            ["connection", "column"], registry=self.registry,
        )  # fmt: skip
        self.reconcile_open = Gauge(
            "sluice_reconcile_open_events", "Events that have not landed, or too many, by verdict",
            ["connection", "verdict"], registry=self.registry,
        )  # fmt: skip
        self.refused_later = Counter(
            "sluice_refused_later", "Records in failed files, by what they turned out to be",
            ["connection", "outcome"], registry=self.registry,
        )  # fmt: skip
        self.replays_running = Gauge(
            "sluice_replays_running", "Bulk replays that this worker works on",
            registry=self.registry,
        )  # fmt: skip
        self.replayed = Counter(
            "sluice_replayed_events",
            "Dead letters of bulk replays, by outcome: put on the queue, gone before, and settled",
            ["connection", "outcome"], registry=self.registry,
        )  # fmt: skip
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
