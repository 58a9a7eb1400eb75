"""Starts the roles one after the other, keeps them running, and stops them in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from app.cli.up.child import Child, Hopeless
from app.cli.up.role import Role
from app.cli.up.screen import Screen

READY_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.1
# One Ctrl-C may arrive twice: from the terminal, and passed on by make or a wrapper.
_SAME_PRESS_SECONDS: Final = 0.5
_STOPPED_BY: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """One run of the whole system. `report`: see Child."""

    def __init__(
        self,
        roles: Sequence[Role],
        environ: Mapping[str, str],
        screen: Screen,
        report: Callable[[str], None],
    ) -> None:
        self._screen = screen
        self._children = [Child(role, environ, screen, report) for role in roles]
        self._tasks: list[asyncio.Task[None]] = []
        self._asked = asyncio.Event()
        self._asked_at = 0.0

    async def run(self, when_ready: Callable[[Mapping[str, int]], None]) -> int:
        """Until somebody asks to stop, or a child is hopeless. The exit code.

        `when_ready` is called once, with the process id of each role.
        """
        loop = asyncio.get_running_loop()
        for number in _STOPPED_BY:
            loop.add_signal_handler(number, self._ask)
        code = 0
        try:
            code = await self._until_asked(when_ready)
        finally:
            await self._stop_all()
        return code

    async def _until_asked(self, when_ready: Callable[[Mapping[str, int]], None]) -> int:
        work = asyncio.create_task(self._start_and_watch(when_ready))
        asked = asyncio.create_task(self._asked.wait())
        await asyncio.wait((work, asked), return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not work.done():
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
            return 0
        try:
            work.result()
        except Hopeless as fault:
            self._screen.line("sluice", str(fault))
        return 1

    async def _start_and_watch(self, when_ready: Callable[[Mapping[str, int]], None]) -> None:
        for child in self._children:
            if fault := child.role.port_fault():
                raise Hopeless(fault)
            self._tasks.append(asyncio.create_task(child.run()))
            await self._ready(child)
        when_ready({child.role.name: child.pid or 0 for child in self._children})
        await self._first_end(None)

    async def _ready(self, child: Child) -> None:
        """Until it answers. One that is slow is said, and not waited for: it is kept running."""
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        while not await child.role.is_ready():
            if asyncio.get_running_loop().time() > deadline:
                self._screen.line("sluice", f"{child.role.name} is not ready yet; going on")
                return
            await self._first_end(_POLL_SECONDS)
        child.proven = True

    async def _first_end(self, seconds: float | None) -> None:
        """Waits so long (None: for ever); raises what a child's run raised."""
        done, _ = await asyncio.wait(
            self._tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()

    async def _stop_all(self) -> None:
        for child in sorted(self._children, key=lambda child: child.role.rank):
            if child.pid is not None:
                self._screen.line("sluice", f"stopping {child.role.name}")
            await child.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ask(self) -> None:
        now = asyncio.get_running_loop().time()
        if not self._asked.is_set():
            self._asked_at = now
            self._asked.set()
            return
        if now - self._asked_at < _SAME_PRESS_SECONDS:
            return
        self._screen.line("sluice", "killing what is left")
        for child in self._children:
            child.kill()
