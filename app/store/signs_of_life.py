"""Who is at work: each receiver and worker process leaves a sign of life, for people to see.

Nothing decides by them: leases do. Raises StoreUnavailable when Redis cannot answer.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from app.core.errors import StoreUnavailable
from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Store

INTERVAL_SECONDS: Final = 2.0
# Who was not seen for so long is not at work.
ALIVE_SECONDS: Final = 20.0
_FORGET_MS: Final = 600_000

Role = Literal["receiver", "worker"]


class Sign(NamedTuple):
    """`name`: host and process; `seconds`: since it was seen last."""

    role: str
    name: str
    seconds: float

    @property
    def alive(self) -> bool:
        return self.seconds < ALIVE_SECONDS


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """That of one process."""

    redis: Store
    role: Role
    name: str

    async def run(self) -> None:
        """For ever; takes the sign away when it is cancelled."""
        try:
            while True:
                with suppress(StoreUnavailable):  # it is told elsewhere
                    await self.give()
                await asyncio.sleep(INTERVAL_SECONDS)
        finally:
            with suppress(StoreUnavailable, asyncio.CancelledError):
                await self._take_away()

    async def give(self) -> None:
        with store_faults():
            now = await _now_ms(self.redis)
            await self.redis.zadd(keys.ALIVE, {self._member: now})
            await self.redis.zremrangebyscore(keys.ALIVE, 0, now - _FORGET_MS)

    async def _take_away(self) -> None:
        with store_faults():
            await self.redis.zrem(keys.ALIVE, self._member)

    @property
    def _member(self) -> str:
        return f"{self.role} {self.name}"


async def signs_of_life(redis: Store) -> list[Sign]:
    """Of all processes that were seen in the last ten minutes, by role and name."""
    with store_faults():
        now = await _now_ms(redis)
        found = await redis.zrange(keys.ALIVE, 0, -1, withscores=True)
    signs = []
    for member, seen in found:
        role, _, name = str(member, "utf-8").partition(" ")
        signs.append(Sign(role, name, max(0.0, (now - seen) / 1000)))
    return sorted(signs)


async def _now_ms(redis: Store) -> int:
    seconds, micros = await redis.time()
    return int(seconds) * 1000 + int(micros) // 1000
