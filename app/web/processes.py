"""The parent: holds the listening socket, and keeps N children serving it.

The socket outlives every child, so a crash or a rolling restart refuses no connection: the kernel
queues them until somebody accepts. SIGHUP, and a change of what they run on, restart the children
one by one, the new one ready before the old one retires; SIGTERM and SIGINT stop all.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Mapping

from app.web.children import ChildCommand, Children, Supervision
from app.web.rolling import Configuration, Fixed, Rolling
from app.web.slot import MISCONFIGURED, Slot


class Parent:
    """Keeps `count` children alive. `run` returns the exit code."""

    def __init__(
        self,
        listening: socket.socket,
        count: int,
        command: ChildCommand,
        environment: Mapping[str, str],
        times: Supervision | None = None,
        configuration: Configuration | None = None,
    ) -> None:
        self._count = count
        self._configuration = configuration or Fixed()
        self._children = Children(
            listening,
            command,
            environment,
            times or Supervision(),
            lambda: self._configuration.handed,
        )
        self._end: asyncio.Future[int] | None = None

    async def run(self) -> int:
        """Serve until told to stop: 0. A child that refuses its configuration at start: 2."""
        loop = asyncio.get_running_loop()
        self._end = loop.create_future()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._finish, 0)
        slots = [Slot(self._children, number, self._misconfigured) for number in range(self._count)]
        again = self._children.times.roll_again_seconds
        rolling = Rolling(slots, self._configuration, again)
        loop.add_signal_handler(signal.SIGHUP, rolling.ask)
        try:
            await asyncio.gather(*(slot.start() for slot in slots))
            code = await self._end
            await rolling.close()
            await asyncio.gather(*(slot.stop() for slot in slots))
        finally:
            self._children.close()
        return code

    def _misconfigured(self) -> None:
        """A child ended with code 2 before any was ready: all the others would too."""
        self._finish(MISCONFIGURED)

    def _finish(self, code: int) -> None:
        if self._end is not None and not self._end.done():
            self._end.set_result(code)
