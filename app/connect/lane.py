"""The connection's lane as connect holds and opens it. When it does, and why: holding.py.

Its hold is not a pause of the lane's (app/store/lanes.py): what a person or a worker paused stays
paused, and what they open is still held.
"""

from __future__ import annotations

from typing import Final

from app.store.connect import Store
from app.store.inlets import inlets_of
from app.store.lanes import Gate, Lanes
from app.store.ledger import Ledger

# The class of what the hold says (app/store/lanes.py).
REASON: Final = "connect"


class Lane:
    """One connection's. Every method raises StoreUnavailable."""

    def __init__(self, redis: Store, connection: str) -> None:
        self._redis = redis
        self._lanes = Lanes(redis)
        self._ledger = Ledger(redis)
        self._name = connection

    async def hold(self, seconds: float | None, why: str) -> None:
        """Nothing is sent for so long from now; None: until `hold` or `open`."""
        await self._lanes.hold(self._name, f"{REASON}:{why}", seconds)

    async def open(self) -> bool:
        """Ends a hold of ours; whether the lane is open now."""
        await self._lanes.end_hold(self._name)
        return (await self._lanes.state(self._name)).gate is Gate.OPEN

    async def held(self) -> bool:
        """Whether we hold it, whoever else does."""
        return await self.held_for() != 0

    async def held_for(self) -> float | None:
        """Seconds that our hold lasts, by Redis' clock; None = without an end, 0 = no hold."""
        return (await self._lanes.state(self._name)).hold

    async def said(self) -> tuple[str, str]:
        """(open, paused, probe or probing; why)."""
        state = await self._lanes.state(self._name)
        return state.gate.value, state.reason

    async def under_way(self) -> int:
        """Event batches that a worker has in work. One whose lease ran out is taken from it."""
        return await self._lanes.under_way(self._name)

    async def inlets(self) -> list[str | None]:
        """The inlet id that each worker sends to; "" = it does not serve the connection, None = it
        does not say."""
        return await inlets_of(self._redis, self._name)

    async def tests(self) -> int:
        """Test events counted so far."""
        return await self._sum("tests")

    async def in_flight(self) -> int:
        """Events that wait, or are under way."""
        return await self._sum("in_flight")

    async def _sum(self, column: str) -> int:
        rows = (await self._ledger.read()).rows
        return sum(getattr(row, column) for row in rows if row.connection == self._name)
