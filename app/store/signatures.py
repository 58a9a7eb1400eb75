"""What receivers see of signatures: which key Customer.io signs with, and what is refused.

Each process counts in memory, and writes it down once a second: no webhook waits for that. Only
what has the form of Customer.io's headers counts, and nothing that we sent ourselves.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast

from app.core.errors import StoreUnavailable
from app.core.signature import fingerprint
from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Store

WRITE_SECONDS: Final = 1.0
# For which refusals are counted.
COUNTED_HOURS: Final = 24
_EXPIRE_SECONDS: Final = (COUNTED_HOURS + 2) * 3_600
_LONGEST_SECONDS: Final = 2.0
_REFUSED: Final = "refused"


class Seen:
    """One connection's, since its process began. `believed_ms`: of the last genuine webhook, for
    each live key in order; Unix ms, 0 = none yet."""

    __slots__ = ("believed_ms", "fingerprints", "refused", "refused_ms")

    def __init__(self, live: Sequence[bytes]) -> None:
        self.fingerprints = [fingerprint(key) for key in live]
        self.believed_ms = [0] * len(live)
        self.refused = 0
        self.refused_ms = 0

    def refuse(self, now_ms: int) -> None:
        """A signature that none of the keys made."""
        self.refused += 1
        self.refused_ms = now_ms


class SignatureNotes:
    """Writes down what one process sees. `seen`: by connection."""

    def __init__(self, redis: Store, seen: Mapping[str, Seen]) -> None:
        self._redis = redis
        self._seen = seen
        self._times: dict[tuple[str, str], int] = {}
        self._refused = dict.fromkeys(seen, 0)

    async def run(self) -> None:
        """For ever; once more when it is cancelled. What Redis does not take now it takes later."""
        try:
            while True:
                await asyncio.sleep(WRITE_SECONDS)
                await self._try()
        finally:
            await self._try()

    async def write(self) -> None:
        """What is new. Raises StoreUnavailable."""
        for name, seen in self._seen.items():
            new = {
                field: ms
                for field, ms in _times_of(seen).items()
                if ms > self._times.get((name, field), 0)
            }
            if new:
                await self._write(name, new, seen)

    async def _write(self, name: str, new: Mapping[str, int], seen: Seen) -> None:
        refused = seen.refused - self._refused[name]
        with store_faults():
            async with self._redis.pipeline(transaction=False) as pipe:
                for field, ms in new.items():
                    pipe.hset(keys.signatures(name), field, str(ms))
                if refused:
                    counter = keys.signatures_refused(name, seen.refused_ms // 3_600_000)
                    pipe.incrby(counter, refused)
                    pipe.expire(counter, _EXPIRE_SECONDS)
                await pipe.execute()
        self._refused[name] += refused
        self._times |= {(name, field): ms for field, ms in new.items()}

    async def _try(self) -> None:
        # That Redis is away is told elsewhere.
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_LONGEST_SECONDS):
                await self.write()


@dataclass(frozen=True, slots=True)
class SignatureRecord:
    """`refused`: wrong signatures of the last day; times: Unix seconds, 0 = never. `believed`:
    key's fingerprint -> when Customer.io last signed with it."""

    refused: int
    refused_at: float
    believed: Mapping[str, float]

    @property
    def believed_at(self) -> float:
        """Of the last genuine webhook, by whichever key."""
        return max(self.believed.values(), default=0.0)


class Signatures:
    """One connection's, as all receivers wrote it down. Every method raises StoreUnavailable."""

    def __init__(self, redis: Store, connection: str) -> None:
        self._redis = redis
        self._name = connection

    async def read(self, now: float | None = None) -> SignatureRecord:
        """As it is known now, a second late at most. `now`: Unix seconds."""
        hour = int(time.time() if now is None else now) // 3_600
        hours = range(hour - COUNTED_HOURS, hour + 1)
        with store_faults():
            found = await cast(
                Awaitable[dict[bytes, bytes]], self._redis.hgetall(keys.signatures(self._name))
            )
            counts = await self._redis.mget(
                [keys.signatures_refused(self._name, each) for each in hours]
            )
        times = {str(field, "ascii"): int(ms) / 1000 for field, ms in found.items()}
        refused_at = times.pop(_REFUSED, 0.0)
        return SignatureRecord(sum(int(each or 0) for each in counts), refused_at, times)

    async def believed(self) -> Mapping[str, float]:
        """SignatureRecord.believed."""
        return (await self.read()).believed

    async def forget(self, key: bytes) -> None:
        """What is known of a key counts no more: only what comes from now on."""
        with store_faults():
            name = keys.signatures(self._name)
            await cast(Awaitable[int], self._redis.hdel(name, fingerprint(key)))


def _times_of(seen: Seen) -> dict[str, int]:
    """Field -> ms. A key that is listed twice has its later time."""
    times: dict[str, int] = {_REFUSED: seen.refused_ms}
    for field, ms in zip(seen.fingerprints, seen.believed_ms, strict=True):
        times[field] = max(ms, times.get(field, 0))
    return times
