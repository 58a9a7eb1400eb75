"""What must be done to the dead letter store now and again, by one worker at a time."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Final, cast

from app.store import keys
from app.store.dead_letters.adopting import OldLetters
from app.store.dead_letters.files import SpillFiles
from app.store.dead_letters.groups import Groups
from app.store.dead_letters.spilling import Spilling, SpillReport
from app.store.faults import store_faults
from app.store.scripting import Store

# Longer than a step takes; a worker that died is replaced after this.
LEASE_MS: Final = 60_000


# A group without letters, and what was noted of it, is forgotten so long after its last letter.
FORGET_MS: Final = 30 * 86_400_000


@dataclass(slots=True)
class Upkeep:
    """`max_bytes`: the budget of payloads in Redis; 0 = none."""

    redis: Store
    owner: str
    max_bytes: int = 0
    _spilling: Spilling = field(init=False)

    def __post_init__(self) -> None:
        files = SpillFiles(self.redis.data_dir)
        self._spilling = Spilling(self.redis, self.max_bytes, files)

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

    async def spill(self) -> SpillReport | None:
        """One file's worth of the oldest letters; None when all is within the budget.

        Raises StoreUnavailable, OSError.
        """
        return await self._spilling.step()

    async def tidy(self) -> list[str]:
        """Names of spill files that were removed, their letters being gone.

        Raises StoreUnavailable, OSError.
        """
        return await self._spilling.tidy()

    async def forget(self, now_ms: int) -> int:
        """Groups that were dropped: long without letters. Raises StoreUnavailable."""
        return await Groups(self.redis).forget(now_ms - FORGET_MS)
