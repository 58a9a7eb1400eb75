"""Which events arrived: asked in bulk, and read only. Nothing here claims an id."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from app.core.batch import decode
from app.core.batch_id import BatchId
from app.core.errors import UnreadableFrame
from app.core.event import peek_event
from app.store import keys
from app.store.claims import Claims, place_of
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.tokens import DeadTokens
from app.store.faults import store_faults
from app.store.scripting import Store


class Arrival(Enum):
    """What is known of an id. UNKNOWN: its claim, if there was one, may be forgotten by now."""

    ARRIVED = "arrived"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Arrivals:
    """The events of one connection. Its memory grows with what waits in Redis, not with what is
    asked: an id in the open set may not be claimed yet, and a dead letter outlives its claim. Of
    dead letters it reads the tokens of the index, and looks up those alone that they point at."""

    redis: Store
    connection: str
    window_ms: int
    _waiting: set[bytes] = field(default_factory=set, init=False)
    _tokens: DeadTokens = field(init=False)
    _letters: DeadLetters = field(init=False)

    def __post_init__(self) -> None:
        self._tokens, self._letters = DeadTokens(self.redis), DeadLetters(self.redis)

    async def load(self) -> None:
        """Reads what waits. Before the first `of`, so that what a worker claims meanwhile is seen
        there. Raises StoreUnavailable."""
        with store_faults():
            names = await self.redis.zrange(keys.OPEN_SET, 0, -1)
        for name in names:
            text = str(name, "ascii")
            if BatchId.parse(text).connection == self.connection:
                await self._read(text)
        await self._tokens.load()

    async def of(self, ids: Sequence[tuple[str, int]]) -> list[Arrival]:
        """One answer per (event id, timestamp or 0), in one trip. Raises StoreUnavailable."""
        claims = Claims(self.redis, self.window_ms)
        owners = await asyncio.gather(*(claims.find(self.connection, *each) for each in ids))
        oldest_ms = time.time() * 1000 - self.window_ms
        return [
            await self._judge(event_id, timestamp, owner, oldest_ms)
            for (event_id, timestamp), owner in zip(ids, owners, strict=True)
        ]

    async def _judge(
        self, event_id: str, timestamp: int, owner: int | None, oldest_ms: float
    ) -> Arrival:
        if owner is not None or _digest(event_id) in self._waiting:
            return Arrival.ARRIVED
        if self._tokens.may_have(event_id) and await self._is_dead(event_id):
            return Arrival.ARRIVED
        known = made_ms(event_id, timestamp) >= oldest_ms
        return Arrival.MISSING if known else Arrival.UNKNOWN

    async def _is_dead(self, event_id: str) -> bool:
        wanted = Filter(connection=self.connection, event_id=event_id)
        async for _ in self._letters.find(wanted):
            return True
        return False

    async def _read(self, batch_id: str) -> None:
        with store_faults():
            frame = await self.redis.get(keys.BATCH_PREFIX + batch_id)
        try:
            bodies = decode(frame or b"").bodies
        except UnreadableFrame:
            return
        found = (peek_event(body)[0] for body in bodies)
        self._waiting.update(_digest(event_id) for event_id in found if event_id)


def made_ms(event_id: str, timestamp: int) -> int:
    """When an id was made: a ULID says it, else the event's timestamp does; 0 = nothing does."""
    slot, rest = place_of(event_id, timestamp)
    if slot.startswith("x"):
        return timestamp * 1000
    return int(slot, 16) << 16 | int.from_bytes(rest[:2], "big")


def _digest(event_id: str) -> bytes:
    # 16 bytes: less than the text. A ULID's and a hash's cannot be the same but by chance.
    slot, rest = place_of(event_id, 0)
    return rest if slot.startswith("x") else bytes.fromhex(slot) + rest
