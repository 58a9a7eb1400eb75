"""How both ends stand, as remembered: a look is some thirty calls to two vendors, with limits.

However many watch, a connection is looked at once at a time, and at most once a minute.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from app.connect.standing import Standing
from app.web.console.both_ends.wording import told
from app.web.console.panels import Panel, now_ms

FRESH_SECONDS: Final = 60.0
# Some thirty calls, each of which is tried again when a vendor is busy.
_LONGEST_SECONDS: Final = 180.0
# Of all connections: they may be of one organization, and share its limits.
_AT_ONCE: Final = 3


class Looks:
    """`ask`: looks now; what it raises is told."""

    def __init__(self, ask: Callable[[str], Awaitable[Standing]]) -> None:
        self._ask = ask
        self._known: dict[str, Panel[Standing]] = {}
        self._asked_at: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def known(self, name: str) -> Panel[Standing]:
        """What is remembered."""
        return self._known.get(name) or Panel(None, now_ms())

    def looking(self, name: str) -> bool:
        """Whether a look is under way."""
        return name in self._tasks

    def stale(self, name: str) -> None:
        """Something was changed: the next who asks has it looked at anew."""
        self._asked_at.pop(name, None)

    def begin(self, name: str) -> None:
        """Has it looked at, unless that was done just now."""
        asked = self._asked_at.get(name)
        fresh = asked is not None and time.monotonic() - asked < FRESH_SECONDS
        if name in self._tasks or fresh:
            return
        self._asked_at[name] = time.monotonic()
        task = asyncio.create_task(self._look(name))
        self._tasks[name] = task
        task.add_done_callback(lambda _task: self._tasks.pop(name, None))

    async def wait(self, name: str, seconds: float) -> Panel[Standing]:
        """What is known after so long at most."""
        self.begin(name)
        if task := self._tasks.get(name):
            await asyncio.wait({task}, timeout=seconds)
        return self.known(name)

    async def close(self) -> None:
        """Ends what is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, name: str) -> None:
        try:
            async with self._turns, asyncio.timeout(_LONGEST_SECONDS):
                self._known[name] = Panel(await self._ask(name), now_ms())
        except TimeoutError:
            self._failed(name, f"A look took longer than {_LONGEST_SECONDS:.0f} seconds.")
        except Exception as fault:
            self._failed(name, told(fault))

    def _failed(self, name: str, why: str) -> None:
        before = self.known(name)
        self._known[name] = Panel(before.data, before.at_ms, why)
