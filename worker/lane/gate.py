"""Whether a lane may send now: the shared pause as this process knows it, and its own holds.

One machinery for everything that holds a lane back: broken credentials, an outage (the open circuit
breaker), Platform's Retry-After, an operator. The shared state is asked for at most once a second;
in between every answer is a look at a variable. When a pause is over, one request of one process
tests before the flood (half-open).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from typing import Final, Protocol

import structlog

from app.core.errors import StoreUnavailable
from app.core.outcome import POLICIES, Failure, Outcome, failed
from app.store.lanes import Gate, LaneState

_LOOK_SECONDS: Final = 1.0
# An operator's pause has no end: look again after this long.
_OPEN_END_SECONDS: Final = 30.0
# Who was let in to probe has so long to come to it.
_PROBE_BRINGS_SECONDS: Final = 10.0


class Entry(Enum):
    """Who may come in."""

    SHUT = "shut"
    PROBE = "probe"  # one, to find out
    OPEN = "open"


class LaneStates(Protocol):
    """The shared side; app.store.lanes.Lanes is the one. Raises StoreUnavailable."""

    async def state(
        self, connection: str, *, probe_seconds: float = 0.0, asker: str = ""
    ) -> LaneState: ...
    async def pause(
        self, connection: str, reason: str, seconds: float | None, *, longest: float
    ) -> tuple[float | None, bool]: ...
    async def resume(self, connection: str, *, by_probe: bool) -> bool: ...
    async def give_back(self, connection: str, asker: str) -> bool: ...


class HoldWatch(Protocol):
    """What metrics want to know of pauses."""

    def on_hold(self, connection: str, reason: str, *, ours: bool) -> None:
        """The lane is held back. `ours`: it was this process that found the reason."""
        ...

    def on_open(self, connection: str, held_seconds: float) -> None: ...


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
        watch: HoldWatch | None = None,
    ) -> None:
        self._connection = connection
        self._states = states
        self._clock = clock
        self._asker = asker
        self._probe_seconds = probe_seconds
        self._watch = watch
        # Shared pause as known here; it stands, even past its time, until the shared state has
        # been asked again. And this process's own hold while IMS is away.
        self._pause: Outcome | None = None
        self._pause_until = -math.inf
        self._paused_at = 0.0
        self._hold: Outcome | None = None
        self._hold_until = -math.inf
        # The probe is reserved for this process: somebody is to bring it by then, or it is on its
        # way (for ever: `reopen`, `pause` or `abandon` follow).
        self._reserved = False
        self._awaited_until = -math.inf
        # How many pieces of work were let in to probe; the last one is the one that is awaited.
        self._probes = 0
        self._looked = -math.inf
        self._looking = asyncio.Lock()
        self._blind = False
        self._log = structlog.get_logger()

    def held(self) -> Outcome | None:
        """The outcome of everything while the lane is held back; None when it may send."""
        now = self._clock()
        if self._pause is not None:
            left = max(self._pause_until - now, _LOOK_SECONDS)
            return replace(self._pause, retry_after=left, attempted=False, held=True)
        return self._own_hold(now)

    async def still_held(self) -> Outcome | None:
        """As `held`, after a look where what is known is old: for work that waited in the lane, and
        must not go out long after somebody held it back."""
        if self._pause is None:
            await self._find_out()
        return self.held()

    def _own_hold(self, now: float) -> Outcome | None:
        if self._hold is None or self._hold_until <= now:
            return None
        return replace(self._hold, retry_after=self._hold_until - now, attempted=False, held=True)

    async def admits(self) -> tuple[Entry, int]:
        """Whether work may be brought to the lane. After PROBE, one piece is waited for: its number
        is for `give_back`, which must follow; else 0."""
        await self._find_out()
        now = self._clock()
        if self._reserved and now >= self._awaited_until:
            self._awaited_until = now + _PROBE_BRINGS_SECONDS
            self._probes += 1
            return Entry.PROBE, self._probes
        return (Entry.SHUT if self.held() is not None else Entry.OPEN), 0

    async def give_back(self, probe: int) -> None:
        """The work that was let in as `probe` is done with. If it sent nothing, the next to ask
        probes, in whatever process; if it did, or was late and another is let in, nothing happens.
        """
        # Under the lock: a probe that we reserve after this one is not given back with it.
        async with self._looking:
            if self._reserved and self._awaited_until < math.inf and probe == self._probes:
                self._reserved = False
                with suppress(StoreUnavailable):  # then its time runs out
                    await self._states.give_back(self._connection, self._asker)

    async def enter(self) -> Outcome | bool:
        """The outcome to give back at once; or True: send one request as a probe; or False: send.

        After True, `reopen`, `pause` or `abandon` must follow.
        """
        await self._find_out()
        if self._reserved and self._awaited_until < math.inf:
            self._awaited_until = math.inf
            return True
        return self.held() or False

    def hold(self, outcome: Outcome, seconds: float) -> None:
        """Holds this process's side of the lane back; never shortens what is already held."""
        until = self._clock() + seconds
        if until > self._hold_until:
            self._hold, self._hold_until = outcome, until

    async def pause(self, outcome: Outcome, failure: Failure) -> Outcome:
        """Holds the lane back for all workers for what `failure` is; the outcome for its messages.

        For as long as the outcome asks, else as the failure's policy says.
        """
        policy = POLICIES[failure]
        # Of an outage the status says more than the text of one answer.
        outage = failure is Failure.TRANSIENT and outcome.status
        code = f"http_{outcome.status}" if outage else outcome.code
        reason = f"{failure}:{code}"
        seconds = policy.pause_seconds if outcome.retry_after is None else outcome.retry_after
        longest = max(policy.longest_seconds, outcome.retry_after or 0.0)
        new = was_open = self._pause is None
        # At once: what comes back while Redis is told has failed for the same reason.
        self._shut(failed(failure, code="lane_paused", message=reason), seconds)
        try:
            shared, new = await self._states.pause(
                self._connection, reason, seconds, longest=longest
            )
            seconds = _OPEN_END_SECONDS if shared is None else shared
            self._pause_until = self._clock() + seconds
        except StoreUnavailable:
            pass  # held back here alone
        self._reserved = False
        if self._watch is not None and (new or was_open):
            self._watch.on_hold(self._connection, reason, ours=new)
        if new:
            say = self._log.error if policy.pauses else self._log.warning
            say(
                "lane.paused",
                connection=self._connection,
                reason=str(failure),
                code=code,
                status=outcome.status,
                seconds=round(seconds, 1),
            )
        return replace(outcome, retry_after=seconds, held=True)

    async def reopen(self) -> None:
        """The probe got through: the lane is open for all workers."""
        try:
            if not await self._states.resume(self._connection, by_probe=True):
                # Open already, or paused by somebody since: the next to enter finds out.
                self._looked, self._pause_until = -math.inf, self._clock()
                return
        except StoreUnavailable:
            self._looked = -math.inf
        self._log.warning("lane.resumed", connection=self._connection)
        self._opened()

    def abandon(self) -> None:
        """The probe came to nothing; the next one to enter probes."""
        self._reserved = False

    def _must_look(self) -> bool:
        now = self._clock()
        if self._reserved:
            # Nobody brought it in time: the reservation may be somebody else's by now.
            return self._awaited_until > -math.inf and now >= self._awaited_until
        over = self._pause is not None and now >= self._pause_until
        return over or now - self._looked >= _LOOK_SECONDS

    async def _find_out(self) -> None:
        """Asks for the shared state when what is known of it is old."""
        if not self._must_look() or self._own_hold(self._clock()) is not None:
            return
        async with self._looking:
            if self._must_look():
                await self._look()

    async def _look(self) -> None:
        # Of before it was asked: a slow answer is no newer than that.
        asked = self._clock()
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
            return
        self._looked, self._blind = asked, False
        self._apply(state)

    def _apply(self, state: LaneState) -> None:
        self._reserved, self._awaited_until = False, -math.inf
        if state.gate is Gate.OPEN:
            self._opened()
            return
        seconds = _OPEN_END_SECONDS if state.seconds is None else state.seconds
        if state.gate is Gate.PROBING:
            seconds = min(seconds, _LOOK_SECONDS)
        outcome = failed(_failure_of(state.reason), code="lane_paused", message=state.reason)
        if self._watch is not None and self._pause is None:
            self._watch.on_hold(self._connection, state.reason, ours=False)
        self._shut(outcome, seconds)
        self._reserved = state.gate is Gate.PROBE

    def _shut(self, outcome: Outcome, seconds: float) -> None:
        now = self._clock()
        if self._pause is None:
            self._paused_at = now
        self._pause, self._pause_until = outcome, now + seconds

    def _opened(self) -> None:
        if self._pause is not None and self._watch is not None:
            self._watch.on_open(self._connection, self._clock() - self._paused_at)
        self._reserved, self._pause = False, None


def _failure_of(reason: str) -> Failure:
    """The class that a pause's reason begins with; an operator's is like a block."""
    name, _, _ = reason.partition(":")
    try:
        return Failure(name)
    except ValueError:
        return Failure.BLOCKED
