"""A receiver in this process on a real socket, over a store that can be slowed, broken and read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from app.core.batch import EventBatch, decode, encode_received
from app.core.errors import StoreUnavailable
from app.core.signature import sign
from app.store.batches import Pressure
from app.web.config import ReceiverConfig, ReceiverConnection
from app.web.metrics import ReceiverMetrics
from app.web.protocol import ReceiverServer
from app.web.receiver import Receiver

KEY = b"the-key"
OLD_KEY = b"the-key-before"


@dataclass
class FakeStore:
    """Keeps what is committed. `gate` cleared: commits wait. `fault`: every call raises it."""

    batches: list[EventBatch] = field(default_factory=list)
    rung: list[str] = field(default_factory=list)
    pressed: Pressure = field(default_factory=lambda: Pressure(10, 1000, 0, 0))
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    fault: Exception | None = None
    commit_fault: Exception | None = None
    under_way: int = 0
    most_under_way: int = 0
    calls: int = 0
    pings: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    @property
    def bodies(self) -> list[bytes]:
        return [body for batch in self.batches for body in batch.bodies]

    async def commit(self, connection: str, frame: bytes, events: int) -> str:
        self.calls += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.gate.wait()
            if fault := self.fault or self.commit_fault:
                raise fault
            batch = decode(frame)
            assert len(batch.bodies) == events
            self.batches.append(batch)
            return f"{connection}:0:{events}:{len(self.batches)}"
        finally:
            self.under_way -= 1

    async def ring_all(self, batch_ids: Sequence[str]) -> None:
        if self.fault:
            raise self.fault
        self.rung += batch_ids

    async def pressure(self) -> Pressure:
        if self.fault:
            raise self.fault
        return self.pressed

    async def ping(self) -> None:
        self.pings += 1
        if self.fault:
            raise self.fault


class Client:
    """What Customer.io would send, and what it would not."""

    def __init__(self, receiver: Receiver, port: int, session: aiohttp.ClientSession) -> None:
        self.receiver = receiver
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._session = session

    async def post(
        self,
        body: Any = b"{}",
        *,
        key: bytes = KEY,
        path: str = "/webhooks/acme",
        at: int | None = None,
        prefix: str = "",
        headers: dict[str, str] | None = None,
        signed: bytes | None = None,
    ) -> int:
        stamp = str(int(time.time()) if at is None else at)
        given = {
            "X-CIO-Timestamp": stamp,
            "X-CIO-Signature": prefix + sign(key, stamp.encode(), signed or body),
            **(headers or {}),
        }
        return await self.request("POST", path, data=body, headers=given)

    async def request(self, method: str, path: str, **options: Any) -> int:
        async with self._session.request(method, self.url + path, **options) as answer:
            self.text = await answer.text()
            self.headers = answer.headers
            return answer.status

    async def raw(self, *parts: bytes) -> bytes:
        """What comes back on a bare connection until the server closes it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            return await reader.read()
        finally:
            writer.close()

    async def metric(self, name: str, **labels: str) -> float:
        assert await self.request("GET", "/metrics") == 200
        total = 0.0
        for line in self.text.splitlines():
            if line.startswith(name) and all(f'{k}="{v}"' in line for k, v in labels.items()):
                total += float(line.rpartition(" ")[2])
        return total


Serve = Callable[..., Any]


@pytest.fixture
def fake_store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def unavailable() -> Callable[[str], StoreUnavailable]:
    return StoreUnavailable


@pytest.fixture
def serve(fake_store: FakeStore) -> Serve:
    """`async with serve(linger_ms=1, connection={...}) as client`; `store` replaces the fake."""

    @asynccontextmanager
    async def serving(
        *, store: Any = None, connection: dict[str, Any] | None = None, **config: Any
    ) -> AsyncIterator[Client]:
        given = {"name": "acme", "keys": (KEY, OLD_KEY), **(connection or {})}
        receiver = Receiver(
            ReceiverConfig(**config),
            [ReceiverConnection(**given)],
            store or fake_store,
            encode_received,
            ReceiverMetrics(),
        )
        server = ReceiverServer(
            receiver.handle, receiver.config, receiver.answers, receiver.strays, receiver.faults
        )
        loop = asyncio.get_running_loop()
        acceptor = await loop.create_server(server, "127.0.0.1", 0)
        port = acceptor.sockets[0].getsockname()[1]
        connector = aiohttp.TCPConnector(limit=0)
        try:
            async with aiohttp.ClientSession(connector=connector) as session:
                yield Client(receiver, port, session)
        finally:
            fake_store.gate.set()
            acceptor.close()
            server.pre_shutdown()
            await server.shutdown(5)
            await receiver.close()

    return serving


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Wait for a condition that something else in the loop brings about."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110  # any condition, no event
                await asyncio.sleep(0.002)

    return wait
