"""Which events died: all of them in one map of bits, made of the tokens that the index keeps.

Who asks of many events whether each is a dead letter would read every letter, or the index once for
each; the tokens themselves are 8 bytes each, and are read once.
"""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass, field
from typing import Final

from app.core.dead_letter.about import event_token
from app.store import keys
from app.store.dead_letters.writing import person_key
from app.store.faults import store_faults
from app.store.scripting import Store

# As scripts/parts/dead_terms.lua has them.
_BLOCKS_A_STRETCH: Final = 32
_DIGITS: Final = 16
_ENTRY_BYTES: Final = 8
_PLACE_BITS: Final = 16
# So many bits a token: of events that are not there, one in sixty looks as if it might be.
_BITS: Final = 64


@dataclass(slots=True)
class DeadTokens:
    """Some 8 bytes a token, of which a letter has two to five; also those of letters that are gone,
    until their stretch is."""

    redis: Store
    _key: bytes = field(default=b"", init=False)
    _bits: bytearray = field(default_factory=lambda: bytearray(1), init=False)
    _mask: int = field(default=7, init=False)

    async def load(self) -> None:
        """Reads the index as it is now. Raises StoreUnavailable."""
        self._key = await person_key(self.redis)
        with store_faults():
            blocks = await self.redis.zrange(keys.DEAD_BLOCKS, 0, -1)
        stretches = sorted({int(block) // _BLOCKS_A_STRETCH for block in blocks})
        bits = max(8, sum(await self._sizes(stretches)) // _ENTRY_BYTES * _BITS)
        self._mask = (1 << bits.bit_length()) - 1
        self._bits = bytearray((self._mask + 1) // 8)
        for stretch in stretches:
            for noted in await self._strings(stretch):
                self._add(noted)

    def may_have(self, event_id: str) -> bool:
        """False: no letter of that event was there. True: there was, or, seldom, another's."""
        place = int.from_bytes(event_token(self._key, event_id), "big") & self._mask
        return bool(self._bits[place >> 3] >> (place & 7) & 1)

    def _add(self, noted: bytes) -> None:
        entries, bits, mask = array("Q"), self._bits, self._mask
        entries.frombytes(noted[: len(noted) // _ENTRY_BYTES * _ENTRY_BYTES])
        if sys.byteorder == "little":
            entries.byteswap()
        for entry in entries:
            place = entry >> _PLACE_BITS & mask
            bits[place >> 3] |= 1 << (place & 7)

    async def _sizes(self, stretches: list[int]) -> list[int]:
        """Bytes of all strings."""
        with store_faults():
            async with self.redis.pipeline(transaction=False) as trip:
                for stretch in stretches:
                    for digit in range(_DIGITS):
                        trip.strlen(keys.dead_tokens(stretch, digit))
                return [int(size) for size in await trip.execute()]

    async def _strings(self, stretch: int) -> list[bytes]:
        with store_faults():
            names = [keys.dead_tokens(stretch, digit) for digit in range(_DIGITS)]
            return [noted or b"" for noted in await self.redis.mget(names)]
