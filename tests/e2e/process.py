"""One real process of ours, as a test handles it: started, heard, killed, stopped."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port that nobody listens on, below those that the kernel hands to clients: they come and
    go by the hundred while webhooks are sent."""
    while True:
        port = random.randint(12_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


async def until(found: Callable[[], Any], what: str, seconds: float = 20) -> Any:
    """Asks until there is an answer, and gives it."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        await asyncio.sleep(0.01)
    return answer


class Process:
    """`python -m ...`, its log in a file. Every start is a new life with a log of its own."""

    def __init__(
        self, name: str, words: Sequence[str], environ: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self._words = words
        self._environ = environ
        self._folder = folder
        self._lives = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._lives += 1
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(
                (sys.executable, *self._words),
                cwd=ROOT, env=dict(self._environ), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Of its newest life; None before the first."""
        return self._process.pid if self._process else None

    @property
    def code(self) -> int | None:
        """How it ended; None while it lives."""
        return self._process.poll() if self._process else None

    @property
    def log(self) -> str:
        return self._log_path.read_text("utf-8", "replace") if self._lives else ""

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The log lines of one event, in order."""
        found = []
        for line in self.log.splitlines():
            with suppress(ValueError):
                entry = json.loads(line)
                if entry.get("event") == event:
                    found.append(entry)
        return found

    async def logged(self, event: str, count: int = 1, seconds: float = 20) -> dict[str, Any]:
        """The `count`th log line of an event, waited for."""

        def found() -> list[dict[str, Any]]:
            lines = self.lines(event)
            if len(lines) < count:
                assert self.alive, f"{self.name} ended with {self.code}:\n{self.log[-3000:]}"
            return lines[count - 1 :]

        lines = await until(found, f"{event} in the log of {self.name}", seconds)
        return dict(lines[0])

    def kill(self) -> None:
        """SIGKILL: it can do nothing about it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def terminate(self) -> None:
        """SIGTERM: it may finish what it has in hand."""
        self.send(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    async def ended(self, seconds: float = 20) -> int:
        """The exit code, once it has ended."""
        await until(lambda: not self.alive, f"the end of {self.name}", seconds)
        assert self._process is not None
        return self._process.wait()

    @property
    def _log_path(self) -> Path:
        return self._folder / f"{self.name}.{self._lives}.log"
