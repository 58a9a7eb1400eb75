"""A server that says the bytes it is told to, for answers that no HTTP library would give."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass


@dataclass
class RawServer:
    """`pieces`: makes the answer to each request. Counts what it got and what it could write."""

    pieces: Callable[[], AsyncIterator[bytes]]
    port: int = 0
    connections: int = 0
    written: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length or b"0"))
                async for piece in self.pieces():
                    writer.write(piece)
                    await writer.drain()
                    self.written += len(piece)
        writer.close()


@asynccontextmanager
async def saying(pieces: Callable[[], AsyncIterator[bytes]]) -> AsyncIterator[RawServer]:
    """A raw server on a free port; at the end its connections are cut."""
    server = RawServer(pieces)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(asyncio.CancelledError):
            await server.serve(reader, writer)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
