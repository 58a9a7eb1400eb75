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

from app.core.outcome import Failure, Outcome, failed
from app.core.platform import Inlet, Next
from worker.lane.delivery import Delivery, LaneLimits, RequestWatch, TokenSource, internal
from worker.lane.exchange import Exchange
from worker.lane.gate import LaneGate, LaneStates
from worker.lane.request_batch import Backlog, Call, FillLimits, RequestBatch, Told

_NOT_SENT = failed(Failure.TRANSIENT, code="stopped", retry_after=0.0, attempted=False)


class Lane:
    """One connection's lane in this process. Use `send`; `close` at the end."""

    def __init__(
        self,
        connection: str,
        inlet: Inlet,
        states: LaneStates,
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
        self._gate = LaneGate(
            connection,
            states,
            clock,
            asker=uuid.uuid4().hex,
            probe_seconds=limits.timeout_seconds + 10,
            first_pause_seconds=limits.pause_seconds,
        )
        self._delivery = Delivery(
            connection,
            self._exchange,
            self._gate,
            tokens if inlet.authenticated else None,
            limits,
            batches_proven=inlet.mode == "xdm",
            watch=watch,
            clock=clock,
            sleep=sleep,
        )
        self._fill = FillLimits(limits.max_bytes, limits.max_messages)
        self._backlog = Backlog()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._departed = -math.inf
        self._closed = False

    async def send(
        self, messages: Sequence[bytes], *, alone: bool = False, told: Told | None = None
    ) -> list[Outcome]:
        """One outcome per message, in order. Raises nothing but CancelledError.

        `alone`: each message in a request of its own, for those that failed in company. While
        the lane is held back the answer comes at once, with `retry_after`. `told` hears of outcomes
        that are known while others are still on their way.
        """
        if not messages:
            return []
        try:
            entered = await self._gate.enter()
            if self._closed:
                entered = _NOT_SENT
            if isinstance(entered, Outcome):
                return [entered] * len(messages)
            call = Call(messages, alone=alone, told=told)
            if entered:
                await self._probe(call)
            else:
                self._backlog.add(call)
                self._pump()
                await call.done
            return [outcome or internal("no_outcome") for outcome in call.outcomes]
        except Exception as fault:
            return [self._delivery.unforeseen(fault)] * len(messages)

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
        fill = replace(self._fill, max_messages=1) if self._delivery.singly else self._fill
        while (
            not self._closed
            and self._backlog.messages
            and len(self._tasks) < self._limits.max_in_flight
        ):
            left = self._departed + self._limits.linger_ms / 1000 - self._clock()
            if left > 0 and not self._backlog.fills(fill):
                if self._timer is None:
                    self._timer = asyncio.get_running_loop().call_later(left, self._lingered)
                return
            batch = self._backlog.take(fill)
            if batch is None:
                return
            self._departed = self._clock()
            task = asyncio.create_task(self._deliver(batch))
            self._tasks.add(task)
            task.add_done_callback(self._delivered)

    def _lingered(self) -> None:
        self._timer = None
        self._pump()

    def _delivered(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._pump()

    async def _deliver(self, batch: RequestBatch) -> None:
        try:
            outcomes = await self._delivery.resolve(batch.messages)
        except asyncio.CancelledError:
            batch.settle([failed(Failure.UNKNOWN, code="stopped")] * len(batch.messages))
            raise
        except Exception as fault:
            outcomes = [self._delivery.unforeseen(fault)] * len(batch.messages)
        batch.settle(outcomes)

    async def _probe(self, call: Call) -> None:
        """The first request after a pause, alone; the rest follows if it got through."""
        end = max(1, call.fit(0, 0, 0, self._fill)) if not call.alone else 1
        first = call.messages[:end]
        try:
            answer = await self._delivery.attempt(first, probe=True)
            held = answer.outcomes[0]
            if answer.next is Next.PAUSE or held.failure is Failure.CREDENTIALS:
                call.settle(0, answer.outcomes)
                call.settle(end, [replace(held, attempted=False)] * (len(call.messages) - end))
                return
            await self._gate.reopen()
        finally:
            self._gate.abandon()
        call.settle(0, await self._delivery.follow(first, answer))
        if end < len(call.messages):
            call.settle(end, await self.send(call.messages[end:], alone=call.alone))
