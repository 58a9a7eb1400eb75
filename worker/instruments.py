"""The instruments of a worker: names, words and labels of what it counts."""

from __future__ import annotations

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Instruments:
    """One worker process's instruments, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._of_batches()
        self._of_requests()
        self._of_lanes()
        self._of_configuration()
        self._of_keeping()
        self._of_reconciling()
        self._of_replays()

    def _of_batches(self) -> None:
        """What becomes of events and of the batches they come in."""
        counter = partial(Counter, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        gauge = partial(Gauge, registry=self.registry)
        self.events = counter(
            "sluice_events", "Events settled, by where they went", ["connection", "outcome"]
        )
        self.batch_seconds = histogram(
            "sluice_batch_seconds", "Time from taking an event batch to settling it"
        )
        self.leases_lost = counter(
            "sluice_leases_lost", "Batches that another worker took meanwhile"
        )
        self.in_work = gauge("sluice_batches_in_work", "Batches this worker holds")
        self.overdue_seconds = gauge(
            "sluice_overdue_seconds", "How long the longest due batch has waited"
        )
        self.over_profile_limit = counter(
            "sluice_worker_records_over_profile_limit",
            "Records too large for Profile",
            ["connection"],
        )
        self.row_failures = counter(
            "sluice_worker_row_failures",
            "Events that went out without a field: its row failed",
            ["connection", "row"],
        )

    def _of_requests(self) -> None:
        """What goes to Platform."""
        counter = partial(Counter, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        self.requests = counter(
            "sluice_requests",
            "POSTs to Platform, by HTTP status (0: none came)",
            ["connection", "status"],
        )
        self.request_bytes = counter(
            "sluice_request_bytes", "Bytes of the bodies POSTed to Platform", ["connection"]
        )
        self.request_seconds = histogram(
            "sluice_request_seconds", "Time Platform took to answer", ["connection"]
        )

    def _of_lanes(self) -> None:
        """What holds events back."""
        gauge = partial(Gauge, registry=self.registry)
        counter = partial(Counter, registry=self.registry)
        self.lane_held = gauge(
            "sluice_lane_held",
            "1 while the lane is held back, by the class of the reason",
            ["connection", "reason"],
        )
        self.lane_pauses = counter(
            "sluice_lane_pauses",
            "Times this worker held a lane back, by the class of the reason",
            ["connection", "reason"],
        )
        self.lane_held_seconds = counter(
            "sluice_lane_held_seconds",
            "Time for which the lane was held back, as seen here",
            ["connection"],
        )
        self.lane_rate = gauge(
            "sluice_lane_allowed_messages_per_second",
            "What all workers may send together now",
            ["connection"],
        )

    def _of_configuration(self) -> None:
        """What the worker runs on."""
        gauge = partial(Gauge, registry=self.registry)
        self.mapping_info = gauge(
            "sluice_worker_mapping_info",
            "The mapping set's version at work (always 1)",
            ["connection", "set", "version"],
        )
        self.mapping_refused = gauge(
            "sluice_worker_mapping_refused",
            "1 while what lies on disk does not pass its check",
            ["connection"],
        )
        self.config_refused = gauge(
            "sluice_worker_config_refused", "1 while connection files are not valid"
        )

    def _of_keeping(self) -> None:
        """What is kept, or moved, beside the queue."""
        counter = partial(Counter, registry=self.registry)
        gauge = partial(Gauge, registry=self.registry)
        self.samples_lost = counter(
            "sluice_worker_samples_lost",
            "Times that a sample of events could not be kept",
            ["connection"],
        )
        self.dead_letters_spilled = counter(
            "sluice_worker_dead_letters_spilled", "Dead letters moved from Redis to files"
        )
        self.archive_lost = counter(
            "sluice_worker_archive_lost",
            "Delivered bodies that could not be archived",
            ["connection"],
        )
        self.archive_bytes = gauge(
            "sluice_worker_archive_bytes", "Size of the archive on this machine"
        )

    def _of_reconciling(self) -> None:
        """What Platform says later."""
        gauge = partial(Gauge, registry=self.registry)
        counter = partial(Counter, registry=self.registry)
        self.reconcile_seen = gauge(
            "sluice_reconcile_seen_timestamp_seconds",
            "When somebody last looked at Platform and got through",
            ["connection"],
        )
        self.reconcile_failing = gauge(
            "sluice_reconcile_failing",
            "1 while looks at Platform do not get through",
            ["connection"],
        )
        self.reconcile_events = gauge(
            "sluice_reconcile_events",
            "Events so far, by where Platform has them",
            ["connection", "column"],
        )
        self.reconcile_open = gauge(
            "sluice_reconcile_open_events",
            "Events that have not landed, or too many, by verdict",
            ["connection", "verdict"],
        )
        self.refused_later = counter(
            "sluice_refused_later",
            "Records in failed files, by what they turned out to be",
            ["connection", "outcome"],
        )

    def _of_replays(self) -> None:
        """Bulk replays."""
        gauge = partial(Gauge, registry=self.registry)
        counter = partial(Counter, registry=self.registry)
        self.replays_running = gauge(
            "sluice_replays_running", "Bulk replays that this worker works on"
        )
        self.replayed = counter(
            "sluice_replayed_events",
            "Dead letters of bulk replays, by outcome: put on the queue, gone before, and settled",
            ["connection", "outcome"],
        )
