"""Where it happens: the real processes, with a proxy between each two of them.

    oracle ─▶ proxy ─▶ receiver ─▶ proxy ─▶ Redis ◀─ proxy ◀─ workers ─▶ proxy ─▶ sandbox

Receiver (two processes) and one worker are children of `sluice up`; another worker is started by
the stage. Both are started again whenever they end, as a service manager would.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from app.core.errors import StoreUnavailable
from app.store.connect import Store, open_store
from app.store.lanes import Lanes
from tests.crash.chaos import procs
from tests.crash.chaos.points import Traps
from tests.crash.chaos.proxy import Proxy, to_port, to_socket
from tests.crash.chaos.redis import ChaosRedis
from tests.e2e.process import ROOT, Process, free_port, until
from tests.e2e.system import INLETS, System

_CHILDREN: Final = 2
# What `sluice up` says when everything answers.
_RUNNING: Final = "Sluice is running"
_START_SECONDS: Final = 60.0
_STANDING_SECONDS: Final = 15.0
_AGAIN_SECONDS: Final = 0.2
_IMPLANT: Final = Path(__file__).parent / "implant"
_SETTINGS: Final = {
    # A second later somebody else has a dead worker's batches, and a stopping one gives up its own.
    "SLUICE_WORKER_LEASE_SECONDS": "2",
    "SLUICE_WORKER_GRACE_SECONDS": "1",
    # Most retries wait for the other two thirds of a second.
    "SLUICE_RETRY_CAP_SECONDS": "2",
}


@dataclass(frozen=True, slots=True)
class End:
    """A process of the stage's own that ended: its exit code, and the end of its log."""

    name: str
    code: int
    text: str


class Stage:
    """Start it, break it, heal it, stop it. `ends`: how its two own processes ended, each time."""

    def __init__(self, folder: Path) -> None:
        redis_port = free_port()
        environ = _SETTINGS | {"SLUICE_REDIS_URL": f"redis://127.0.0.1:{redis_port}/0"}
        limits = {"request_timeout_seconds": 3.0}
        self.system = System(folder, environ=environ, limits=limits)
        self.folder = folder
        self.redis = self.system.redis = ChaosRedis(folder)
        self.traps = Traps(folder)
        self.clocks = folder / "clock"
        self.clocks.mkdir()
        self._ports = {"receiver": free_port(), "redis": redis_port, "platform": free_port()}
        self.proxies = {
            "receiver": Proxy(to_port(_port(self.system.receiver_url))),
            "redis": Proxy(to_socket(str(folder / "redis.sock"))),
            "platform": Proxy(to_port(_port(self.system.sandbox_url))),
        }
        self._lead_through_the_proxy()
        # A copy, where a new version can be written.
        mappings = folder / "config" / "mappings"
        mappings.unlink()
        shutil.copytree(ROOT / "config" / "mappings", mappings)
        (folder / "up").mkdir()
        self.up = self._implanted(
            "up", "-m", "app", "up",
            SLUICE_SANDBOX_PORT=str(free_port()), SLUICE_RECEIVER_PROCESSES=str(_CHILDREN),
            SLUICE_CONSOLE_PORT=str(free_port()), SLUICE_DATA_DIR=str(folder / "up"),
        )  # fmt: skip
        self.worker = self._implanted("worker", "-m", "worker")
        self.ends: list[End] = []
        self._keepers: list[asyncio.Task[None]] = []

    @property
    def receiver_url(self) -> str:
        """As the oracle sees it."""
        return f"http://127.0.0.1:{self._ports['receiver']}"

    async def start(self) -> None:
        await asyncio.to_thread(self.redis.start)
        for name, proxy in self.proxies.items():
            await proxy.start(self._ports[name])
        self.system.sandbox.start()
        await self._sandbox_answers()
        for process in (self.up, self.worker):
            process.start()
        await until(lambda: _RUNNING in self.up.log, "`sluice up` to run", _START_SECONDS)
        await self.worker.logged("worker.started", 1, _START_SECONDS)
        self._keepers = [asyncio.create_task(self._keep(p)) for p in (self.up, self.worker)]

    async def stop(self) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        everyone = [each.pid for each in procs.below(os.getpid()) if each.pid != os.getpid()]
        self.up.terminate()
        self.worker.kill()
        with suppress(AssertionError):
            await self.up.ended(20)
        self.system.sandbox.kill()
        for pid in everyone:
            if self._is_ours(pid):
                self.kill(pid)
        for proxy in self.proxies.values():
            await proxy.stop()
        self.redis.kill()

    def oracle(self, seed: int, rate: float) -> Process:
        """Not started yet. `rate`: webhooks per second, over all connections."""
        words = (str(self.folder), self.receiver_url, str(seed), str(rate))
        return self.system.process("oracle", "-m", "tests.crash.chaos.oracle", *words)

    def order(self, text: str) -> None:
        """A line that the oracle obeys."""
        with (self.folder / "orders").open("a") as file:
            file.write(f"{text}\n")

    def running(self, role: str) -> list[int]:
        """Process ids of everything of ours in that role: see procs.py."""
        roots = [p.pid for p in (self.up, self.worker) if p.alive and p.pid]
        found = [each for root in roots for each in procs.below(root)]
        return [each.pid for each in found if each.role == role]

    async def standing(self) -> None:
        """Waits, within reason, until there is something to break: somebody who receives, and
        somebody who works."""
        deadline = time.monotonic() + _STANDING_SECONDS
        while time.monotonic() < deadline:
            if self.running("serve-receiver-child") and self.running("worker"):
                return
            await asyncio.sleep(0.1)

    def kill(self, pid: int, number: signal.Signals = signal.SIGKILL) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    async def heal(self) -> None:
        """Nothing is broken any more, as far as it is not for Sluice itself to mend."""
        for proxy in self.proxies.values():
            proxy.flow()
        for clock in self.clocks.iterdir():
            clock.unlink()
        self.redis.set_clock(0)
        await self.system.recover()
        async with self.store() as store:
            await store.config_set("maxmemory", 0)
        await self.open_lanes()

    async def open_lanes(self) -> None:
        """As an operator does who has mended what was wrong; in vain while Redis is away."""
        with suppress(StoreUnavailable):
            async with self.store() as store:
                for connection in INLETS:
                    await Lanes(store).resume(connection)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """Past the proxy."""
        client = open_store(self.redis.url, timeout_seconds=5, retries=2)
        try:
            yield client
        finally:
            await client.aclose(close_connection_pool=True)

    async def _sandbox_answers(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            with suppress(aiohttp.ClientError):
                await self.system.ask("/healthz")
                return
            assert time.monotonic() < deadline, self.system.sandbox.log
            await asyncio.sleep(0.05)

    async def _keep(self, process: Process) -> None:
        while True:
            if not process.alive:
                end = End(process.name, process.code or 0, process.log[-500:])
                self.ends.append(end)
                await asyncio.sleep(_AGAIN_SECONDS)
                process.start()
            await asyncio.sleep(0.05)

    def _implanted(self, name: str, *words: str, **environ: str) -> Process:
        path = f"{_IMPLANT}{os.pathsep}{ROOT}"
        environ |= {"PYTHONPATH": path, "CRASH_FOLDER": str(self.folder)}
        return self.system.process(name, *words, **environ)

    def _lead_through_the_proxy(self) -> None:
        """What the connections call Platform is the proxy before the sandbox."""
        way = f"http://127.0.0.1:{self._ports['platform']}"
        for path in (self.folder / "config" / "connections").glob("*.yaml"):
            path.write_text(path.read_text().replace(self.system.sandbox_url, way))

    def _is_ours(self, pid: int) -> bool:
        with suppress(OSError):
            return str(self.folder).encode() in Path(f"/proc/{pid}/environ").read_bytes()
        return False


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
