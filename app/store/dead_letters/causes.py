"""Causes by their fingerprints: they never change, so each is read once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from app.core.dead_letter import Cause, decode_cause
from app.core.errors import UnreadableFrame
from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Store

_PAGE: Final = 1_000


@dataclass(slots=True)
class Causes:
    redis: Store
    _known: dict[str, Cause] = field(default_factory=dict, init=False)

    async def of(self, fingerprints: Iterable[str]) -> dict[str, Cause]:
        """The causes that are known. Raises StoreUnavailable."""
        asked = set(fingerprints)
        if unknown := sorted(asked - self._known.keys()):
            await self._read(unknown)
        return {each: self._known[each] for each in asked if each in self._known}

    async def all(self) -> dict[str, Cause]:
        """Every cause there is. Raises StoreUnavailable."""
        with store_faults():
            names = await self.redis.zrange(keys.DEAD_GROUPS_LAST, 0, -1)
        return await self.of(str(name, "ascii") for name in names)

    async def _read(self, fingerprints: list[str]) -> None:
        for start in range(0, len(fingerprints), _PAGE):
            part = fingerprints[start : start + _PAGE]
            with store_faults():
                async with self.redis.pipeline(transaction=False) as trip:
                    for fingerprint in part:
                        trip.hget(keys.dead_group(fingerprint), "cause")
                    found = await trip.execute()
            for fingerprint, packed in zip(part, found, strict=True):
                try:
                    self._known[fingerprint] = decode_cause(packed or b"")
                except UnreadableFrame:
                    continue
