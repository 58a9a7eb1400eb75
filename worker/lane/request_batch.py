"""Filling request batches: the messages of many send() calls, packed up to the limits.

Works in slices of calls, never message by message.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from app.core.outcome import Outcome
from app.core.platform import body_size

# Told of outcomes that come in before the last ones: (position of the first, outcomes).
Told = Callable[[int, Sequence[Outcome]], None]


class Call:
    """One send() call: its messages, and the outcomes as they come in."""

    __slots__ = ("_missing", "_sizes", "_told", "alone", "done", "messages", "outcomes")

    def __init__(
        self,
        messages: Sequence[bytes],
        *,
        alone: bool = False,
        told: Told | None = None,
    ) -> None:
        self.messages = messages
        self._told = told
        self.outcomes: list[Outcome | None] = [None] * len(messages)
        self.alone = alone
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._missing = len(messages)
        self._sizes = list(accumulate(map(len, messages), initial=0))

    def bytes_between(self, start: int, end: int) -> int:
        return self._sizes[end] - self._sizes[start]

    def fit(self, start: int, count: int, size: int, limits: FillLimits) -> int:
        """The `end` up to which messages from `start` fit beside `count` of `size` bytes."""
        most = min(len(self.messages), start + limits.max_messages - count)
        if most <= start:
            return start
        base = size - self._sizes[start]
        fits = bisect_right(
            range(start + 1, most + 1),
            limits.max_bytes,
            key=lambda end: body_size(count + end - start, base + self._sizes[end]),
        )
        return start + fits

    def settle(self, start: int, outcomes: Sequence[Outcome]) -> None:
        """Enters the outcomes of the messages from `start`; the last ones wake the caller."""
        self.outcomes[start : start + len(outcomes)] = outcomes
        self._missing -= len(outcomes)
        if self._missing > 0:
            if self._told is not None:
                self._told(start, outcomes)
        elif not self.done.done():
            self.done.set_result(None)


@dataclass(frozen=True, slots=True)
class FillLimits:
    """The size of one request: bytes of its body, messages in it."""

    max_bytes: int
    max_messages: int


@dataclass(slots=True)
class RequestBatch:
    """The messages of one POST, and whose they are: (call, start, end) in order."""

    messages: list[bytes] = field(default_factory=list)
    slices: list[tuple[Call, int, int]] = field(default_factory=list)
    size: int = 0

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Hands one outcome per message, in order, back to the calls."""
        at = 0
        for call, start, end in self.slices:
            call.settle(start, outcomes[at : at + end - start])
            at += end - start


class Backlog:
    """Messages waiting for a request batch, first come first served."""

    def __init__(self) -> None:
        self._calls: deque[tuple[Call, int]] = deque()
        self.messages = 0
        self.bytes = 0

    def add(self, call: Call) -> None:
        self._calls.append((call, 0))
        self._count(call, 0, len(call.messages), 1)

    def fills(self, limits: FillLimits) -> bool:
        """Whether what waits makes a full request."""
        full = self.messages >= limits.max_messages
        return full or body_size(self.messages, self.bytes) >= limits.max_bytes

    def take(self, limits: FillLimits) -> RequestBatch | None:
        """The next full-as-can-be request batch; None when nothing waits.

        A message over the byte limit goes alone. Calls given up by their callers are dropped.
        """
        batch = RequestBatch()
        while self._calls:
            call, start = self._calls[0]
            if call.done.done():
                self._calls.popleft()
                self._count(call, start, len(call.messages), -1)
                continue
            if call.alone and batch.messages:
                break
            end = call.fit(start, len(batch.messages), batch.size, limits)
            if call.alone or (end == start and not batch.messages):
                end = start + 1
            if end == start:
                break
            self._move(call, start, end, batch)
            if call.alone or end < len(call.messages):
                break
        return batch if batch.messages else None

    def _move(self, call: Call, start: int, end: int, batch: RequestBatch) -> None:
        whole = start == 0 and end == len(call.messages)
        batch.messages += call.messages if whole else call.messages[start:end]
        batch.slices.append((call, start, end))
        batch.size += call.bytes_between(start, end)
        self._count(call, start, end, -1)
        if end == len(call.messages):
            self._calls.popleft()
        else:
            self._calls[0] = (call, end)

    def _count(self, call: Call, start: int, end: int, sign: int) -> None:
        self.messages += sign * (end - start)
        self.bytes += sign * call.bytes_between(start, end)
