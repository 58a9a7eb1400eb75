"""A TCP proxy between two parts of the system: passes bytes on, or delays, holds, loses, cuts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Final

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_CHUNK: Final = 65_536


class Proxy:
    """One listening port of 127.0.0.1, and whatever `dial` reaches behind it.

    `delay_seconds`: each chunk waits so long, either way. Everything else is a method.
    """

    def __init__(self, dial: Callable[[], Awaitable[Streams]]) -> None:
        self._dial = dial
        self._server: asyncio.Server | None = None
        self._pairs: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}
        self._asks, self._answers = asyncio.Event(), asyncio.Event()
        self._refusing = False
        self._lose = 0
        self.delay_seconds = 0.0
        self.flow()

    async def start(self, port: int) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def stop(self) -> None:
        self.flow()
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._pairs, return_exceptions=True)

    def flow(self) -> None:
        """Passes everything on again."""
        self.delay_seconds, self._refusing, self._lose = 0.0, False, 0
        self._asks.set()
        self._answers.set()

    def hold(self) -> None:
        """Nothing passes, in neither direction; nobody is told."""
        self._asks.clear()
        self._answers.clear()

    def hold_answers(self) -> None:
        """What is asked gets through, and no answer comes back."""
        self._answers.clear()

    def lose_answers(self, count: int) -> None:
        """So many of the next answers are lost with their connections."""
        self._lose = count

    def cut(self, *, refuse: bool = False) -> int:
        """Resets every connection, what was held in them included; how many there were. `refuse`:
        new ones are, too, from now on."""
        self._refusing = refuse
        pairs = list(self._pairs.items())
        for task, writers in pairs:
            for writer in writers:
                _reset(writer)
            task.cancel()
        return len(pairs)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pairs[task] = (writer,)
        # Cut: the tasks of a server need no end of their own.
        with contextlib.suppress(OSError, asyncio.CancelledError):
            try:
                await self._join(task, reader, writer)
            finally:
                del self._pairs[task]
                writer.transport.abort()

    async def _join(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._refusing:
            return
        far_reader, far_writer = await self._dial()
        self._pairs[task] = (writer, far_writer)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, far_writer, self._asks))
                both.create_task(self._pump(far_reader, writer, self._answers))
        except* OSError:
            pass  # either side is gone: so is the other
        finally:
            far_writer.transport.abort()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, gate: asyncio.Event
    ) -> None:
        while chunk := await source.read(_CHUNK):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            await gate.wait()
            if gate is self._answers and self._lose:
                self._lose -= 1
                raise ConnectionResetError
            sink.write(chunk)
            await sink.drain()
        # Half closed, as it was closed to us: what is on the way back still arrives.
        await gate.wait()
        if sink.can_write_eof():
            with contextlib.suppress(OSError, RuntimeError):
                sink.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Not closed, but reset: what is still on its way is lost."""
    with contextlib.suppress(OSError):
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


def to_port(port: int) -> Callable[[], Awaitable[Streams]]:
    return lambda: asyncio.open_connection("127.0.0.1", port)


def to_socket(path: str) -> Callable[[], Awaitable[Streams]]:
    return lambda: asyncio.open_unix_connection(path)
