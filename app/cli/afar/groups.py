"""Causes of a console elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from app.cli.afar.client import Client
from app.operations.wire import group_of
from app.store.dead_letters.groups import Group, GroupFilter, Order, State

_PAGE: Final = 200


@dataclass(slots=True)
class AfarGroups:
    """app.operations.face.Groups."""

    client: Client

    async def page(
        self, wanted: GroupFilter, cursor: str, limit: int, order: Order
    ) -> tuple[list[Group], str | None]:
        asked: dict[str, Any] = {
            "connection": wanted.connection, "failure": wanted.failure, "text": wanted.text,
            "kind": wanted.kind, "campaign": wanted.campaign, "order": order.value,
            "mapping": wanted.mapping, "seen_after_ms": wanted.seen_after_ms,
            "seen_before_ms": wanted.seen_before_ms,
            "empty": 1 if wanted.empty else None,
            "state": None if wanted.state is None else wanted.state.value or "new",
        }  # fmt: skip
        found, more = list[Group](), cursor or None
        while True:
            asked |= {"cursor": more, "limit": min(_PAGE, limit - len(found))}
            answer = await self.client.get("/dead-letters/groups", **asked)
            found, more = found + [group_of(x) for x in answer["groups"]], answer["cursor"]
            if more is None or len(found) >= limit:
                return found, more

    async def get(self, fingerprint: str) -> Group | None:
        found = await self.client.find(f"/dead-letters/groups/{fingerprint}")
        return None if found is None else group_of(found)

    async def beginning(self, beginning: str) -> list[str]:
        answer = await self.client.get("/dead-letters/groups", begins=beginning)
        return list(answer["fingerprints"])

    async def note(self, fingerprint: str, text: str) -> bool:
        return await self._put(fingerprint, "note", {"text": text})

    async def mark(self, fingerprint: str, state: State) -> bool:
        return await self._put(fingerprint, "state", {"state": state.value})

    async def _put(self, fingerprint: str, what: str, body: dict[str, str]) -> bool:
        path = f"/dead-letters/groups/{fingerprint}/{what}"
        done = await self.client.document("PUT", path, body=orjson.dumps(body), missing=True)
        return done is not None
