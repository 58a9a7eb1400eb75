"""A proxy before Redis that understands its protocol, and answers some commands in its own way."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files

import hiredis

from app.store.scripting import text_of
from tests.e2e.process import free_port

SCRIPTS = {
    hashlib.sha1(text_of(name).encode()).hexdigest().encode(): name
    for script in (files("app.store") / "scripts").iterdir()
    if script.is_file() and (name := script.name.removesuffix(".lua"))
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client hears. `instead`: the server is never asked; else it is, and its answer is
    `late` by so many seconds, cut after `keep` bytes (None: whole) or replaced by `bytes`; `cut`:
    then the connection ends."""

    bytes: bytes | None = None
    instead: bool = False
    late: float = 0.0
    keep: int | None = None
    cut: bool = False


def error(text: str) -> Answer:
    """An error that the server would give without doing anything."""
    return Answer(f"-{text}\r\n".encode(), instead=True)


GARBAGE = Answer(b"HTTP/1.1 400 Bad Request\r\n\r\n")
HALF = Answer(keep=3, cut=True)
CUT_BEFORE = Answer(b"", instead=True, cut=True)
CUT_AFTER = Answer(keep=0, cut=True)

Choose = Callable[[str], Answer | None]


def name_of(command: list[bytes]) -> str:
    """`commit` for that script's EVALSHA, else the command's name."""
    verb = command[0].decode().lower()
    if verb in ("eval", "evalsha") and len(command) > 1:
        digest = command[1] if verb == "evalsha" else hashlib.sha1(command[1]).hexdigest().encode()
        return SCRIPTS.get(digest, verb)
    return verb


class RespProxy:
    """`choose`: the answer for a command's name, or None to let it through."""

    def __init__(self, socket_path: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.choose: Choose = lambda name: None
        # How often each command was answered by us.
        self.answered: dict[str, int] = {}
        self._socket_path = socket_path
        self._tasks: set[asyncio.Task[None]] = set()

    def heal(self) -> None:
        self.choose = lambda name: None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[RespProxy]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        upstream: asyncio.StreamWriter | None = None
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                answers, upstream = await asyncio.open_unix_connection(self._socket_path)
                await _Exchange(self, reader, writer, answers, upstream).run()
        except asyncio.CancelledError:
            pass
        finally:
            self._tasks.discard(task)
            for each in (writer, upstream):
                if each is not None:
                    each.close()


@dataclass
class _Exchange:
    """One connection: a command at a time, as pipelines may be answered."""

    proxy: RespProxy
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answers: asyncio.StreamReader
    upstream: asyncio.StreamWriter
    spoilt: bool = False
    inside: bool = False

    async def run(self) -> None:
        commands = hiredis.Reader()
        while chunk := await self.reader.read(1 << 16):
            commands.feed(chunk)
            while (command := commands.gets()) is not False:
                if not await self._one(command):
                    return

    async def _one(self, command: list[bytes]) -> bool:
        """False: the connection ends here."""
        name = name_of(command)
        chosen = self.proxy.choose(name)
        refused = chosen is not None and chosen.instead
        if name == "exec" and self.inside and (self.spoilt or refused):
            # As the server: a transaction with a refused command is not run.
            await self._ask([b"DISCARD"])
        if name == "exec" and self.spoilt:
            self.inside = self.spoilt = False
            return await self._say(b"-EXECABORT Transaction discarded because of errors.\r\n")
        if name in ("multi", "exec", "discard"):
            self.inside = name == "multi" and not refused
        if chosen is None:
            return await self._say(await self._ask(command))
        self.proxy.answered[name] = self.proxy.answered.get(name, 0) + 1
        self.spoilt |= refused and self.inside
        answer = b"" if chosen.instead else await self._ask(command)
        answer = answer if chosen.bytes is None else chosen.bytes
        if chosen.late:
            await asyncio.sleep(chosen.late)
        await self._say(answer[: chosen.keep])
        return not chosen.cut

    async def _say(self, answer: bytes) -> bool:
        self.writer.write(answer)
        await self.writer.drain()
        return True

    async def _ask(self, command: list[bytes]) -> bytes:
        words = b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in command)
        self.upstream.write(b"*%d\r\n%b" % (len(command), words))
        return await self._answer()

    async def _answer(self) -> bytes:
        """One whole answer as it came."""
        line = await self.answers.readuntil(b"\r\n")
        count = int(line[1:]) if line[:1] in b"$*" else 0
        if line[:1] == b"$" and count >= 0:
            return line + await self.answers.readexactly(count + 2)
        if line[:1] == b"*":
            return line + b"".join([await self._answer() for _ in range(count)])
        return line
