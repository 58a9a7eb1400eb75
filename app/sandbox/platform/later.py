"""Asynchronous validation: what was received shows as failed only some time afterwards.

Failures have the shape of a failed batch's lines (platform.md section 6.2, point 3).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from app.sandbox.platform.validation import Validator

# Checked in one go before others get their turn: about ten milliseconds.
_SLICE: Final = 200


@dataclass(frozen=True, slots=True)
class Failed:
    """`message`: as received, with `_errors` added. Times are Unix seconds."""

    number: int
    record_id: str | None
    inlet_id: str
    failed_at: float
    message: dict[str, Any]


class Later:
    """Messages that wait for their validation, and those that failed it.

    `delay_s` after receipt a message is looked at; when more than `keep` wait, the oldest are
    looked at early, so that memory stays bounded. The newest `keep` failures are kept, all counted.
    """

    def __init__(
        self, validator: Validator, delay_s: float, keep: int, clock: Callable[[], float]
    ) -> None:
        self.validator = validator
        self.kept: deque[Failed] = deque(maxlen=max(1, keep))
        self.failed = 0
        self.passed = 0
        self._delay_s = delay_s
        self._keep = max(1, keep)
        self._clock = clock
        self._waiting: deque[tuple[float, str, str | None, dict[str, Any]]] = deque()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def add(self, inlet_id: str, record_id: str | None, message: dict[str, Any]) -> None:
        """Take one received XDM message for validation after the delay."""
        due = asyncio.get_running_loop().time() + self._delay_s
        self._waiting.append((due, inlet_id, record_id, message))
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
            await asyncio.sleep(max(0.0, self._waiting[0][0] - loop.time()))
            for _ in range(_SLICE):
                if not self._waiting or self._waiting[0][0] > loop.time():
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
        _, inlet_id, record_id, message = self._waiting.popleft()
        now = self._clock()
        violations = self.validator.check(message["body"]["xdmEntity"], now)
        if not violations:
            self.passed += 1
            return
        self.failed += 1
        errors = [
            {"code": violation.code, "message": f"{violation.pointer}: {violation.message}"}
            for violation in violations
        ]
        line = {**message, "_errors": {"_streamingValidation": errors}}
        self.kept.append(Failed(self.failed, record_id, inlet_id, now, line))
