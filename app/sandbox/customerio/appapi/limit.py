"""How often an App API key may call (customerio.md section 10). Pure: the caller gives the time."""

from __future__ import annotations

from collections import deque


class PerSecond:
    """At most `allowed` in any second: the strictest reading of "10 requests a second"."""

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._taken: deque[float] = deque()

    def take(self, now: float) -> bool:
        """Whether one more may pass at `now`, in seconds; one that may not does not count."""
        while self._taken and now - self._taken[0] >= 1.0:
            self._taken.popleft()
        if len(self._taken) >= self._allowed:
            return False
        self._taken.append(now)
        return True
