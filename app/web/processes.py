"""The parent: holds the listening socket, and keeps N children serving it.

The socket outlives every child, so a crash or a rolling restart refuses no connection: the kernel
queues them until somebody accepts. SIGHUP, and a change of what they run on, restart the children
one by one, the new one ready before the old one retires; SIGTERM and SIGINT stop all.
"""

from __future__ import annotations

import asyncio
import math
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from prometheus_client.multiprocess import mark_process_dead

log = structlog.get_logger(__name__)

MISCONFIGURED: Final = 2

# The command line of a child, given the numbers of the listening and the control descriptor.
ChildCommand = Callable[[int, int], Sequence[str]]


class Configuration(Protocol):
    """What the children run on, which may change."""

    @property
    def handed(self) -> bytes:
        """What each child reads from its control socket first; how many bytes, is the last word of
        its command line."""
        ...

    async def changed(self) -> None:
        """Returns when `handed` is another, and all children must have it."""
        ...

    async def look(self) -> bool:
        """Looks at once. False: what is there is not valid, which was said."""
        ...


class _Fixed:
    """Children that find out for themselves what they run on."""

    handed = b""

    async def changed(self) -> None:
        await asyncio.Event().wait()

    async def look(self) -> bool:
        return True


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


class _Child:
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


class Parent:
    """Keeps `count` children alive. `run` returns the exit code."""

    def __init__(
        self,
        listening: socket.socket,
        count: int,
        command: ChildCommand,
        environment: Mapping[str, str],
        times: Supervision | None = None,
        configuration: Configuration | None = None,
    ) -> None:
        self._listening = listening
        self._count = count
        self._command = command
        self._times = times or Supervision()
        self._configuration = configuration or _Fixed()
        self._metrics_folder = tempfile.mkdtemp(prefix="sluice-metrics-")
        # prometheus-client chooses its kind of value from this variable at import.
        self._environment = {**environment, "PROMETHEUS_MULTIPROC_DIR": self._metrics_folder}
        self._slots: list[_Slot] = []
        self._end: asyncio.Future[int] | None = None
        self._rolling: asyncio.Task[None] | None = None
        # One roll at a time.
        self._roll_lock = asyncio.Lock()

    async def run(self) -> int:
        """Serve until told to stop: 0. A child that refuses its configuration at start: 2."""
        loop = asyncio.get_running_loop()
        self._end = loop.create_future()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._finish, 0)
        loop.add_signal_handler(signal.SIGHUP, self._roll)
        self._slots = [_Slot(self, number) for number in range(self._count)]
        following = asyncio.create_task(self._follow())
        try:
            await asyncio.gather(*(slot.start() for slot in self._slots))
            code = await self._end
            await self._give_up(following, self._rolling)
            await asyncio.gather(*(slot.stop() for slot in self._slots))
        finally:
            shutil.rmtree(self._metrics_folder, ignore_errors=True)
        return code

    async def spawn(self) -> _Child:
        """A new child, perhaps not ready yet."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            descriptors = (self._listening.fileno(), theirs.fileno())
            handed = self._configuration.handed
            process = await asyncio.create_subprocess_exec(
                *self._command(*descriptors),
                *([str(len(handed))] if handed else []),
                pass_fds=descriptors,
                env=self._environment,
                # A terminal's Ctrl-C and hang-up go to the parent alone, which ends the children.
                process_group=0,
            )
        child = _Child(process, ours)
        # One that has ended, or hangs, is seen by whoever waits for it to be ready.
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._times.ready_seconds):
                await asyncio.get_running_loop().sock_sendall(ours, handed)
        return child

    def bury(self, child: _Child) -> None:
        child.control.close()
        mark_process_dead(child.process.pid, path=self._metrics_folder)  # type: ignore[no-untyped-call]

    def misconfigured(self) -> None:
        """A child ended with code 2 before any was ready: all the others would too."""
        self._finish(MISCONFIGURED)

    @property
    def times(self) -> Supervision:
        return self._times

    @property
    def ending(self) -> bool:
        return self._end is not None and self._end.done()

    def _finish(self, code: int) -> None:
        if self._end is not None and not self._end.done():
            self._end.set_result(code)

    def _roll(self) -> None:
        if self._rolling is None or self._rolling.done():
            self._rolling = asyncio.create_task(self._roll_now())

    async def _roll_now(self) -> None:
        if await self._configuration.look():
            await self._restart_all()
        else:
            log.error("receiver.restart_abandoned", reason="the configuration is not valid")

    async def _follow(self) -> None:
        """For ever: children that run on what is there now."""
        while True:
            await self._configuration.changed()
            while True:
                if await self._restart_all():
                    break
                await asyncio.sleep(self._times.roll_again_seconds)

    async def _restart_all(self) -> bool:
        async with self._roll_lock:
            log.info("receiver.restart_began", processes=self._count)
            for slot in self._slots:
                if not await slot.replace():
                    log.error(
                        "receiver.restart_abandoned", reason="the new process did not get ready"
                    )
                    return False
            log.info("receiver.restart_finished")
            return True

    async def _give_up(self, *tasks: asyncio.Task[None] | None) -> None:
        for task in tasks:
            if task is not None:
                task.cancel()
                await asyncio.wait((task,))


class _Slot:
    """The place of one child: starts it, starts it again, replaces it."""

    def __init__(self, parent: Parent, number: int) -> None:
        self._parent = parent
        self._number = number
        self._child: _Child | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._retired: set[asyncio.Task[None]] = set()
        self._was_ready = False
        self._failures = 0

    async def start(self) -> None:
        self._child = await self._parent.spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def replace(self) -> bool:
        """The new child serves before the old one retires. False: the old one stays."""
        fresh = await self._parent.spawn()
        if not await fresh.ready(self._parent.times.ready_seconds):
            fresh.signal(signal.SIGKILL)
            await fresh.ended
            self._parent.bury(fresh)
            return False
        if self._keeper is not None:
            self._keeper.cancel()
        old, self._child = self._child, fresh
        self._was_ready = True
        self._keeper = asyncio.create_task(self._watch(fresh))
        if old is not None:
            task = asyncio.create_task(self._part(old, signal.SIGUSR2))
            self._retired.add(task)
            task.add_done_callback(self._retired.discard)
        return True

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        parting = set(self._retired)
        if self._child is not None:
            parting.add(asyncio.create_task(self._part(self._child, signal.SIGTERM)))
        if parting:
            await asyncio.wait(parting)

    async def _keep(self) -> None:
        """The child's first life, from its start."""
        child = self._child
        assert child is not None
        await self._welcome(child)
        await self._watch(child)

    async def _welcome(self, child: _Child) -> None:
        if await child.ready(self._parent.times.ready_seconds):
            self._was_ready = True
            log.info("receiver.ready", process=self._number, pid=child.process.pid)
        else:
            # It may be on its way out, with a code that matters, and slow on a busy machine.
            await asyncio.wait({child.ended}, timeout=self._parent.times.way_out_seconds)
            child.signal(signal.SIGKILL)

    async def _watch(self, child: _Child) -> None:
        """Start the child again whenever it ends."""
        while True:
            # Shielded: whoever stops watching must not take the end away from who waits for it.
            code = await asyncio.shield(child.ended)
            self._parent.bury(child)
            self._child = None
            if code == MISCONFIGURED and not self._was_ready:
                self._parent.misconfigured()
                return
            pause = self._pause(time.monotonic() - child.began)
            log.error("receiver.crashed", process=self._number, code=code, restart_in=pause)
            await asyncio.sleep(pause)
            child = self._child = await self._parent.spawn()
            await self._welcome(child)

    def _pause(self, lived: float) -> float:
        times = self._parent.times
        if self._was_ready and lived > times.stable_seconds:
            self._failures = 0
            return 0.0
        self._failures += 1
        pause = math.ldexp(times.backoff_base_seconds, min(self._failures - 1, 16))
        return min(times.backoff_cap_seconds, pause)

    async def _part(self, child: _Child, number: signal.Signals) -> None:
        """Ask the child to leave, and see it gone."""
        child.signal(number)
        try:
            async with asyncio.timeout(self._parent.times.stop_seconds):
                await asyncio.shield(child.ended)
        except TimeoutError:
            log.error("receiver.killed", pid=child.process.pid, reason="did not leave in time")
            child.signal(signal.SIGKILL)
            await child.ended
        self._parent.bury(child)
