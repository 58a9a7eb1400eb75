"""Dead letters on their way into a script: encoded with this installation's key."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from app.core.dead_letter import DeadLetter, encode_letter
from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Store

_KEY_BYTES: Final = 32


async def person_key(redis: Store) -> bytes:
    """The key for the tokens of people, made by whoever comes first. Raises StoreUnavailable."""
    with store_faults():
        await redis.set(keys.DEAD_PERSON_KEY, secrets.token_bytes(_KEY_BYTES), nx=True)
        return bytes(await redis.get(keys.DEAD_PERSON_KEY) or b"")


@dataclass(slots=True)
class DeadWriter:
    """Makes the arguments of scripts that include `dead_add`."""

    redis: Store
    _key: bytes = field(default=b"", init=False)

    async def args(self, letters: Sequence[DeadLetter]) -> list[bytes]:
        """Payload, summary and cause of each, one after the other. Raises StoreUnavailable."""
        if not letters:
            return []
        key = await self.key()
        return [part for letter in letters for part in encode_letter(letter, key)]

    async def key(self) -> bytes:
        """The key, asked for once. Raises StoreUnavailable."""
        if not self._key:
            self._key = await person_key(self.redis)
        return self._key
