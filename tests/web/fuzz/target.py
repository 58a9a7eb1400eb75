"""The receiver under fire: real processes and what can be seen of them from outside."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.e2e.process import Process, free_port, until
from tests.e2e.system import KEY, System

SECRET: Final = KEY.encode()
# Stands in every body and header that is sent; must stand in no log.
MARK: Final = "mark-of-a-payload"
# More than the bounds of app.web.config come to together: a leak shows all the same.
MEMORY_BYTES: Final = 200_000_000
# Descriptors to Redis and log lines of its own that come and go.
FEW: Final = 10


class Target:
    """A whole Sluice, and a second receiver on the same Redis that loses patience at once."""

    def __init__(self, system: System, run: Callable[[Awaitable[Any]], Any]) -> None:
        self.system = system
        self.run = run
        port = str(free_port())
        self.impatient = system.process(
            "impatient", "-m", "tests.web.fuzz.impatient_receiver", "serve-receiver",
            SLUICE_RECEIVER_PORT=port,
        )  # fmt: skip
        self.port = int(system.receiver_url.rpartition(":")[2])
        self.impatient_port = int(port)
        # Webhooks answered 200.
        self.acknowledged = 0

    @contextmanager
    def unharmed(self, process: Process) -> Iterator[Watched]:
        """What happens meanwhile must leave the process as it was."""
        watched = Watched(self.child(process))
        descriptors, lines = watched.descriptors, len(process.log.splitlines())
        watched.forget_peak()
        before = watched.resident
        yield watched
        self.run(until(lambda: watched.descriptors <= descriptors + FEW, "its connections' end"))
        assert watched.alive and not process.lines("receiver.crashed")
        assert watched.peak < before + MEMORY_BYTES
        said = process.log.splitlines()[lines:]
        assert len(said) < FEW, said
        assert MARK not in process.log

    def ids_of_the_delivered_and_the_dead(self, connections: Iterable[str]) -> set[str]:
        """Once nothing is in flight."""
        ids: set[str] = set()
        for name in connections:
            self.run(self.system.settled(name))
            ids |= self.run(self.system.arrived(name)).keys()
        dead = self.run(self.system.sluice("dead-letters", "list", "--json", "--limit", "1000000"))
        assert dead.code == 0, dead.err
        return ids | {letter["event_id"] for letter in dead.json}

    def child(self, process: Process) -> int:
        """The pid of its one child, which takes the requests."""
        return int(self.run(process.logged("receiver.ready"))["pid"])


class Watched:
    """One process: memory and descriptors, by /proc."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    @property
    def alive(self) -> bool:
        return Path(f"/proc/{self.pid}/fd").exists()

    @property
    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    @property
    def resident(self) -> int:
        """Bytes in memory now."""
        return self._status("VmRSS")

    @property
    def peak(self) -> int:
        """The most bytes that were in memory since `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
        raise AssertionError(name)


@contextmanager
def firing(folder: Path) -> Iterator[Target]:
    """A started target, stopped at the end; no event loop runs while the test speaks."""
    with asyncio.Runner() as runner:
        system = System(folder)
        try:
            runner.run(system.start())
            target = Target(system, runner.run)
            target.impatient.start()
            runner.run(target.impatient.logged("receiver.ready"))
            yield target
            target.impatient.terminate()
            runner.run(until(lambda: not target.impatient.alive, "the impatient receiver's end"))
        finally:
            target.impatient.kill()
            runner.run(system.stop())
