"""Claims: each event id belongs to the first batch that asked for it, for the claim window.

Exact: an id is remembered whole (a ULID's 16 bytes; 128 bits of BLAKE2b for any other text), so
there are no false duplicates. Compact: see scripts/claim.lua.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from typing import Final

from app.core.dead_letter.event_id import pack_event_id
from app.core.errors import LeaseLost
from app.store import keys
from app.store.scripting import Script, Store

# Well within the 512 entries of hash-max-listpack-entries, and short enough to be scanned in
# well under a microsecond.
IDS_PER_BUCKET: Final = 128


class Claim(Enum):
    """What asking for an id came to."""

    NEW = "n"
    OWN = "o"  # this batch claimed it before: a re-run after a crash, or a later try
    DUPLICATE = "d"


def place_of(event_id: str, timestamp: int) -> tuple[str, bytes]:
    """(slot, rest) of an event id. `timestamp`: the event's, Unix seconds.

    The slot is about a minute of time, the ULID's own (65.5 s) or else the event's, which is the
    same on every retry: so old slots rest and expire.
    """
    packed = pack_event_id(event_id)
    if isinstance(packed, bytes):
        return packed[:4].hex(), packed[4:]
    digest = blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return f"x{timestamp >> 6:x}", digest


def _by_slot(ids: Sequence[tuple[str, int]]) -> dict[str, list[tuple[bytes, int]]]:
    """What is stored of each id, and its place among `ids`."""
    slots: dict[str, list[tuple[bytes, int]]] = {}
    for position, (event_id, timestamp) in enumerate(ids):
        slot, rest = place_of(event_id, timestamp)
        if slot in slots:
            slots[slot].append((rest, position))
        else:
            slots[slot] = [(rest, position)]
    return slots


@dataclass(slots=True)
class Claims:
    """Asks for ids, a whole batch in one call."""

    redis: Store
    window_ms: int = 10 * 86_400_000
    _claim: Script = field(init=False)
    _find: Script = field(init=False)

    def __post_init__(self) -> None:
        self._claim = Script(self.redis, "claim")
        self._find = Script(self.redis, "find_claim")

    async def claim(
        self,
        connection: str,
        batch_number: int,
        ids: Sequence[tuple[str, int]],
        *,
        take_over: bool = False,
        held: tuple[str, str] = ("", ""),
    ) -> list[Claim]:
        """One Claim per (event id, timestamp). `ids` are distinct.

        `take_over`: claims of other batches become this one's, as a replay wants. `held`: (batch
        id, owner), for a batch that must still be the owner's. Raises StoreUnavailable, and
        LeaseLost when it is not: nothing was claimed then.
        """
        if not ids:
            return []
        args: list[str | int | bytes] = [
            keys.claims_prefix(connection),
            batch_number,
            self.window_ms,
            IDS_PER_BUCKET,
            int(take_over),
            *held,
        ]
        order: list[int] = []
        for slot, members in _by_slot(ids).items():
            members.sort()
            # One argument for all: redis-py takes 0.6 µs for each.
            args += [slot, len(members[0][0]), b"".join([rest for rest, _ in members])]
            order += [position for _, position in members]
        answer: bytes | None = await self._claim([keys.HELD], args)
        if answer is None:
            raise LeaseLost(held[0])
        claims = [Claim.NEW] * len(ids)
        for position, letter in zip(order, answer, strict=True):
            if letter != _NEW:
                claims[position] = Claim.OWN if letter == _OWN else Claim.DUPLICATE
        return claims

    async def find(self, connection: str, event_id: str, timestamp: int = 0) -> int | None:
        """Number of the batch that claimed an id; None when none did within the window.

        `timestamp` matters only for ids that are no ULIDs.
        """
        slot, rest = place_of(event_id, timestamp)
        args = [keys.claims_prefix(connection), slot, rest]
        found = await self._find([], args)
        return None if found is None else int(found)


_NEW: Final = ord(Claim.NEW.value)
_OWN: Final = ord(Claim.OWN.value)
