"""The connection's lane while its flow is new: held back, so that what is received waits in Redis.

What is sent to a flow in its first five minutes may be lost, and is answered 200 (platform.md
section 1.7). A pause ends by itself, so a command that is killed holds nobody up for longer.
"""

from __future__ import annotations

from typing import Final

from app.store.connect import Store
from app.store.lanes import OPERATOR, Gate, Lanes
from app.store.ledger import Ledger

# The class of the pause (app/store/lanes.py).
REASON: Final = "connect"


class Lane:
    """One connection's. Every method raises StoreUnavailable."""

    def __init__(self, redis: Store, connection: str) -> None:
        self._lanes = Lanes(redis)
        self._ledger = Ledger(redis)
        self._name = connection

    async def hold(self, seconds: float | None, why: str) -> None:
        """Nothing is sent for so long; None: until `hold` or `open`. A pause that a person asked
        for, without an end, stays."""
        state = await self._lanes.state(self._name)
        if state.gate is Gate.PAUSED and state.seconds is None and _class(state.reason) == OPERATOR:
            return
        await self._lanes.pause(self._name, f"{REASON}:{why}", seconds, by_operator=True)

    async def open(self) -> bool:
        """Ends a hold of ours; whether the lane is open now."""
        state = await self._lanes.state(self._name)
        if state.gate is not Gate.OPEN and _class(state.reason) == REASON:
            await self._lanes.resume(self._name)
            return True
        return state.gate is Gate.OPEN

    async def held(self) -> bool:
        """Whether it is we who hold it."""
        state = await self._lanes.state(self._name)
        return state.gate is Gate.PAUSED and _class(state.reason) == REASON

    async def said(self) -> tuple[str, str]:
        """(open, paused, probe or probing; why)."""
        state = await self._lanes.state(self._name)
        return state.gate.value, state.reason

    async def tests(self) -> int:
        """Test events counted so far."""
        return await self._sum("tests")

    async def in_flight(self) -> int:
        """Events that wait, or are under way."""
        return await self._sum("in_flight")

    async def _sum(self, column: str) -> int:
        rows = (await self._ledger.read()).rows
        return sum(getattr(row, column) for row in rows if row.connection == self._name)


def _class(reason: str) -> str:
    return reason.partition(":")[0]
