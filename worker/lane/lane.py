"""One connection's deliveries: request batches filled across jobs, and an Outcome per message.

`send` is all that a job needs. Filling is here, over request_batch.py; what happens to a filled
request is delivery.py's; whether the lane may send at all is gate.py's.
"""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from app.core.outcome import Failure, Outcome, failed
from app.core.platform import Inlet
from app.store.bells import EVENTS_PER_BELL
from worker.lane.allowance import Allowance, SharedBudget
from worker.lane.attempt import Attempts, LaneLimits, RequestWatch, TokenSource, internal
from worker.lane.delivery import Delivery
from worker.lane.exchange import Exchange
from worker.lane.gate import Entry, LaneGate, LaneStates
from worker.lane.request_batch import Backlog, Call, FillLimits, RequestBatch, Told

# More than this much work need not lie here: with a slow lane it would only wait.
_AHEAD_SECONDS: Final = 5.0
# What waited while webhooks came one by one lies in batches of one event.
_BATCHES_MOST: Final = 256
_NOT_SENT = failed(Failure.TRANSIENT, code="stopped", retry_after=0.0, attempted=False)


class Room(NamedTuple):
    """How much work a lane can take now; nothing while it is held back.

    `probe`: it is one message of this work that finds out whether the lane can go on; which one
    this is of all that did, 0 when the lane is open.
    """

    batches: int
    events: int
    probe: int = 0


class Lane:
    """One connection's lane in this process. Use `send`; `close` at the end."""

    def __init__(
        self,
        connection: str,
        inlet: Inlet,
        states: LaneStates,
        budget: SharedBudget,
        tokens: TokenSource | None = None,
        limits: LaneLimits | None = None,
        *,
        watch: RequestWatch | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._limits = limits = limits or LaneLimits()
        self._clock = clock
        self._exchange = Exchange(
            inlet, connections=limits.max_in_flight, timeout_seconds=limits.timeout_seconds
        )
        asker = uuid.uuid4().hex
        self._gate = LaneGate(
            connection,
            states,
            clock,
            asker=asker,
            probe_seconds=limits.timeout_seconds + 10,
            watch=watch,
        )
        self._allowance = Allowance(
            connection,
            _scope(inlet),
            budget,
            limits.messages_per_second,
            limits.requests_per_second,
            asker=asker,
            clock=clock,
            sleep=sleep,
        )
        self._attempts = Attempts(
            connection,
            self._exchange,
            self._gate,
            self._allowance,
            tokens if inlet.authenticated else None,
            limits,
            batches_proven=inlet.mode == "xdm",
            watch=watch,
            clock=clock,
        )
        self._delivery = Delivery(self._attempts, clock, limits.max_in_flight)
        self._fill = FillLimits(limits.max_bytes, limits.max_messages)
        self._backlog = Backlog()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._departed = -math.inf
        self._probes = 0
        self._closed = False

    async def room(self) -> Room:
        """How much work may be brought now; `give_back` when all of it is done. Raises nothing but
        CancelledError."""
        entry, probe = await self._gate.admits()
        rate = self._allowance.rate * _AHEAD_SECONDS
        if entry is Entry.SHUT or self._backlog.messages > rate:
            return Room(0, 0, probe)
        if entry is Entry.PROBE:
            return Room(1, 1, probe)
        return Room(_BATCHES_MOST, int(max(1, min(EVENTS_PER_BELL, rate))))

    async def give_back(self, room: Room) -> None:
        """What was brought into the room is done with: a probe that it did not send is anybody's.
        Raises nothing but CancelledError."""
        if room.probe:
            await self._gate.give_back(room.probe)

    async def send(
        self,
        messages: Sequence[bytes],
        *,
        alone: bool = False,
        suspect: bool = False,
        told: Told | None = None,
    ) -> list[Outcome]:
        """One outcome per message, in order. Raises nothing but CancelledError.

        `alone`: each message in a request of its own. `suspect`: for those that failed in company,
        in requests of no other call's, and halved until those that fail are alone. While the lane
        is held back the answer comes at once, with `retry_after`. `told` hears of outcomes that are
        known while others are still on their way.
        """
        if not messages:
            return []
        try:
            # A closed lane takes no probe: it would not send it.
            entered = _NOT_SENT if self._closed else await self._gate.enter()
            if self._closed:  # by now
                entered = _NOT_SENT
            if isinstance(entered, Outcome):
                return [entered] * len(messages)
            call = Call(messages, alone=alone, told=told)
            if entered:
                await self._probe(call)
            elif suspect:
                await self._search(call)
            else:
                self._backlog.add(call)
                self._pump()
                await call.done
            return [outcome or internal("no_outcome") for outcome in call.outcomes]
        except Exception as fault:
            return [self._attempts.unforeseen(fault)] * len(messages)

    async def close(self, grace_seconds: float = 10.0) -> None:
        """Waits for what is in flight, then cuts it off: those messages become UNKNOWN.

        What still waits for a request is given back unsent.
        """
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        while (rest := self._backlog.take(self._fill)) is not None:
            rest.settle([_NOT_SENT] * len(rest.messages))
        await self._exchange.close()

    def _pump(self) -> None:
        """Starts every request that is due: full, or the last one began `linger_ms` ago.

        So a lone message leaves at once, and under load a request carries many: a POST costs us
        as much as fifteen events, and Platform counts requests (platform.md section 2.7).
        """
        while (
            not self._closed and self._backlog.messages and len(self._tasks) < self._attempts.places
        ):
            fill = self._now_fill()
            left = self._departed + self._limits.linger_ms / 1000 - self._clock()
            if left > 0 and not self._backlog.fills(fill):
                if self._timer is None:
                    self._timer = asyncio.get_running_loop().call_later(left, self._lingered)
                return
            batch = self._backlog.take(fill)
            if batch is None:
                return
            self._departed = self._clock()
            self._attempts.waiting = self._backlog.messages
            task = asyncio.create_task(self._deliver(batch))
            self._tasks.add(task)
            task.add_done_callback(self._delivered)

    def _now_fill(self) -> FillLimits:
        most = 1 if self._delivery.singly else self._fill.max_messages
        return replace(self._fill, max_messages=self._allowance.request_size(most))

    def _lingered(self) -> None:
        self._timer = None
        self._pump()

    def _delivered(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._pump()

    async def _deliver(self, batch: RequestBatch) -> None:
        try:
            outcomes = await self._delivery.deliver(batch.messages)
        except asyncio.CancelledError:
            batch.settle([failed(Failure.UNKNOWN, code="stopped")] * len(batch.messages))
            raise
        except Exception as fault:
            outcomes = [self._attempts.unforeseen(fault)] * len(batch.messages)
        batch.settle(outcomes)

    async def _search(self, call: Call) -> None:
        start = 0
        while start < len(call.messages):
            end = max(start + 1, call.fit(start, 0, 0, self._fill))
            part = call.messages[start:end]
            call.settle(start, await self._delivery.deliver(part, suspect=True))
            start = end

    async def _probe(self, call: Call) -> None:
        """One message after a pause, alone: should it be what Platform stumbles over, then it is no
        other that suffers. The rest follows if it got through.

        Each time another one: a message that always fails must not speak for the lane for ever.
        """
        at = self._probes % len(call.messages)
        self._probes += 1
        chosen = call.messages[at : at + 1]
        others = [*call.messages[:at], *call.messages[at + 1 :]]
        try:
            answer = await self._attempts.attempt(chosen, probe=True)
            outcome = answer.outcomes[0]
            if outcome.held or outcome.failure is Failure.INTERNAL:
                rest = self._gate.held() or replace(outcome, attempted=False)
                _settle_around(call, at, answer.outcomes, [rest] * len(others))
                return
            await self._gate.reopen()
        finally:
            self._gate.abandon()
        call.settle(at, await self._delivery.follow(chosen, answer))
        if others:
            _settle_around(call, at, (), await self.send(others, alone=call.alone))


def _settle_around(
    call: Call, at: int, chosen: Sequence[Outcome], others: Sequence[Outcome]
) -> None:
    """Enters the outcome of the message at `at`, if it is given, and those of all others."""
    if chosen:
        call.settle(at, chosen)
    call.settle(0, others[:at])
    call.settle(at + 1, others[at:])


def _scope(inlet: Inlet) -> str:
    """Whose limits it shares: Platform's are an organization's (platform.md section 2.7)."""
    return f"{inlet.org_id or inlet.inlet_id}|{urlsplit(inlet.url).netloc}"
