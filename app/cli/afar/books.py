"""Ledger, lanes, events and the audit trail of a console elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from app.cli.afar.client import Client, part
from app.operations.wire import entry_of
from app.store.audit import Entry

_PAGE: Final = 1_000


@dataclass(slots=True)
class AfarBooks:
    """app.operations.face.Books."""

    client: Client

    async def ledger(self, hours: bool, connection: str | None) -> dict[str, Any]:
        asked = {"hours": 1 if hours else None, "connection": connection}
        found: dict[str, Any] = await self.client.get("/ledger", **asked)
        return found

    async def lanes(self) -> list[dict[str, Any]]:
        return list((await self.client.get("/lanes"))["lanes"])

    async def lane_names(self) -> set[str]:
        return {lane["connection"] for lane in await self.lanes()}

    async def pause_lane(self, name: str, reason: str, seconds: float | None) -> None:
        asked = {"reason": reason} | ({} if seconds is None else {"seconds": seconds})
        await self.client.post(f"/lanes/{part(name)}/pause", asked)

    async def resume_lane(self, name: str) -> bool:
        return bool((await self.client.post(f"/lanes/{part(name)}/resume", {}))["resumed"])

    async def trace(
        self, event_id: str, connection: str | None, timestamp: int
    ) -> list[dict[str, Any]]:
        path = f"/events/{part(event_id)}"
        found = await self.client.get(path, connection=connection, timestamp=timestamp or None)
        return list(found["connections"])

    async def audit(self, cursor: str, limit: int) -> tuple[list[Entry], str | None]:
        found, more = list[Entry](), cursor or None
        while True:
            count = min(_PAGE, limit - len(found))
            answer = await self.client.get("/audit", cursor=more, limit=count)
            found, more = found + [entry_of(x) for x in answer["entries"]], answer["cursor"]
            if more is None or len(found) >= limit:
                return found, more
