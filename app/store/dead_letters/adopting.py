"""Dead letters of releases before fingerprints: taken into the indexes, in small steps.

A worker does it when it starts and then now and again (an older worker beside it may write more),
and `sluice dead-letters fsck` does it. Until then they are counted, but not listed.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, Final, cast

from app.core.batch import AttemptRun, unpack
from app.core.dead_letter import DeadLetter, decode_old_summary, encode_letter
from app.core.errors import UnreadableFrame
from app.store import keys
from app.store.dead_letters.writing import person_key
from app.store.faults import store_faults
from app.store.scripting import Script, Store

STEP: Final = 200


@dataclass(slots=True)
class OldLetters:
    redis: Store
    _adopt: Script = field(init=False)

    def __post_init__(self) -> None:
        self._adopt = Script(self.redis, "dead_adopt")

    async def adopt(self, connection: str) -> int:
        """Takes over all letters of a connection that can be read; how many. Raises
        StoreUnavailable."""
        key, taken, offset = await person_key(self.redis), 0, 0
        index = keys.old_dead_index(connection)
        while True:
            with store_faults():
                numbers = [
                    int(n) for n in await self.redis.zrange(index, offset, offset + STEP - 1)
                ]
                if not numbers:
                    return taken
                summaries = await self._many(keys.OLD_DEAD_SUMMARIES, numbers)
                payloads = await self._many(keys.DEAD_PAYLOADS, numbers)
            args: list[Any] = []
            for number, summary, payload in zip(numbers, summaries, payloads, strict=True):
                if encoded := _encoded(number, summary, payload, key):
                    args += [number, *encoded]
            names = [keys.DEAD, keys.OLD_DEAD_SUMMARIES, index]
            taken += int(await self._adopt(names, args)) if args else 0
            # Those that nobody can read stay where they are, for a person to see.
            offset += len(numbers) - len(args) // 3

    async def _many(self, key: str, numbers: list[int]) -> list[bytes | None]:
        fields = [str(number) for number in numbers]
        return await cast(Awaitable[list[bytes | None]], self.redis.hmget(key, fields))


def _encoded(
    number: int, summary: bytes | None, payload: bytes | None, key: bytes
) -> tuple[bytes, bytes] | None:
    try:
        body, record, history, *_ = unpack(payload or b"")
        runs = tuple(AttemptRun(*run) for run in history)
        letter = DeadLetter(decode_old_summary(number, summary or b""), body, record, runs)
    except (UnreadableFrame, TypeError, ValueError):
        return None
    encoded = encode_letter(letter, key)
    return encoded.summary, encoded.cause
