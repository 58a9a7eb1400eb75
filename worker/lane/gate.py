"""Whether a lane may send now: the shared pause as this process knows it, and its own holds.

The shared state is asked for at most once a second; in between every answer is a look at a
variable. When a pause is over, one request of one process tests before the flood (half-open, as
in a circuit breaker).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

import structlog

from app.core.errors import StoreUnavailable
from app.core.outcome import Failure, Outcome, failed
from app.store.lanes import Gate, LaneState

_LOOK_SECONDS: Final = 1.0
# An operator's pause has no end: look again after this long.
_OPEN_END_SECONDS: Final = 30.0
_FIRST_PAUSE_SECONDS: Final = 60.0


class LaneStates(Protocol):
    """The shared side; app.store.lanes.Lanes is the one. Raises StoreUnavailable."""

    async def state(
        self, connection: str, *, probe_seconds: float = 0.0, asker: str = ""
    ) -> LaneState: ...
    async def pause(
        self, connection: str, reason: str, seconds: float | None
    ) -> tuple[float | None, bool]: ...
    async def resume(self, connection: str) -> bool: ...


class LaneGate:
    """One lane's gate in this process."""

    def __init__(
        self,
        connection: str,
        states: LaneStates,
        clock: Callable[[], float],
        *,
        asker: str,
        probe_seconds: float,
        first_pause_seconds: float = _FIRST_PAUSE_SECONDS,
    ) -> None:
        self._connection = connection
        self._states = states
        self._clock = clock
        self._asker = asker
        self._probe_seconds = probe_seconds
        self._first_pause = first_pause_seconds
        # Shared pause as known here; it stands, even past its time, until the shared state has
        # been asked again. And this process's own hold after a throttling answer.
        self._pause: Outcome | None = None
        self._pause_until = -math.inf
        self._hold: Outcome | None = None
        self._hold_until = -math.inf
        self._probing = False
        self._looked = -math.inf
        self._looking = asyncio.Lock()
        self._blind = False
        self._log = structlog.get_logger()

    def held(self) -> Outcome | None:
        """The outcome of everything while the lane is held back; None when it may send."""
        now = self._clock()
        if self._pause is not None:
            left = max(self._pause_until - now, _LOOK_SECONDS)
            return replace(self._pause, retry_after=left, attempted=False)
        return self._own_hold(now)

    def _own_hold(self, now: float) -> Outcome | None:
        if self._hold is None or self._hold_until <= now:
            return None
        return replace(self._hold, retry_after=self._hold_until - now, attempted=False)

    async def enter(self) -> Outcome | bool:
        """The outcome to give back at once; or True: send one request as a probe; or False: send.

        After True, `reopen`, `pause` or `abandon` must follow.
        """
        if self._must_look() and (held := self._own_hold(self._clock())) is not None:
            return held
        if self._must_look():
            async with self._looking:
                if self._must_look() and await self._look():
                    return True
        return self.held() or False

    def hold(self, outcome: Outcome, seconds: float) -> None:
        """Holds this process's side of the lane back; never shortens what is already held."""
        until = self._clock() + seconds
        if until > self._hold_until:
            self._hold, self._hold_until = outcome, until

    async def pause(self, outcome: Outcome) -> Outcome:
        """Holds the lane back for all workers, with an alarm; the outcome for its messages."""
        reason = str(outcome.failure or Failure.BLOCKED)
        try:
            shared, new = await self._states.pause(
                self._connection, f"{reason}:{outcome.code}", self._first_pause
            )
            seconds = _OPEN_END_SECONDS if shared is None else shared
        except StoreUnavailable:
            seconds, new = self._first_pause, True
        self._probing = False
        self._pause, self._pause_until = outcome, self._clock() + seconds
        if new:
            self._log.error(
                "lane.paused",
                connection=self._connection,
                reason=reason,
                code=outcome.code,
                status=outcome.status,
                seconds=round(seconds, 1),
            )
        return replace(outcome, retry_after=seconds)

    async def reopen(self) -> None:
        """The probe got through: the lane is open for all workers."""
        try:
            await self._states.resume(self._connection)
        except StoreUnavailable:
            self._looked = -math.inf
        self._probing, self._pause = False, None
        self._log.warning("lane.resumed", connection=self._connection)

    def abandon(self) -> None:
        """The probe came to nothing; the next one to enter probes."""
        self._probing = False

    def _must_look(self) -> bool:
        if self._probing:
            return False
        now = self._clock()
        over = self._pause is not None and now >= self._pause_until
        return over or now - self._looked >= _LOOK_SECONDS

    async def _look(self) -> bool:
        """Asks for the shared state; whether a probe is reserved for the caller."""
        try:
            state = await self._states.state(
                self._connection, probe_seconds=self._probe_seconds, asker=self._asker
            )
        except StoreUnavailable as fault:
            # Go on as before, open or paused, and ask again soon.
            self._looked = self._clock()
            self._pause_until = max(self._pause_until, self._looked + _LOOK_SECONDS)
            if not self._blind:
                self._log.warning("lane.state_unknown", reason=fault.reason)
            self._blind = True
            return False
        self._looked, self._blind = self._clock(), False
        return self._apply(state)

    def _apply(self, state: LaneState) -> bool:
        if state.gate is Gate.OPEN:
            self._pause = None
            return False
        name, _, _ = state.reason.partition(":")
        failure = Failure.CREDENTIALS if name == "credentials" else Failure.BLOCKED
        self._pause = failed(failure, code="lane_paused", message=state.reason)
        seconds = _OPEN_END_SECONDS if state.seconds is None else state.seconds
        if state.gate is Gate.PROBING:
            seconds = min(seconds, _LOOK_SECONDS)
        self._pause_until = self._clock() + seconds
        self._probing = state.gate is Gate.PROBE
        return self._probing
