"""Group commit: many webhooks, one Redis transaction, one fsync (design.md section 3 step 2).

As a Kafka producer does with records. An event joins its connection's open batch. The batch leaves

* at once (after what is ready in the event loop has joined) when no commit is under way, or when
  none was begun in the last `linger_ms`;
* else when that time is over, when a commit comes back, when it is full, or when it is worth a
  commit and the process has nothing else to do.

So one client that posts serially never waits for company, and under load batches grow by
themselves. Several commits may be under way. All events of a batch await one shared future; no
object is made per event.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from app.core.errors import StoreUnavailable
from app.web.bell import Bell
from app.web.body import Room
from app.web.config import ReceiverConfig
from app.web.fault_log import FaultLog
from app.web.metrics import Tally

CONFIRMED: Final = ""
OVERDUE: Final = "slow"

# A commit costs the CPU about as much as eight webhooks: a batch of twice as many need not wait for
# more while the process is idle. (Eight came to 0.91 of a bare handler at 64 connections, sixteen
# to 0.97, in two runs of `make bench` one after the other.)
_WORTH_A_COMMIT: Final = 16

Encode = Callable[[Sequence[bytes], Sequence[int]], bytes]


class CommitStore(Protocol):
    """Where batches become safe."""

    async def commit(self, connection: str, frame: bytes, events: int) -> str:
        """Durable when it returns; the batch's id. Raises StoreUnavailable."""


class CommitWatch(Protocol):
    """Is told how commits end: the shedding's ear."""

    def commit_confirmed(self) -> None: ...

    def commit_failed(self, reason: str) -> None: ...


class _Batch:
    """An event batch on its way. `confirmed` resolves to CONFIRMED or to a refusal's reason."""

    __slots__ = ("bodies", "confirmed", "guard", "received_ms", "size")

    def __init__(self, confirmed: asyncio.Future[str]) -> None:
        self.bodies: list[bytes] = []
        self.received_ms: list[int] = []
        self.size = 0
        self.confirmed = confirmed
        self.guard: asyncio.TimerHandle | None = None

    def settle(self, result: str) -> None:
        if self.guard is not None:
            self.guard.cancel()
        if not self.confirmed.done():
            self.confirmed.set_result(result)


class GroupCommit:
    """The open batch of one connection, and those under way. Lives in one event loop."""

    def __init__(
        self,
        connection: str,
        store: CommitStore,
        encode: Encode,
        config: ReceiverConfig,
        watch: CommitWatch,
        tally: Tally,
        pending: Room,
        bell: Bell,
        faults: FaultLog,
    ) -> None:
        self._connection = connection
        self._store = store
        self._encode = encode
        self._watch = watch
        self._tally = tally
        self._pending = pending
        self._bell = bell
        self._faults = faults
        self._linger = config.linger_ms / 1000
        self._max_events = config.batch_max_events
        self._max_bytes = config.batch_max_bytes
        self._max_in_flight = config.max_commits_in_flight
        self._timeout = config.commit_timeout_seconds
        self._deadline = config.answer_deadline_seconds
        self._loop = asyncio.get_running_loop()
        self._open: _Batch | None = None
        self._sealed: deque[_Batch] = deque()
        self._departure: asyncio.Handle | None = None
        self._last_begun = float("-inf")
        self._in_flight = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def join(self, body: bytes, received_ms: int) -> asyncio.Future[str]:
        """The future that all events of the batch await; never cancel it.

        Resolves, within the answer deadline, to CONFIRMED or to why the event was not accepted.
        """
        batch = self._open
        if batch is not None and batch.size + len(body) > self._max_bytes:
            self._seal(batch)
            batch = None
        if batch is None:
            batch = self._begin()
        batch.bodies.append(body)
        batch.received_ms.append(received_ms)
        batch.size += len(body)
        self._pending.size += len(body)
        if len(batch.bodies) >= self._max_events or batch.size >= self._max_bytes:
            self._seal(batch)
        elif len(batch.bodies) == _WORTH_A_COMMIT:
            self._loop.call_soon(self._look_round, batch, 0)
        return batch.confirmed

    async def close(self) -> None:
        """Send what is open, and wait until nothing is under way. No joins after this."""
        if self._open is not None:
            self._seal(self._open)
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    def _begin(self) -> _Batch:
        batch = _Batch(self._loop.create_future())
        batch.guard = self._loop.call_later(self._deadline, self._overdue, batch)
        self._open = batch
        self._schedule()
        return batch

    def _schedule(self) -> None:
        """Say when the open batch leaves. `call_soon` lets join what the loop has ready."""
        if self._departure is not None:
            self._departure.cancel()
        due = self._last_begun + self._linger
        if self._in_flight == 0 or due <= self._loop.time():
            self._departure = self._loop.call_soon(self._depart)
        else:
            self._departure = self._loop.call_at(due, self._depart)

    def _depart(self) -> None:
        self._departure = None
        # Without a free place it keeps on filling; the next commit that returns takes it.
        if self._open is not None and self._in_flight < self._max_in_flight:
            self._seal(self._open)

    def _look_round(self, batch: _Batch, events_before: int) -> None:
        """Once per turn of the event loop: a turn in which nothing joined means it is idle."""
        events = len(batch.bodies)
        if batch is not self._open:
            return
        if events > events_before:
            self._loop.call_soon(self._look_round, batch, events)
        else:
            self._depart()

    def _seal(self, batch: _Batch) -> None:
        self._open = None
        if self._departure is not None:
            self._departure.cancel()
            self._departure = None
        self._sealed.append(batch)
        self._pump()

    def _pump(self) -> None:
        while self._sealed and self._in_flight < self._max_in_flight:
            self._in_flight += 1
            self._last_begun = self._loop.time()
            task = self._loop.create_task(self._run(self._sealed.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, batch: _Batch) -> None:
        began = self._loop.time()
        batch_id, result = "", "stopping"
        try:
            batch_id, result = await self._commit(batch)
        finally:
            self._tally.committed(len(batch.bodies), self._loop.time() - began, result)
            self._leave(batch, result)
        if batch_id:
            self._bell.ring_for(batch_id)

    async def _commit(self, batch: _Batch) -> tuple[str, str]:
        """(batch id, CONFIRMED) or ("", reason)."""
        try:
            frame = self._encode(batch.bodies, batch.received_ms)
            # Only so that a place is never lost for good; the events were answered long before.
            async with asyncio.timeout(self._timeout):
                batch_id = await self._store.commit(self._connection, frame, len(batch.bodies))
        except TimeoutError:
            self._watch.commit_failed(OVERDUE)
            return "", OVERDUE
        except StoreUnavailable as fault:
            self._watch.commit_failed(fault.reason)
            return "", fault.reason
        except Exception as fault:  # whatever it is, it is ours: 503, and Customer.io tries again
            self._faults.report(fault)
            return "", "internal"
        self._watch.commit_confirmed()
        return batch_id, CONFIRMED

    def _leave(self, batch: _Batch, result: str) -> None:
        """A commit is over: answer its events, and let the next batch go."""
        self._in_flight -= 1
        self._pending.size -= batch.size
        batch.settle(result)
        self._pump()
        if self._open is not None:
            self._schedule()

    def _overdue(self, batch: _Batch) -> None:
        """The deadline, counted from the batch's first event: answer before Customer.io gives up.

        A commit that is under way goes on; if it succeeds, the retries are caught as duplicates.
        """
        if batch is self._open:
            self._open = None
            self._pending.size -= batch.size
        elif batch in self._sealed:
            self._sealed.remove(batch)
            self._pending.size -= batch.size
        self._watch.commit_failed(OVERDUE)
        batch.settle(OVERDUE)
