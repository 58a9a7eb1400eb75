"""`sluice serve-receiver`: the receiver's composition root, in the parent and in each child."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Final

import structlog
import typer

from app.core.batch import encode_received
from app.core.errors import ConfigError, StoreUnavailable
from app.settings import Connection, Settings, environment, load_all, load_settings
from app.settings.handing import pack, unpack
from app.settings.watching import Change, ConfigWatch, Found, Refused, look_and_tell
from app.store.batches import Batches, Pressure
from app.store.connect import open_swift_store, require_safe
from app.store.signatures import SignatureNotes
from app.store.signs_of_life import SignOfLife
from app.web.child import run_child
from app.web.children import Supervision
from app.web.config import ReceiverConfig, ReceiverConnection
from app.web.listening import CannotListen, listen
from app.web.metrics import ReceiverMetrics
from app.web.processes import Parent
from app.web.receiver import Receiver
from app.web.slot import MISCONFIGURED
from app.web.sources import SourceFilter

log = structlog.get_logger(__name__)

# A child's way out takes no longer than its delay and this.
_WAY_OUT_SECONDS: Final = 15.0

_CHECK_SECONDS: Final = 2.0


@dataclass
class _CheckedBatches(Batches):
    """Batches that take nothing before Redis' own settings were seen to be safe."""

    _checked: bool = field(default=False, init=False)

    async def check(self) -> None:
        """At start: raises ConfigError when events must not be put there. Redis may be away."""
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                warnings = await require_safe(self.redis, self.wait_replicas)
        except (StoreUnavailable, TimeoutError):
            return  # Nothing is taken meanwhile, and every poll asks again.
        self._checked = True
        for warning in warnings:
            log.warning("redis.weak", warning=warning)

    async def pressure(self) -> Pressure:
        if not self._checked:
            try:
                await self.check()
            except ConfigError as fault:
                raise StoreUnavailable("unsafe", str(fault)) from None
        return await super().pressure()


def serve_receiver(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Processes sharing it.")] = None,
) -> None:
    """Take Customer.io's webhooks: POST /webhooks/{connection}. SIGHUP restarts without a gap."""
    environ = environment()
    settings, connections = load_all(environ)
    try:
        listening = listen(host or settings.receiver_host, _given(port, settings.receiver_port))
    except CannotListen as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(MISCONFIGURED) from None
    address, bound = listening.getsockname()[:2]
    log.info("receiver.listening", host=address, port=bound)
    followed = FollowedConnections(ConfigWatch(settings.folders, environ, connections))
    parent = Parent(
        listening,
        _given(processes, settings.receiver_processes),
        _child_command,
        dict(os.environ),
        Supervision(stop_seconds=settings.shutdown_delay_seconds + _WAY_OUT_SECONDS),
        followed,
    )
    raise typer.Exit(asyncio.run(parent.run()))


class FollowedConnections:
    """The newest valid connections (app.web.rolling.Configuration)."""

    def __init__(self, watch: ConfigWatch) -> None:
        self._watch = watch
        self._lock = asyncio.Lock()
        self.handed = pack(watch.running)

    async def changed(self) -> None:
        """Returns when a change was taken up."""
        while True:
            if isinstance(await self._look(at_once=False), Change):
                return
            await asyncio.sleep(self._watch.pause)

    async def look(self) -> bool:
        """Whether what lies there now is valid; then it is what the next child gets."""
        return not isinstance(await self._look(at_once=True), Refused)

    async def _look(self, *, at_once: bool) -> Found | None:
        async with self._lock:
            found = await look_and_tell(self._watch, at_once=at_once)
            if isinstance(found, Change):
                self.handed = pack(found.connections)
                self._watch.taken(found)
                log.info("config.taken", **found.names)
            return found


def serve_receiver_child(
    listening_fd: int, control_fd: int, handed: Annotated[int, typer.Argument()] = 0
) -> None:
    """One process of the receiver. Started by serve-receiver, not by hand."""
    settings, connections = _handed(control_fd, handed)

    @asynccontextmanager
    async def make() -> AsyncIterator[Receiver]:
        redis = open_swift_store(settings.redis)
        store = _CheckedBatches(redis, wait_replicas=settings.redis_wait_replicas)
        name = f"{socket.gethostname()}-{os.getpid()}"
        beside = [asyncio.create_task(SignOfLife(redis, "receiver", name).run())]
        try:
            await store.check()
            receiver = Receiver(
                receiver_config(settings),
                [receiver_connection(each, settings) for each in connections.values()],
                store,
                encode_received,
                ReceiverMetrics(os.environ.get("PROMETHEUS_MULTIPROC_DIR")),
            )
            notes = SignatureNotes(redis, receiver.signatures)
            beside.append(asyncio.create_task(notes.run()))
            yield receiver
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside, timeout=_CHECK_SECONDS)
            await redis.aclose(close_connection_pool=True)

    run_child(listening_fd, control_fd, make)


def receiver_config(settings: Settings) -> ReceiverConfig:
    """The receiver's part of the settings."""
    return ReceiverConfig(
        linger_ms=settings.linger_ms,
        batch_max_events=settings.batch_max_events,
        batch_max_bytes=settings.batch_max_bytes,
        answer_deadline_seconds=settings.answer_deadline_seconds,
        shutdown_delay_seconds=settings.shutdown_delay_seconds,
        backlog_max_events=settings.backlog_max_events,
        memory_share=settings.memory_share,
    )


def receiver_connection(connection: Connection, settings: Settings) -> ReceiverConnection:
    """The receiver's part of a connection."""
    sources = None
    if connection.allowed_sources:
        sources = SourceFilter(connection.allowed_sources, settings.trusted_proxies)
    return ReceiverConnection(
        name=connection.name,
        keys=connection.signing_keys,
        replay_window_seconds=connection.replay_window_seconds,
        body_limit_bytes=connection.body_limit_bytes,
        sources=sources,
    )


def _child_command(listening_fd: int, control_fd: int) -> Sequence[str]:
    # -m: the same code as ours, wherever the `sluice` script lies.
    program = [sys.executable, "-m", "app", "serve-receiver-child"]
    return [*program, str(listening_fd), str(control_fd)]


def _handed(control_fd: int, size: int) -> tuple[Settings, dict[str, Connection]]:
    """Settings, and the connections that the parent hands over, `size` bytes. They are read from
    the files when it hands nothing, or what only another release understands. Raises
    ConfigError."""
    environ = environment()
    with socket.socket(fileno=os.dup(control_fd)) as control:
        packed = control.recv(size, socket.MSG_WAITALL) if size else b""
    if packed:
        try:
            return load_settings(environ), unpack(packed)
        except ConfigError as fault:
            log.warning("receiver.reads_files", reason=str(fault))
    return load_all(environ)


def _given(option: int | None, setting: int) -> int:
    return setting if option is None else option
