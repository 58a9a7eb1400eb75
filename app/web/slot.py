"""One place among the receiver's processes: a child in it, whatever becomes of the child."""

from __future__ import annotations

import asyncio
import math
import signal
import time
from collections.abc import Callable
from typing import Final

import structlog

from app.web.children import Child, Children

log = structlog.get_logger(__name__)

# The exit code of a child that refuses its configuration.
MISCONFIGURED: Final = 2


class Slot:
    """The place of one child: starts it, starts it again, replaces it.

    `misconfigured` is called when a child ended with MISCONFIGURED before any was ready here.
    """

    def __init__(self, children: Children, number: int, misconfigured: Callable[[], None]) -> None:
        self._children = children
        self._number = number
        self._misconfigured = misconfigured
        self._child: Child | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._retired: set[asyncio.Task[None]] = set()
        self._was_ready = False
        self._failures = 0

    async def start(self) -> None:
        self._child = await self._children.spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def replace(self) -> bool:
        """The new child serves before the old one retires. False: the old one stays."""
        fresh = await self._children.spawn()
        if not await fresh.ready(self._children.times.ready_seconds):
            fresh.signal(signal.SIGKILL)
            await fresh.ended
            self._children.bury(fresh)
            return False
        if self._keeper is not None:
            self._keeper.cancel()
        old, self._child = self._child, fresh
        self._was_ready = True
        self._keeper = asyncio.create_task(self._watch(fresh))
        if old is not None:
            task = asyncio.create_task(self._part(old, signal.SIGUSR2))
            self._retired.add(task)
            task.add_done_callback(self._retired.discard)
        return True

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        parting = set(self._retired)
        if self._child is not None:
            parting.add(asyncio.create_task(self._part(self._child, signal.SIGTERM)))
        if parting:
            await asyncio.wait(parting)

    async def _keep(self) -> None:
        """The child's first life, from its start."""
        child = self._child
        assert child is not None
        await self._welcome(child)
        await self._watch(child)

    async def _welcome(self, child: Child) -> None:
        if await child.ready(self._children.times.ready_seconds):
            self._was_ready = True
            log.info("receiver.ready", process=self._number, pid=child.process.pid)
        else:
            # It may be on its way out, with a code that matters, and slow on a busy machine.
            await asyncio.wait({child.ended}, timeout=self._children.times.way_out_seconds)
            child.signal(signal.SIGKILL)

    async def _watch(self, child: Child) -> None:
        """Start the child again whenever it ends."""
        while True:
            # Shielded: whoever stops watching must not take the end away from who waits for it.
            code = await asyncio.shield(child.ended)
            self._children.bury(child)
            self._child = None
            if code == MISCONFIGURED and not self._was_ready:
                self._misconfigured()
                return
            pause = self._pause(time.monotonic() - child.began)
            log.error("receiver.crashed", process=self._number, code=code, restart_in=pause)
            await asyncio.sleep(pause)
            child = self._child = await self._children.spawn()
            await self._welcome(child)

    def _pause(self, lived: float) -> float:
        times = self._children.times
        if self._was_ready and lived > times.stable_seconds:
            self._failures = 0
            return 0.0
        self._failures += 1
        pause = math.ldexp(times.backoff_base_seconds, min(self._failures - 1, 16))
        return min(times.backoff_cap_seconds, pause)

    async def _part(self, child: Child, number: signal.Signals) -> None:
        """Ask the child to leave, and see it gone."""
        child.signal(number)
        try:
            async with asyncio.timeout(self._children.times.stop_seconds):
                await asyncio.shield(child.ended)
        except TimeoutError:
            log.error("receiver.killed", pid=child.process.pid, reason="did not leave in time")
            child.signal(signal.SIGKILL)
            await child.ended
        self._children.bury(child)
