"""Causes in the Redis beside us."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from app.operations.actor import Actor
from app.store.dead_letters.groups import Group, GroupFilter, Groups, Order, State
from app.store.scripting import Store


@dataclass(slots=True)
class HereGroups:
    """app.operations.face.Groups."""

    redis: Store
    actor: Actor
    _groups: Groups = field(init=False)

    def __post_init__(self) -> None:
        self._groups = Groups(self.redis)

    async def page(
        self, wanted: GroupFilter, cursor: str, limit: int, order: Order
    ) -> tuple[list[Group], str | None]:
        return await self._groups.whole_page(wanted, cursor, limit, order)

    async def get(self, fingerprint: str) -> Group | None:
        """One of them."""
        found = await self._groups.get([fingerprint])
        return found[0] if found else None

    async def beginning(self, beginning: str) -> list[str]:
        return await self._groups.resolve_prefix(beginning)

    async def note(self, fingerprint: str, text: str) -> bool:
        await self.actor.note(self.redis, "dead-letters.note", group=fingerprint)
        return await self._groups.note(fingerprint, text, self.actor.name, _now_ms())

    async def mark(self, fingerprint: str, state: State) -> bool:
        await self.actor.note(self.redis, f"dead-letters.{state.value}", group=fingerprint)
        return await self._groups.mark(fingerprint, state, self.actor.name, _now_ms())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
