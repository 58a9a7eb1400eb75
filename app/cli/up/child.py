"""One supervised process: started, its output shown, started again when it ends unasked."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from app.cli.up.role import Role
from app.cli.up.screen import Lines, Screen

# What our own commands exit with when their configuration is wrong: trying again cannot help.
MISCONFIGURED: Final = 2
_CHUNK_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between an end and the next start: doubling; the base again after a good run."""

    base_seconds: float = 0.5
    cap_seconds: float = 10.0
    good_run_seconds: float = 10.0

    def next(self, before: float, lived_seconds: float) -> float:
        """The wait now, after the last one was `before` (0: none yet)."""
        if before == 0 or lived_seconds >= self.good_run_seconds:
            return self.base_seconds
        return min(before * 2, self.cap_seconds)


class Hopeless(Exception):
    """A child that never ran says that its configuration is wrong."""


class Child:
    """Keeps one role running until it is stopped.

    `report` is told `+ PGID RANK` and `- PGID`: the watchdog's language.
    """

    def __init__(
        self,
        role: Role,
        environ: Mapping[str, str],
        screen: Screen,
        report: Callable[[str], None],
        backoff: Backoff | None = None,
    ) -> None:
        self.role = role
        self._environ = dict(environ)
        self._screen = screen
        self._report = report
        self._backoff = backoff or Backoff()
        self._process: Process | None = None
        self._stopping = False
        # It was seen to be ready: what it refuses after that passes, such as a port that children
        # of a killed parent have not let go yet.
        self.proven = False

    @property
    def pid(self) -> int | None:
        """Of the process that runs now; None between two runs."""
        return self._process.pid if self._process else None

    async def run(self) -> None:
        """Runs it again and again; returns once `stop` was called. Raises Hopeless."""
        wait = 0.0
        while not self._stopping:
            began = time.monotonic()
            code = await self._run_once()
            if self._stopping:
                return
            if code == MISCONFIGURED and not self.proven:
                raise Hopeless(f"the {self.role.name} cannot run as configured; see above")
            wait = self._backoff.next(wait, time.monotonic() - began)
            how = f"by signal {-code}" if code < 0 else f"with code {code}"
            self._screen.line("sluice", f"{self.role.name} ended {how}; again in {wait:g} s")
            await asyncio.sleep(wait)

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL when the role's time is over. Returns when it has ended."""
        self._stopping = True
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self.role.stop_seconds):
                await process.wait()
        except TimeoutError:
            self._screen.line("sluice", f"{self.role.name} does not stop; killed")
            self.kill()
            await process.wait()

    def kill(self) -> None:
        """SIGKILL to it and all it started."""
        self._stopping = True
        if self._process is not None:
            with suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _run_once(self) -> int:
        process = await asyncio.create_subprocess_exec(
            *self.role.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            env=self._environ,
            # Ctrl-C in the terminal must reach us only: we stop them, in order.
            start_new_session=True,
        )
        self._process = process
        self._report(f"+ {process.pid} {self.role.rank}")
        try:
            if self._stopping:
                self.kill()
            await self._show(process)
            return await process.wait()
        finally:
            # What it started and left behind goes with it.
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            self._report(f"- {process.pid}")
            self._process = None

    async def _show(self, process: Process) -> None:
        lines = Lines(self._screen, self.role.name)
        ended = asyncio.create_task(process.wait())
        assert process.stdout is not None  # PIPE was asked for
        while chunk := await _chunk(process.stdout, ended):
            lines.feed(chunk)
        lines.end()


async def _chunk(stream: asyncio.StreamReader, ended: asyncio.Task[int]) -> bytes:
    """The next output, or b"" at its end.

    A grandchild may hold the pipe open after the child is gone: then the child's end counts.
    """
    reading = asyncio.create_task(stream.read(_CHUNK_BYTES))
    await asyncio.wait((reading, ended), return_when=asyncio.FIRST_COMPLETED)
    if not reading.done():
        # What was written before the end is still on its way.
        await asyncio.wait((reading,), timeout=0.2)
    if reading.done():
        return reading.result()
    reading.cancel()
    return b""
