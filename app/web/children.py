"""The receiver's children: how one is started, told what it runs on, and put away."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from prometheus_client.multiprocess import mark_process_dead

# The command line of a child, given the numbers of the listening and the control descriptor.
ChildCommand = Callable[[int, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Supervision:
    """Times of the parent, in seconds."""

    ready_seconds: float = 30.0
    # From the end of its control socket, or of the time above, to SIGKILL.
    way_out_seconds: float = 5.0
    # SIGTERM to SIGKILL: longer than a child's own way out.
    stop_seconds: float = 30.0
    # A child that lived for less is started again with growing pauses.
    stable_seconds: float = 5.0
    backoff_base_seconds: float = 0.1
    backoff_cap_seconds: float = 5.0
    # After a change that children did not get ready with.
    roll_again_seconds: float = 30.0


class Child:
    """A process and its control socket, whose end it sees when the parent dies."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        self.process = process
        self.control = control
        self.began = time.monotonic()
        self.ended = asyncio.create_task(process.wait())

    async def ready(self, seconds: float) -> bool:
        """Whether it serves; False when it ended or took too long."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                return await loop.sock_recv(self.control, 16) != b""
        except (TimeoutError, OSError):
            return False

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(number)


class Children:
    """Starts children that share `listening`. `handed` gives what each reads from its control
    socket first; how many bytes, is the last word of its command line."""

    def __init__(
        self,
        listening: socket.socket,
        command: ChildCommand,
        environment: Mapping[str, str],
        times: Supervision,
        handed: Callable[[], bytes],
    ) -> None:
        self.times = times
        self._listening = listening
        self._command = command
        self._handed = handed
        self._metrics_folder = tempfile.mkdtemp(prefix="sluice-metrics-")
        # prometheus-client chooses its kind of value from this variable at import.
        self._environment = {**environment, "PROMETHEUS_MULTIPROC_DIR": self._metrics_folder}

    async def spawn(self) -> Child:
        """A new child, perhaps not ready yet."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            descriptors = (self._listening.fileno(), theirs.fileno())
            handed = self._handed()
            process = await asyncio.create_subprocess_exec(
                *self._command(*descriptors),
                *([str(len(handed))] if handed else []),
                pass_fds=descriptors,
                env=self._environment,
                # A terminal's Ctrl-C and hang-up go to the parent alone, which ends the children.
                process_group=0,
            )
        child = Child(process, ours)
        # One that has ended, or hangs, is seen by whoever waits for it to be ready.
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(self.times.ready_seconds):
                await asyncio.get_running_loop().sock_sendall(ours, handed)
        return child

    def bury(self, child: Child) -> None:
        child.control.close()
        mark_process_dead(child.process.pid, path=self._metrics_folder)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """When all are gone."""
        shutil.rmtree(self._metrics_folder, ignore_errors=True)
