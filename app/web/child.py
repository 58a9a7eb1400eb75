"""One receiver process: serves the socket that its parent holds, and leaves in good order.

Signals: SIGTERM stops (first /readyz says 503 for `shutdown_delay_seconds`, so that a load balancer
looks elsewhere), SIGUSR2 retires (a successor already serves the same socket). The parent's death
is seen on the control socket.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, suppress
from enum import Enum
from typing import Final

import structlog
import uvloop

from app.web.acceptor import Acceptor
from app.web.protocol import ReceiverServer
from app.web.receiver import Receiver
from app.web.strangers import most_connections

log = structlog.get_logger(__name__)

READY: Final = b"ready\n"

_FLUSH_SECONDS: Final = 0.5
# A connection taken just before the socket was closed sends its request in this time.
_SETTLE_SECONDS: Final = 1.0


class Leave(Enum):
    """Why a child ends."""

    STOP = "stopped"
    RETIRE = "retired"
    ORPHANED = "orphaned"


MakeReceiver = Callable[[], AbstractAsyncContextManager[Receiver]]


def run_child(listening_fd: int, control_fd: int, make: MakeReceiver) -> None:
    """A child's whole life, on descriptors it inherited. `make` opens the store, and closes it."""
    with (
        socket.socket(fileno=listening_fd) as listening,
        socket.socket(fileno=control_fd) as control,
    ):
        listening.setblocking(False)
        control.setblocking(False)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(listening, control, make))


async def serve(listening: socket.socket, control: socket.socket, make: MakeReceiver) -> None:
    """Serve until told to leave. Says READY on `control` once requests are answered."""
    loop = asyncio.get_running_loop()
    leave: asyncio.Future[Leave] = loop.create_future()
    _listen_for_orders(loop, leave)
    async with make() as receiver:
        await _serve(receiver, listening, control, leave)


async def _serve(
    receiver: Receiver,
    listening: socket.socket,
    control: socket.socket,
    leave: asyncio.Future[Leave],
) -> None:
    loop = asyncio.get_running_loop()
    await receiver.shedding.poll()
    server = ReceiverServer(
        receiver.handle, receiver.config, receiver.answers, receiver.strays, receiver.faults
    )
    server.strangers.limit = most_connections(receiver.config.max_connections)
    background = [
        loop.create_task(receiver.shedding.run()),
        loop.create_task(_flush(receiver)),
        loop.create_task(_watch_parent(control, leave)),
    ]
    _quiet_gc()
    acceptor = Acceptor(listening, server)
    with suppress(OSError):  # the parent died meanwhile; _watch_parent says so
        await loop.sock_sendall(control, READY)
    why = await leave
    log.info("receiver.leaving", reason=why.value)
    await _leave(why, receiver, server, acceptor)
    await _cancel(background)
    log.info("receiver.left", reason=why.value)


async def _leave(
    why: Leave, receiver: Receiver, server: ReceiverServer, acceptor: Acceptor
) -> None:
    config = receiver.config
    receiver.readiness.stopping = why is not Leave.RETIRE
    receiver.leaving = True
    if why is Leave.STOP:
        await asyncio.sleep(config.shutdown_delay_seconds)
    acceptor.close()
    patience = config.retire_seconds if why is Leave.RETIRE else _SETTLE_SECONDS
    await _connections_gone(server, patience)
    server.pre_shutdown()
    # Longer than any answer takes: a handler cancelled while it awaits its batch's future would
    # cancel that of its neighbours.
    await server.shutdown(config.body_deadline_seconds + config.answer_deadline_seconds + 1)
    await receiver.close()


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel until it is done: Python 3.11's `wait_for`, which redis-py uses, may lose a cancel."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.1)


async def _connections_gone(server: ReceiverServer, seconds: float) -> None:
    """Every answer now closes its connection; the idle ones are what is waited for."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while server.connections:  # noqa: ASYNC110  # aiohttp has no event for it
                await asyncio.sleep(0.02)


def _listen_for_orders(loop: asyncio.AbstractEventLoop, leave: asyncio.Future[Leave]) -> None:
    loop.add_signal_handler(signal.SIGTERM, _order, leave, Leave.STOP)
    loop.add_signal_handler(signal.SIGUSR2, _order, leave, Leave.RETIRE)


def _order(leave: asyncio.Future[Leave], why: Leave) -> None:
    if not leave.done():
        leave.set_result(why)


async def _watch_parent(control: socket.socket, leave: asyncio.Future[Leave]) -> None:
    """The parent never writes: what can be read is the end."""
    with suppress(OSError):
        await asyncio.get_running_loop().sock_recv(control, 1)
    _order(leave, Leave.ORPHANED)


async def _flush(receiver: Receiver) -> None:
    while True:
        await asyncio.sleep(_FLUSH_SECONDS)
        receiver.metrics.flush()


def _quiet_gc() -> None:
    """Requests leave no cycles behind: full collections only cost time (design.md section 7)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
