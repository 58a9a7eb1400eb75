"""When failures are enough to stop asking: the counting half of a circuit breaker.

After Nygard, "Release It!": it opens on several failures in a row, or when most of what was asked
lately failed, never on one. The open state, its growing time and the single probe that ends it are
shared by all workers (app.store.lanes).
"""

from __future__ import annotations

from collections import deque
from typing import Final

IN_A_ROW: Final = 5
_ROW_SECONDS: Final = 60.0
_WINDOW_SECONDS: Final = 10.0
_WINDOW_LEAST: Final = 20
_FAILING_SHARE: Final = 0.5
_EXPECTED_WEIGHT: Final = 0.25


class Breaker:
    """One lane's requests as one process sees them. Times: seconds of any clock that only grows."""

    def __init__(self) -> None:
        self._row = 0.0
        self._failed_at = 0.0
        self._lately: deque[tuple[float, bool]] = deque()
        self._failing = 0

    def succeeded(self, now: float) -> None:
        """Platform answered as it should, whatever it said of the messages."""
        self._row = 0.0
        self._note(now, failed=False)

    def failed(self, now: float, *, expected: bool = False) -> bool:
        """A request failed for a reason that is not its own. Whether it is time to open.

        `expected`: many of its kind will, for they are the search for bad messages: these count in
        a row only, and little.
        """
        if now - self._failed_at > _ROW_SECONDS:
            self._row = 0.0
        self._failed_at = now
        self._row += _EXPECTED_WEIGHT if expected else 1.0
        if not expected:
            self._note(now, failed=True)
        if self._row >= IN_A_ROW:
            return True
        return (
            len(self._lately) >= _WINDOW_LEAST
            and self._failing >= len(self._lately) * _FAILING_SHARE
        )

    def reset(self) -> None:
        """It was opened, or closed again: what was before says nothing any more."""
        self._row, self._failing = 0.0, 0
        self._lately.clear()

    def _note(self, now: float, *, failed: bool) -> None:
        self._lately.append((now, failed))
        self._failing += failed
        while self._lately[0][0] < now - _WINDOW_SECONDS:
            self._failing -= self._lately.popleft()[1]
