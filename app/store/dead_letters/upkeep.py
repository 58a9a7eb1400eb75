"""What must be done to the dead letter store now and again, by one worker at a time."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final, cast

from app.store import keys
from app.store.dead_letters.adopting import OldLetters
from app.store.faults import store_faults
from app.store.scripting import Store

# Longer than a step takes; a worker that died is replaced after this.
LEASE_MS: Final = 60_000


@dataclass(slots=True)
class Upkeep:
    redis: Store
    owner: str

    async def lease(self) -> bool:
        """Whether this worker is the one that does it now. Raises StoreUnavailable."""
        with store_faults():
            mine = await self.redis.set(keys.DEAD_KEEPER, self.owner, px=LEASE_MS, nx=True)
            if not mine and await self.redis.get(keys.DEAD_KEEPER) == self.owner.encode():
                mine = await self.redis.pexpire(keys.DEAD_KEEPER, LEASE_MS)
        return bool(mine)

    async def adopt(self) -> dict[str, int]:
        """Letters of releases before fingerprints that were taken over, by connection.

        Raises StoreUnavailable.
        """
        with store_faults():
            names = await cast(Awaitable[set[bytes]], self.redis.smembers(keys.CONNECTIONS))
        old = OldLetters(self.redis)
        found = {}
        for name in sorted(str(name, "utf-8") for name in names):
            if count := await old.adopt(name):
                found[name] = count
        return found
