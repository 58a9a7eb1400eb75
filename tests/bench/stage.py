"""Where measurements take place: a folder, processes pinned to cores, and their certain end."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]

_STOP_SECONDS: Final = 5.0
_PR_SET_PDEATHSIG: Final = 1


class BenchError(Exception):
    """A measurement that cannot be made, or must not be believed; one line says why."""


class Process:
    """A running program, its log, and the CPU time of it and its children."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._popen = popen

    @property
    def pid(self) -> int:
        return self._popen.pid

    def said(self) -> str:
        """Everything it wrote."""
        return self.log.read_text("utf-8", "replace")

    def check(self) -> None:
        """Raises BenchError when it is gone."""
        code = self._popen.poll()
        if code is not None:
            raise BenchError(f"{self.name} ended with code {code}:\n{self.said()[-2000:]}")

    def wait_until(self, ready: Callable[[], bool], seconds: float = 30.0) -> None:
        """Polls until `ready`. Raises BenchError when the process ends or takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise BenchError(f"{self.name} is not ready after {seconds:.0f} s: {self.log}")
            time.sleep(0.02)

    def result(self, seconds: float = 120.0) -> str:
        """What it printed, after its end. Raises BenchError when that was none with code 0."""
        try:
            code = self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise BenchError(f"{self.name} is not done after {seconds:.0f} s") from None
        if code:
            raise BenchError(f"{self.name} ended with code {code}:\n{self.said()[-2000:]}")
        return self.said()

    def last_line(self) -> dict[str, Any]:
        """The JSON object it printed last, after its end. Raises BenchError."""
        found: dict[str, Any] = json.loads(self.result().strip().splitlines()[-1])
        return found

    def cpu_seconds(self) -> float:
        """CPU time so far, of all threads and living descendants."""
        self.check()
        return self._booked(0)

    def starved_seconds(self) -> float:
        """Time so far in which it could have run, but somebody else had the core."""
        return self._booked(1)

    def _booked(self, column: int) -> float:
        return sum(_booked_seconds(pid, column) for pid in [self.pid, *descendants(self.pid)])

    def stop(self) -> None:
        """SIGTERM, then SIGKILL to whatever is left of it and its descendants."""
        family = descendants(self.pid)
        if self._popen.poll() is None:
            self._popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(_STOP_SECONDS)
        for pid in [*family, *([self.pid] if self._popen.poll() is None else [])]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._popen.wait()


class Stage:
    """Made once for a run. `measured`: the core of what is measured; `others`: of all else."""

    def __init__(self, *, tcp: bool = False) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self.measured = {cores[0]}
        self.others = set(cores[1:]) or {cores[0]}
        self.tcp = tcp
        parent = ROOT / "var" / "bench"
        parent.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
        self._count = 0

    def pinning(self) -> str:
        """Where what runs, for the reader."""
        if self.others == self.measured:
            return "one core only: everything shares it, so the figures say little"
        rest = ",".join(map(str, sorted(self.others)))
        return (
            f"core {min(self.measured)}: receiver, worker, and what they are compared with, one at "
            f"a time; core {rest}: Redis, wrk, load generator, sink"
        )

    @contextmanager
    def process(
        self,
        name: str,
        command: Sequence[str],
        cores: set[int],
        environment: Mapping[str, str] | None = None,
    ) -> Iterator[Process]:
        """Runs a program while the context lasts."""
        self._count += 1
        path = self.folder / f"{self._count:03d}-{name}.log"
        with path.open("wb") as log:
            popen = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**clean_environment(), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for us; we end the others.
                start_new_session=True,
                preexec_fn=_pinner(cores),
            )
        process = Process(name, popen, path)
        try:
            yield process
        finally:
            process.stop()

    def module(self, name: str, *arguments: str) -> list[str]:
        """The command line of one of our own programs."""
        return [sys.executable, "-m", name, *arguments]

    def new_folder(self, name: str) -> Path:
        self._count += 1
        folder = self.folder / f"{self._count:03d}-{name}"
        folder.mkdir()
        return folder

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def open_stage(*, tcp: bool = False) -> Iterator[Stage]:
    """A stage, with this process on the cores of the others. Cleared at the end."""
    stage = Stage(tcp=tcp)
    before = os.sched_getaffinity(0)
    with ExitStack() as stack:
        stack.callback(stage.close)
        os.sched_setaffinity(0, stage.others)
        stack.callback(os.sched_setaffinity, 0, before)
        yield stage


def clean_environment() -> dict[str, str]:
    """Ours, less what was said to another Sluice."""
    return {name: text for name, text in os.environ.items() if not name.startswith("SLUICE_")}


def free_port() -> int:
    """A port nobody has at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def descendants(pid: int) -> list[int]:
    """Children of a process, and theirs."""
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *descendants(int(child))]
    return found


def _booked_seconds(pid: int, column: int) -> float:
    """From the scheduler's own books, in ns: (running, waiting to run) of every thread.

    Clock ticks would be too coarse for short runs.
    """
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            total += int((task / "schedstat").read_text().split()[column])
    return total / 1e9


def _pinner(cores: set[int]) -> Callable[[], None]:
    libc = ctypes.CDLL(None)

    def pin() -> None:
        os.sched_setaffinity(0, cores)
        # Should we be killed ourselves, nothing stays behind.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return pin
