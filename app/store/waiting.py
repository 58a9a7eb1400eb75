"""Batches that wait until their lane can take them: laid aside, and taken up again.

They stay in the open set (design.md section 3), due after minutes: what is kept here is only who
comes first when there is room, and losing it costs those minutes and nothing else.

Every method raises StoreUnavailable when Redis cannot answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final, cast

from app.store import keys
from app.store.batches import RING_AGAIN_MS
from app.store.faults import store_faults
from app.store.scripting import Script, Store

# Due by themselves after so long, up to twice that, should nobody pull them.
PARKED_MS: Final = 300_000


class End(Enum):
    """From which end of a line batches are pulled."""

    BACKLOG = 0  # the backlog of the last pause, then what came since; oldest first in each
    NEWER = 1  # what came since, then the backlog; oldest first in each
    NEWEST = 2  # the newest of all


class Waiting:
    """The waiting batches of all connections; one per process."""

    def __init__(self, redis: Store) -> None:
        self._redis = redis
        self._park = Script(redis, "park")
        self._pull = Script(redis, "pull")

    async def park(self, connection: str, batch_ids: Sequence[str]) -> int:
        """Lays aside those of the connection's batches that nobody holds; how many."""
        return int(
            await self._park(
                [
                    keys.OPEN_SET,
                    keys.HELD,
                    keys.waiting(connection),
                    keys.WAITING,
                    keys.stems(connection),
                ],
                [connection, PARKED_MS, *batch_ids],
            )
        )

    async def pull(
        self, connection: str, batches: int, events: int, end: End = End.BACKLOG
    ) -> list[str]:
        """Batches to work on now, those of `end` first. Nobody else gets them for
        RING_AGAIN_MS."""
        found = await self._pull(
            [keys.OPEN_SET, keys.waiting(connection), keys.WAITING, keys.lane_pace(connection)],
            [connection, end.value, batches, events, RING_AGAIN_MS],
        )
        return [str(batch_id, "ascii") for batch_id in found]

    async def connections(self) -> set[str]:
        """Those that have waiting batches."""
        with store_faults():
            members = cast(set[bytes], await self._redis.smembers(keys.WAITING))  # type: ignore[misc]  # stub errs
        return {str(member, "ascii") for member in members}
