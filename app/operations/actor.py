"""Who acts, as the audit trail names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.store.audit import Audit
from app.store.scripting import Store


@dataclass(frozen=True, slots=True)
class Actor:
    """`name`: `cli:ada`, or `ada/laptop`, a user and a token; `origin`: a machine or address."""

    name: str
    origin: str = ""

    async def note(self, redis: Store, what: str, **about: Any) -> None:
        """Written down first, then done: an act that nobody remembers is worse than one that was
        not finished. Raises StoreUnavailable."""
        origin = {"origin": self.origin} if self.origin else {}
        await Audit(redis).record(self.name, what, **about, **origin)
