"""How many requests may be under way: one more while Platform answers as quickly as it used to.

Vector's adaptive request concurrency, which is AIMD (Chiu and Jain 1989) on the round-trip time:
slower than the mean by 2.5 mean deviations, or no proper answer at all: a tenth less; as quick as
usual with all places taken: one more. The numbers are Vector's defaults.
"""

from __future__ import annotations

from typing import Final

_ALPHA: Final = 0.4
_DEVIATIONS: Final = 2.5
_KEPT: Final = 0.9
# Times this short differ by chance alone.
_NOISE_SECONDS: Final = 0.05


class Concurrency:
    """One lane's, in one process. `most`: never more; begins with a quarter of it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = max(1.0, most / 4)
        self._mean = -1.0
        self._deviation = 0.0

    @property
    def limit(self) -> int:
        """Requests that may be under way, at least 1."""
        return int(self._limit)

    def answered(self, seconds: float, *, full: bool) -> None:
        """A request was answered after `seconds`; `full`: all places were taken at the time."""
        if self._mean < 0:
            self._mean, self._deviation = seconds, seconds / 2
        slow = self._mean + max(_NOISE_SECONDS, _DEVIATIONS * self._deviation)
        if seconds > slow:
            self._less()
        elif full:
            self._limit = min(float(self._most), self._limit + 1.0)
        error = seconds - self._mean
        self._mean += _ALPHA * error
        self._deviation += _ALPHA * (abs(error) - self._deviation)

    def failed(self) -> None:
        """A request met a fault of Platform's, or a time-out."""
        self._less()

    def _less(self) -> None:
        self._limit = max(1.0, self._limit * _KEPT)
