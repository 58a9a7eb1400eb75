"""What the collection endpoints count by inlet and hour (platform.md section 6.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.sandbox.lake.calendar import Calendar, Span

_HOURS_KEPT: Final = 10_000


@dataclass(slots=True)
class Meter:
    """`success` and `failure` are HTTP calls; `size`: bytes of the messages taken."""

    success: int = 0
    failure: int = 0
    messages: int = 0
    size: int = 0


class Meters:
    """Bounded: the newest 10,000 pairs of inlet and hour."""

    def __init__(self, calendar: Calendar, clock: Callable[[], float]) -> None:
        self.by_hour: dict[tuple[str, float], Meter] = {}
        self._calendar = calendar
        self._clock = clock
        self._hour = Span(0.0, 0.0)

    def of(self, inlet_id: str) -> Meter:
        """The meter that runs now."""
        now = self._clock()
        if not self._hour.start <= now < self._hour.end:
            self._hour = self._calendar.hour(now)
        meter = self.by_hour.get((inlet_id, self._hour.start))
        if meter is None:
            meter = self.by_hour[inlet_id, self._hour.start] = Meter()
            if len(self.by_hour) > _HOURS_KEPT:
                del self.by_hour[next(iter(self.by_hour))]
        return meter

    def take(self, inlet_id: str, messages: int, size: int) -> None:
        """Count messages that were taken, of `size` bytes each."""
        meter = self.of(inlet_id)
        meter.messages += messages
        meter.size += messages * size

    def clear(self) -> None:
        """Forget all counts."""
        self.by_hour.clear()

    def turn(self) -> None:
        """Ask the calendar again: an hour was closed early."""
        self._hour = Span(0.0, 0.0)
