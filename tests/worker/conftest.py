"""A worker's parts over a real Redis, with a lane that answers as a test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from arq.connections import ArqRedis

from app.core.batch import encode_received
from app.core.batch_id import BatchId
from app.core.dataprep import compile_mapping_set
from app.core.outcome import Outcome, Verdict
from app.store.batches import Batches
from app.store.claims import Claims
from app.store.dead_letters import DeadLetters, Filter
from app.store.ledger import Ledger, Row
from app.store.traces import Traces
from tests.worker.scripted_platform import make, platform
from worker.desk import Desk
from worker.metrics import Metrics
from worker.pipeline import Pipeline, RetryPolicy
from worker.route import Route, Version
from worker.sampling import Sampler

__all__ = ["make", "platform"]

DELIVERED = Outcome(Verdict.DELIVERED, status=207, receipt="r1")

MAPPING: dict[str, Any] = {
    "name": "small",
    "version": 1,
    "mappings": [
        {"sourceType": "ATTRIBUTE", "source": "event_id", "destination": "_id"},
        {
            "sourceType": "EXPRESSION",
            "source": "dformat(timestamp * 1000, \"yyyy-MM-dd'T'HH:mm:ss.SSSX\")",
            "destination": "timestamp",
        },
        {"sourceType": "ATTRIBUTE", "source": "metric", "destination": "eventType"},
    ],
}


class ScriptedLane:
    """Answers each message by `decide(_id)`; remembers what it was given."""

    def __init__(self, decide: Callable[[str], Outcome] | None = None) -> None:
        self.decide = decide or (lambda _: DELIVERED)
        self.sent: list[str] = []
        self.suspects: list[bool] = []
        # So many outcomes are told early; the rest waits for `rest`.
        self.early = 0
        self.rest = asyncio.Event()

    async def send(
        self,
        messages: Sequence[bytes],
        *,
        suspect: bool,
        told: Callable[[int, Sequence[Outcome]], None],
    ) -> list[Outcome]:
        self.suspects.append(suspect)
        ids = [json.loads(message)["_id"] for message in messages]
        self.sent += ids
        outcomes = [self.decide(event_id) for event_id in ids]
        if self.early:
            told(0, outcomes[: self.early])
            await self.rest.wait()
        return outcomes


@dataclass
class Shop:
    """All parts, and the few questions that tests ask."""

    store: ArqRedis
    lane: ScriptedLane = field(default_factory=ScriptedLane)
    now: float = 1_800_000_000.0
    lease_ms: int = 10_000
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    sampler: Sampler | None = None

    def __post_init__(self) -> None:
        self.metrics = Metrics()
        self.letters = DeadLetters(self.store)
        self.ledger = Ledger(self.store)
        self.traces = Traces(self.store, Claims(self.store), self.letters)
        self.batches = Batches(self.store, "worker-1", lease_ms=self.lease_ms)
        self.desk = self.new_desk(self.batches)

    def new_desk(self, batches: Batches) -> Desk:
        return Desk(batches, self.new_pipeline(batches), self.metrics)

    def new_pipeline(self, batches: Batches) -> Pipeline:
        version = Version(compile_mapping_set(MAPPING, {}))
        self.route = Route("a", self.lane, version, (b"", b""))
        return Pipeline(
            {"a": self.route}, batches, Claims(self.store), self.metrics, self.policy,
            sampler=self.sampler, clock=lambda: self.now, chance=lambda: 1.0,
        )  # fmt: skip

    async def receive(self, *bodies: bytes, connection: str = "a") -> str:
        frame = encode_received(bodies, [int(self.now * 1000)] * len(bodies))
        return await self.batches.commit(connection, frame, len(bodies))

    async def row(self) -> Row:
        balance = await self.ledger.read()
        assert balance.faults == ()
        [total] = balance.totals()
        assert total.difference == 0
        return total

    async def open(self) -> list[tuple[BatchId, int]]:
        return await self.batches.open_ids()

    async def dead(self) -> list[str]:
        found = [letter async for letter in self.letters.find(Filter())]
        return [f"{x.stage}/{x.failure}/{x.code}" for x in found]


@pytest.fixture
def shop(store: ArqRedis) -> Shop:
    return Shop(store)


def body(event_id: str, **changes: object) -> bytes:
    event = {
        "event_id": event_id, "object_type": "email", "metric": "sent",
        "timestamp": 1_700_000_000, "data": {"delivery_id": "d"}, **changes,
    }  # fmt: skip
    return json.dumps(event).encode()
