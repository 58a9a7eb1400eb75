"""Asynchronous validation: what was received shows as failed, or as landed, only some time later.

Failures have the shape of a failed batch's lines, or of its row errors (platform.md section 6.2).
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from app.sandbox.config import Inlet, LineStyle
from app.sandbox.control.rule import Rule
from app.sandbox.lake.lake import Lake, is_row_error
from app.sandbox.plane.judge import Judge
from app.sandbox.platform.lines import failed_line, row_line
from app.sandbox.platform.validation import Violation

# Checked in one go before others get their turn: about ten milliseconds.
_SLICE: Final = 200


@dataclass(frozen=True, slots=True)
class Failed:
    """`line`: JSON, the message as received with its errors added. Times are Unix seconds."""

    number: int
    record_id: str | None
    inlet_id: str
    failed_at: float
    line: bytes


@dataclass(slots=True)
class _Waiting:
    """`due`: seconds of the loop's clock; `lands`: Unix seconds, at which the lake gets it."""

    due: float
    lands: float
    inlet: Inlet
    record_id: str | None
    message: Any
    size: int
    fate: Rule | None


class Later:
    """Messages that wait for their validation, and those that failed it.

    `delay_s` after receipt a message is looked at; when more than `keep` wait, the oldest are
    looked at early, so that memory stays bounded. The newest `keep` failures are kept, all counted.
    """

    def __init__(
        self,
        judge: Judge,
        lake: Lake,
        delay_s: float,
        keep: int,
        style: LineStyle,
        clock: Callable[[], float],
    ) -> None:
        self._judge = judge
        self.kept: deque[Failed] = deque(maxlen=max(1, keep))
        self.failed = 0
        self.passed = 0
        self._lake = lake
        self._delay_s = delay_s
        self._keep = max(1, keep)
        self._style: LineStyle = style
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def settled_up_to(self) -> float:
        """Unix seconds: the lake has everything that lands before this."""
        return self._waiting[0].lands if self._waiting else math.inf

    def waiting_ids(self) -> Iterator[tuple[str, str]]:
        """(inlet id, record id) of what waits and has an id."""
        for each in self._waiting:
            if each.record_id is not None:
                yield each.inlet.id, each.record_id

    def add(
        self, inlet: Inlet, record_id: str | None, message: Any, size: int, fate: Rule | None
    ) -> None:
        """Take one received message. `size`: bytes. `fate`: the fault on demand that it meets."""
        due = asyncio.get_running_loop().time() + self._delay_s
        lands = self._clock() + self._delay_s
        self._waiting.append(_Waiting(due, lands, inlet, record_id, message, size, fate))
        self._arrived.set()
        self._idle.clear()
        if len(self._waiting) > self._keep:
            self._look_at_oldest()

    def clear(self) -> None:
        """Forget everything: what waits, what failed, and the counts."""
        self._waiting.clear()
        self.kept.clear()
        self.failed = self.passed = 0
        self._idle.set()

    def look_at_all(self) -> None:
        """Validate what waits, due or not; what was to land later lands now."""
        now = self._clock()
        while self._waiting:
            self._waiting[0].lands = min(self._waiting[0].lands, now)
            self._look_at_oldest()
        self._idle.set()

    async def settled(self) -> None:
        """Returns when nothing waits any more."""
        await self._idle.wait()

    async def run(self) -> None:
        """Validate for ever, each message when it is due."""
        loop = asyncio.get_running_loop()
        while True:
            if not self._waiting:
                self._idle.set()
                self._arrived.clear()
                await self._arrived.wait()
                continue
            await asyncio.sleep(max(0.0, self._waiting[0].due - loop.time()))
            for _ in range(_SLICE):
                if not self._waiting or self._waiting[0].due > loop.time():
                    break
                self._look_at_oldest()

    async def background(self, _app: web.Application) -> AsyncIterator[None]:
        """cleanup_ctx: runs while the application does."""
        task = asyncio.create_task(self.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def _look_at_oldest(self) -> None:
        oldest = self._waiting.popleft()
        fate = oldest.fate
        if fate is not None and fate.vanish:
            self._lake.vanish(oldest.inlet, oldest.record_id)
            return
        violations = self._violations(oldest)
        if violations:
            self._fail(oldest, violations)
        elif fate is not None and fate.run_failed:
            self._lake.leave_out(oldest.inlet, oldest.lands, oldest.size, oldest.record_id)
        else:
            self.passed += 1
            self._lake.land(oldest.inlet, oldest.lands, oldest.size)

    def _violations(self, message: _Waiting) -> tuple[Violation, ...]:
        fate = message.fate
        if fate is not None and fate.lake_fail is not None:
            return (Violation.on_demand(fate.lake_path, fate.lake_fail, fate.lake_message),)
        return self._judge.violations(message.inlet, message.message, self._clock())

    def _fail(self, failed: _Waiting, violations: tuple[Violation, ...]) -> None:
        code = violations[0].code
        if is_row_error(code):
            line, pile = row_line(failed.inlet, failed.message, violations), self._lake.drop_row
        else:
            line = failed_line(self._style, failed.message, violations)
            pile = self._lake.refuse
        pile(failed.inlet, failed.lands, failed.size, failed.record_id, code, line)
        self.failed += 1
        self.kept.append(
            Failed(self.failed, failed.record_id, failed.inlet.id, self._clock(), line)
        )
