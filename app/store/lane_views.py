"""What an operator wants to see of lanes: their state, their pace, and what waits for them.

Reads only. Every method raises StoreUnavailable when Redis cannot answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import cast

from app.core.batch import decode
from app.core.batch_id import BatchId
from app.core.errors import UnreadableFrame
from app.core.lane import FRESH, Pace
from app.store import keys
from app.store.batches import Batches
from app.store.budgets import Budgets
from app.store.faults import store_faults
from app.store.lanes import Gate, Lanes, LaneState
from app.store.scripting import Store


@dataclass(slots=True)
class LaneView:
    """One lane. `in_work_*`: what workers hold now; `waiting_*`: the rest of what is open.

    `oldest_ms`: Unix ms at which the oldest waiting event was received, None when none waits.
    """

    connection: str
    state: LaneState = field(default_factory=lambda: LaneState(Gate.OPEN))
    pace: Pace = FRESH
    in_work_batches: int = 0
    in_work_events: int = 0
    waiting_batches: int = 0
    waiting_events: int = 0
    oldest_ms: int | None = None


class LaneViews:
    """Looks at lanes."""

    def __init__(self, redis: Store) -> None:
        self._redis = redis
        self._lanes = Lanes(redis)
        self._budgets = Budgets(redis)
        self._batches = Batches(redis)

    async def known(self) -> set[str]:
        """Connections that have ever received something."""
        with store_faults():
            members = await cast(Awaitable[set[bytes]], self._redis.smembers(keys.CONNECTIONS))
        return {str(member, "ascii") for member in members}

    async def look(self, connections: Iterable[str]) -> list[LaneView]:
        """Those lanes, by name."""
        views = {name: LaneView(name) for name in sorted(connections)}
        oldest = await self._count(views)
        for name, view in views.items():
            view.state = await self._lanes.state(name)
            view.pace = await self._budgets.pace(name)
            if name in oldest:
                view.oldest_ms = await self._received_ms(oldest[name])
        return list(views.values())

    async def _count(self, views: dict[str, LaneView]) -> dict[str, BatchId]:
        """Counts open batches into the views; the oldest waiting one per connection."""
        with store_faults():
            seconds, _ = await self._redis.time()
            held = await cast(Awaitable[dict[bytes, bytes]], self._redis.hgetall(keys.HELD))
        working = {
            name for name, lease in held.items() if int(lease.split()[1]) > int(seconds) * 1000
        }
        oldest: dict[str, BatchId] = {}
        for batch_id, _ in await self._batches.open_ids():
            view = views.get(batch_id.connection)
            if view is None:
                continue
            if str(batch_id).encode() in working:
                view.in_work_batches += 1
                view.in_work_events += batch_id.events
                continue
            view.waiting_batches += 1
            view.waiting_events += batch_id.events
            first = oldest.setdefault(view.connection, batch_id)
            if (batch_id.hour, batch_id.number) < (first.hour, first.number):
                oldest[view.connection] = batch_id
        return oldest

    async def _received_ms(self, batch_id: BatchId) -> int | None:
        with store_faults():
            frame = await self._redis.get(keys.BATCH_PREFIX + str(batch_id))
        try:
            return min(decode(frame).received_ms) if frame else None
        except UnreadableFrame:
            return None
