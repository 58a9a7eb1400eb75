"""Platform's hours and micro-batches. Times are real Unix seconds; only the lengths are set. Pure.

A streaming flow has one run per hour (platform.md section 6.1) and is written in micro-batches of
roughly 15 minutes (section 2.7). A micro-batch never spans two hours.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass
from typing import Final

_CLOSINGS_KEPT: Final = 1_000
# An hour that is closed on demand holds the moment at which it was closed.
_MOMENT_S: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to, but without, `end`."""

    start: float
    end: float


class Calendar:
    """Hours begin at multiples of their length since the epoch, or where one was closed early."""

    def __init__(self, hour_seconds: float, batch_minutes: float) -> None:
        self.hour_s = hour_seconds
        self._batch_s = hour_seconds * batch_minutes / 60
        self._closings: list[float] = []

    def hour(self, at: float) -> Span:
        """The hour that `at` lies in."""
        start = at // self.hour_s * self.hour_s
        end = start + self.hour_s
        after = bisect_right(self._closings, at)
        if after:
            start = max(start, self._closings[after - 1])
        if after < len(self._closings):
            end = min(end, self._closings[after])
        return Span(start, end)

    def batch(self, at: float) -> Span:
        """The micro-batch that `at` lies in."""
        hour = self.hour(at)
        start = hour.start + (at - hour.start) // self._batch_s * self._batch_s
        return Span(start, min(start + self._batch_s, hour.end))

    def close(self, now: float) -> float:
        """End the hour of `now` right after it; where it ended."""
        end = min(now + _MOMENT_S, self.hour(now).end)
        insort(self._closings, end)
        del self._closings[:-_CLOSINGS_KEPT]
        return end
