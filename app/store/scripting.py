"""The client of the whole house, and the Lua scripts that lie beside this package.

Scripts that are called in the same turn of the event loop share one round trip: the batches of
one bell claim, and later settle, at the same moment, and redis-py takes some 100 µs for each trip.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from arq.connections import ArqRedis
from redis.exceptions import NoScriptError

from app.store.faults import store_faults
from app.store.links import Guide


@dataclass(frozen=True, slots=True)
class _Call:
    """One script on its way. `words`: digest, number of keys, keys, arguments."""

    text: str
    words: list[Any]
    answer: asyncio.Future[Any]


class Store(ArqRedis):
    """arq's client (itself redis-py's), which also runs our scripts. Made by `open_store`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Where this process finds what was spilled to files; None: it cannot read them.
        self.data_dir: Path | None = None
        self._calls: list[_Call] = []
        self._trips: set[asyncio.Task[None]] = set()
        self.guide: Guide | None = None

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """With the pool, what finds the master is closed, too."""
        await super().aclose(close_connection_pool)
        if self.guide is not None:
            await self.guide.aclose()

    async def call_script_copied(
        self, text: str, words: list[Any], replicas: int, wait_ms: int
    ) -> tuple[Any, int]:
        """What the script returns, and how many replicas have what it wrote; on its way at once.

        WAIT speaks of what its own connection wrote, so the two travel together.
        """
        for command in (("EVALSHA", *words), ("EVAL", text, *words[1:])):
            async with self.pipeline(transaction=False) as trip:
                trip.execute_command(*command)
                trip.execute_command("WAIT", replicas, wait_ms)
                answer, copies = await trip.execute(raise_on_error=False)
            if not isinstance(answer, NoScriptError):
                break
        for fault in (answer, copies):
            if isinstance(fault, Exception):
                raise fault
        return answer, int(copies)

    async def call_script(self, text: str, words: list[Any]) -> Any:
        """What the script returns. Raises redis-py's errors.

        A caller that is cancelled leaves the script to run all the same.
        """
        loop = asyncio.get_running_loop()
        call = _Call(text, words, loop.create_future())
        self._calls.append(call)
        if len(self._calls) == 1:
            loop.call_soon(self._depart)
        return await call.answer

    async def call_script_alone(self, text: str, words: list[Any]) -> Any:
        """The same, on its way at once: in a busy receiver each turn of the loop takes a
        millisecond, and every webhook of the batch waits for its commit."""
        try:
            return await self._command("EVALSHA", *words)
        except NoScriptError:
            return await self._command("EVAL", text, *words[1:])

    def _depart(self) -> None:
        calls, self._calls = self._calls, []
        trip = asyncio.get_running_loop().create_task(self._travel(calls))
        self._trips.add(trip)
        trip.add_done_callback(self._trips.discard)

    async def _travel(self, calls: list[_Call]) -> None:
        try:
            answers = await self._ask(calls)
        except asyncio.CancelledError:
            for call in calls:
                call.answer.cancel()
            raise
        except Exception as fault:
            answers = [fault] * len(calls)
        for call, answer in zip(calls, answers, strict=True):
            if call.answer.done():  # its caller was cancelled
                continue
            if isinstance(answer, Exception):
                call.answer.set_exception(answer)
            else:
                call.answer.set_result(answer)

    async def _ask(self, calls: list[_Call]) -> list[Any]:
        """An answer or an exception per call. Raises what befell the whole trip."""
        if len(calls) == 1:
            try:
                return [await self._command("EVALSHA", *calls[0].words)]
            except NoScriptError:
                return [await self._teach(calls[0])]
        async with self.pipeline(transaction=False) as trip:
            for call in calls:
                trip.execute_command("EVALSHA", *call.words)
            answers = await trip.execute(raise_on_error=False)
        return [
            await self._teach(call) if isinstance(answer, NoScriptError) else answer
            for call, answer in zip(calls, answers, strict=True)
        ]

    async def _command(self, *words: Any) -> Any:
        return await self.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py's

    async def _teach(self, call: _Call) -> Any:
        """Sends a script whole that the server does not know (yet, or any more)."""
        try:
            return await self._command("EVAL", call.text, *call.words[1:])
        except Exception as fault:  # one answer among others: it is raised where it was asked for
            return fault


# `-- include NAME` in a script stands for scripts/parts/NAME.lua; each part comes in once.
_INCLUDE: Final = re.compile(r"^-- include (\w+)$", re.MULTILINE)


@cache
def text_of(name: str) -> str:
    """A script with all its parts. Raises FileNotFoundError."""
    folder = files("app.store") / "scripts"
    seen: set[str] = set()

    def part(found: re.Match[str]) -> str:
        if found[1] in seen:
            return ""
        seen.add(found[1])
        return _INCLUDE.sub(part, (folder / "parts" / f"{found[1]}.lua").read_text("utf-8"))

    return _INCLUDE.sub(part, (folder / f"{name}.lua").read_text("utf-8"))


@dataclass(slots=True)
class Script:
    """One script. Its contract is in the .lua file. `alone`: never waits to share a trip."""

    store: Store
    name: str
    alone: bool = False
    _text: str = field(init=False)
    _digest: str = field(init=False)

    def __post_init__(self) -> None:
        self._text = text_of(self.name)
        self._digest = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    async def copied(
        self, keys: list[str], args: list[Any], replicas: int, wait_ms: int
    ) -> tuple[Any, int]:
        """Runs it; what it returns, and how many replicas have its writes after `wait_ms` at most.

        Raises StoreUnavailable.
        """
        words = [self._digest, len(keys), *keys, *args]
        with store_faults():
            return await self.store.call_script_copied(self._text, words, replicas, wait_ms)

    async def __call__(self, keys: list[str], args: list[Any]) -> Any:
        """Runs it. Raises StoreUnavailable."""
        words = [self._digest, len(keys), *keys, *args]
        call = self.store.call_script_alone if self.alone else self.store.call_script
        with store_faults():
            return await call(self._text, words)
