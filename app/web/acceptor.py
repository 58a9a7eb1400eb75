"""Taking connections from a socket that several processes share, one per turn of the event loop.

`create_server` takes all that wait, so that a client's whole pool of connections lands on the
process that happened to wake first, and stays there: 64 of 64 measured. This way a busy process
takes fewer than an idle one.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import structlog

log = structlog.get_logger(__name__)

# After `accept` failed for want of descriptors or memory.
_RECOVERY_SECONDS: Final = 0.1


class Acceptor:
    """Serves `listening`, which must not block, until `close`. Lives in one event loop."""

    def __init__(
        self, listening: socket.socket, make_protocol: Callable[[], asyncio.BaseProtocol]
    ) -> None:
        self._listening = listening
        self._make_protocol = make_protocol
        self._loop = asyncio.get_running_loop()
        self._adopting: set[asyncio.Task[None]] = set()
        self._recovery: asyncio.TimerHandle | None = None
        self._failed = False
        self._loop.add_reader(listening, self._accept)

    def close(self) -> None:
        """Take no more; those taken are served on. Others may hold the socket open."""
        if self._recovery is not None:
            self._recovery.cancel()
        self._loop.remove_reader(self._listening)
        self._listening.close()

    def _accept(self) -> None:
        try:
            client, _ = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another process was faster, or the client is gone
        except OSError as fault:
            self._pause(fault)
            return
        self._failed = False
        client.setblocking(False)
        task = self._loop.create_task(self._adopt(client))
        self._adopting.add(task)
        task.add_done_callback(self._adopting.discard)

    async def _adopt(self, client: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._make_protocol, client)
        except OSError:
            client.close()

    def _pause(self, fault: OSError) -> None:
        """Too many open files, most likely: connections wait in the kernel meanwhile."""
        if not self._failed:
            log.error("receiver.accept_failed", error=fault.strerror)
        self._failed = True
        self._loop.remove_reader(self._listening)
        self._recovery = self._loop.call_later(
            _RECOVERY_SECONDS, self._loop.add_reader, self._listening, self._accept
        )
