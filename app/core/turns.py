"""When calls may go that a server allows only so many of in a second. Pure."""

from __future__ import annotations


class Turns:
    """One call after the other, evenly, `per_second` of them."""

    def __init__(self, per_second: float) -> None:
        self._pause = 1 / per_second
        self._next_at = 0.0

    def wait(self, now: float) -> float:
        """Seconds until the turn of the call that asks; it has that turn. `now`: seconds."""
        turn = max(now, self._next_at)
        self._next_at = turn + self._pause
        return turn - now
