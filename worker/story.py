"""The state of one batch while it is worked on: where each of its events has got to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

from app.core.batch import AttemptRun, EventBatch, add_attempt, encode
from app.core.dead_letter import DeadLetter, DeadLetterSummary
from app.core.errors import EventFault
from app.core.event import peek_event
from app.core.outcome import Failure, Outcome
from app.core.replay import REPLAYED, run_of, times_replayed
from app.core.retry import SUSPECT_FAULTS
from app.store.batches import Taken
from app.store.settlement import Settlement, Successor
from app.store.traces import RequestTrace, encode_trace
from worker.route import Remarks, Version

_CLASS_OF_STAGE = {
    "parse": Failure.UNREADABLE,
    "transform": Failure.MAPPING,
    "check": Failure.SCHEMA,
}


_STUMBLED: Final = 500


def _stumbles(history: tuple[AttemptRun, ...]) -> int:
    """How often the last tries met a status 500, whatever its text."""
    last = takewhile(lambda run: run.status == _STUMBLED, reversed(history))
    return sum(run.times for run in last)


@dataclass(slots=True)
class Story:
    """Counts and lists of positions. Every event ends in exactly one of: duplicates, tests,
    delivered, letters, later."""

    taken: Taken
    batch: EventBatch
    now_ms: int
    # Events still on their way, by position: (event id, timestamp), and their message or why there
    # is none.
    ids: dict[int, tuple[str, int]] = field(default_factory=dict)
    messages: dict[int, bytes] = field(default_factory=dict)
    faults: dict[int, Exception] = field(default_factory=dict)
    duplicates: int = 0
    tests: int = 0
    delivered: int = 0
    later: list[int] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    # Positions that Platform took this time; `delivered` counts those of earlier takes, too.
    accepted: list[int] = field(default_factory=list)
    requests: list[RequestTrace] = field(default_factory=list)
    # What made the records; the whole batch is mapped by one version.
    version: Version = field(default_factory=Version)
    remarks: Remarks = field(default_factory=Remarks)
    counts: bool = False
    held: bool = True
    retry_after: float | None = None

    @property
    def waits(self) -> bool:
        """Whether all that is tried later waits for nothing but its lane."""
        return self.held and bool(self.later)

    @property
    def suspect(self) -> bool:
        """Whether one of its events may be what Platform stumbles over."""
        if self.batch.tries < SUSPECT_FAULTS:
            return False
        return any(_stumbles(self.batch.history(at)) >= SUSPECT_FAULTS for at in self.messages)

    def stumbled_over(self, position: int, outcome: Outcome) -> int:
        """How often Platform answered 500 to the event, the last times it was tried, and with this
        outcome too; 0 when the outcome is another, or the lane's."""
        if outcome.status != _STUMBLED or not outcome.counts:
            return 0
        # The history holds what an outage answered, too; the number of tries does not.
        return 1 + min(self.batch.tries, _stumbles(self.batch.history(position)))

    @property
    def mapping(self) -> str:
        """Label of the version, "" where none is at work."""
        return self.version.label

    @property
    def run(self) -> int:
        """Number of the replay run that the batch belongs to, all of it; 0 = none."""
        return run_of(self.batch.history(0)) if self.batch.histories else 0

    @property
    def claim(self) -> int:
        """Number of the batch in whose name the events are claimed."""
        return self.batch.claim if self.batch.claim > 0 else self.taken.batch_id.number

    def forget(self, position: int) -> None:
        """Takes an event out of what is on its way; the caller counts it."""
        del self.ids[position]
        self.messages.pop(position, None)
        self.faults.pop(position, None)

    def age_start_ms(self, position: int) -> int:
        """From when an event's age counts: its receipt, or its last replay."""
        marks = [r.last_ms for r in self.batch.history(position) if r.failure == REPLAYED]
        return max([self.batch.received_ms[position], *marks])

    def attempt(self, position: int, outcome: Outcome) -> tuple[AttemptRun, ...]:
        """The event's history with this outcome added."""
        history = self.batch.history(position)
        if not outcome.attempted:
            return history
        failure = outcome.failure.value if outcome.failure else ""
        run = AttemptRun(
            self.now_ms, self.now_ms, 1, failure,
            outcome.status, outcome.code, outcome.message, outcome.receipt,
        )  # fmt: skip
        return add_attempt(history, run)

    def try_later(self, position: int, outcome: Outcome) -> None:
        """Puts an event into the batch that follows this one."""
        if not self.batch.histories:
            self.batch.histories = [()] * len(self.batch.bodies)
        self.batch.histories[position] = self.attempt(position, outcome)
        self.later.append(position)
        self.counts |= outcome.counts
        self.held &= outcome.held
        if outcome.retry_after is not None:
            self.retry_after = max(self.retry_after or 0.0, outcome.retry_after)

    def fault(self, position: int, fault: EventFault, record: bytes | None = None) -> None:
        """Makes a dead letter of an event whose own fault it is."""
        failure = _CLASS_OF_STAGE[fault.stage]
        where = (fault.stage, fault.code, fault.path, fault.detail, fault.row)
        mapping = "" if failure is Failure.UNREADABLE else self.mapping
        self._bury(position, failure, where, mapping, record, self.batch.history(position))

    def rejected(
        self, position: int, failure: Failure, outcome: Outcome, record: bytes | None
    ) -> None:
        """Makes a dead letter of an event that Platform refused, or that waited too long."""
        where = ("send", outcome.code, outcome.path, outcome.message, self._row_at(outcome.path))
        history = self.attempt(position, outcome)
        self._bury(position, failure, where, self.mapping, record, history)

    def poison(self, position: int, takes: int) -> None:
        """Makes a dead letter of an event on which the worker died again and again."""
        detail = f"the worker stopped without a result {takes} times while it held this event alone"
        where = ("work", "poison", "", detail, "")
        self._bury(position, Failure.INTERNAL, where, "", None, self.batch.history(position))

    def settlement(self, delay_ms: int) -> Settlement:
        """What the store is to book."""
        return Settlement(
            duplicates=self.duplicates,
            tests=self.tests,
            delivered=self.delivered,
            successors=(self._successor(delay_ms),) if self.later else (),
            letters=self.letters,
            trace=encode_trace(
                min(self.batch.received_ms, default=0),
                len(self.batch.bodies),
                self.duplicates,
                self.tests,
                self.delivered,
                len(self.letters),
                self.requests,
                self.mapping,
                self.taken.batch_id.hour,
            ),
            run=self.run,
        )

    def part(self, positions: Sequence[int], takes: int) -> Successor:
        """A batch of the events at `positions`, due at once, as if taken `takes` times before."""
        part = self.batch.part(positions)
        if part.claim >= 0:
            part.claim = self.claim
        return Successor(0, len(positions), encode(part), takes, self.claim)

    def _successor(self, delay_ms: int) -> Successor:
        part = self.batch.part(self.later)
        part.claim = self.claim
        part.tries = self.batch.tries + (1 if self.counts else 0)
        return Successor(delay_ms, len(self.later), encode(part), 0, self.claim, self.waits)

    def _row_at(self, path: str) -> str:
        """The row that writes the place that Platform complains of."""
        mapping = self.version.mapping
        row = mapping.row_at(path) if mapping is not None and path else None
        return str(row) if row else ""

    def _bury(
        self,
        position: int,
        failure: Failure,
        where: tuple[str, str, str, str, str],
        mapping: str,
        record: bytes | None,
        history: tuple[AttemptRun, ...],
    ) -> None:
        body = self.batch.bodies[position]
        event_id, kind = peek_event(body)
        if position in self.batch.ready:
            body, record = b"", body
        stage, code, path, detail, row = where
        summary = DeadLetterSummary(
            0, self.taken.batch_id.connection, self.taken.batch_id.hour,
            stage, failure.value, code, path, detail, row, kind, event_id,
            self.batch.received_ms[position], self.now_ms, mapping,
            replays=times_replayed(history), run=run_of(history),
        )  # fmt: skip
        self.letters.append(DeadLetter(summary, body, record, history))
