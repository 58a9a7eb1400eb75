"""Ledger, lanes, events and the audit trail of the Redis beside us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.operations.actor import Actor
from app.operations.trying import Surroundings
from app.store.audit import Audit, Entry
from app.store.documents import lane_document, trace_document
from app.store.lane_views import LaneViews
from app.store.lanes import OPERATOR, Lanes
from app.store.ledger import Ledger
from app.store.ledger_lines import by_hour, ledger_document, totals
from app.store.scripting import Store
from app.store.standing import told
from app.store.traces import find_event


@dataclass(slots=True)
class HereBooks:
    """app.operations.face.Books."""

    redis: Store
    actor: Actor
    around: Surroundings

    async def ledger(self, hours: bool, connection: str | None) -> dict[str, Any]:
        balance = await Ledger(self.redis).read()
        names = [row.connection for row in balance.totals()]
        platforms = await told(self.redis, names, await self.around.connections())
        chosen = {n: each for n, each in platforms.items() if connection in (None, n)}
        lines = list(by_hour(balance, chosen) if hours else totals(balance, chosen))
        return ledger_document(balance, chosen, lines, hours)

    async def lanes(self) -> list[dict[str, Any]]:
        views = LaneViews(self.redis)
        known = await self.around.connections(told=True)
        limits = {name: each.limits.messages_per_second for name, each in known.items()}
        found = await views.look(limits.keys() | await views.known())
        return [lane_document(view, limits.get(view.connection)) for view in found]

    async def lane_names(self) -> set[str]:
        return set(await self.around.connections(told=True)) | await LaneViews(self.redis).known()

    async def pause_lane(self, name: str, reason: str, seconds: float | None) -> None:
        await self.actor.note(self.redis, "lanes.pause", on=name, reason=reason, seconds=seconds)
        await Lanes(self.redis).pause(name, f"{OPERATOR}:{reason}", seconds, by_operator=True)

    async def resume_lane(self, name: str) -> bool:
        await self.actor.note(self.redis, "lanes.resume", on=name)
        return await Lanes(self.redis).open(name)

    async def trace(
        self, event_id: str, connection: str | None, timestamp: int
    ) -> list[dict[str, Any]]:
        found = await find_event(self.redis, event_id, connection, timestamp)
        return [trace_document(each) for each in found]

    async def audit(self, cursor: str, limit: int) -> tuple[list[Entry], str | None]:
        return await Audit(self.redis).page(cursor, limit)
