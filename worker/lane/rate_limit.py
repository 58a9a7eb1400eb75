"""A token bucket that lends: it never refuses, it says how long to wait."""

from __future__ import annotations

import math
from collections.abc import Callable


class RateLimit:
    """`per_second` units, with `burst_seconds` worth of them at once; infinite = no limit.

    What is reserved beyond that is debt, and the wait is what it takes to work it off: so waits
    come in the order of asking, and a request larger than the burst is not stuck for ever.
    """

    def __init__(
        self, per_second: float, clock: Callable[[], float], burst_seconds: float = 0.1
    ) -> None:
        self._rate = per_second
        self._clock = clock
        self._most = max(1.0, per_second * burst_seconds)
        self._level = self._most
        self._at = clock()

    def reserve(self, units: float) -> float:
        """Takes units; seconds to wait before using them."""
        if math.isinf(self._rate):
            return 0.0
        now = self._clock()
        self._level = min(self._most, self._level + max(0.0, now - self._at) * self._rate)
        self._at = now
        self._level -= units
        return max(0.0, -self._level / self._rate)
