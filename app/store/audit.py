"""Who did what, and when: a stream in Redis. It names letters and groups, never a body's content.

Entries older than the bound go when new ones come; nothing else removes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Store

DAYS: Final = 400
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. `at_ms`: Unix ms of Redis' clock; `about`: what it was done to."""

    cursor: str
    at_ms: int
    who: str
    what: str
    about: dict[str, Any]


@dataclass(slots=True)
class Audit:
    redis: Store

    async def record(self, who: str, what: str, **about: Any) -> None:
        """Writes an entry, and forgets those of more than 400 days ago. Raises StoreUnavailable."""
        with store_faults():
            seconds, _ = await self.redis.time()
            await self.redis.xadd(
                keys.AUDIT,
                {"who": who, "what": what, "about": orjson.dumps(about)},
                minid=str(int(seconds) * 1000 - DAYS * _DAY_MS),
            )

    async def page(self, cursor: str = "", limit: int = 100) -> tuple[list[Entry], str | None]:
        """Entries before `cursor`, newest first, and the cursor. Raises StoreUnavailable."""
        last = f"({cursor}" if cursor else "+"
        with store_faults():
            found = await self.redis.xrevrange(keys.AUDIT, last, "-", count=limit)
        entries = [_entry(str(name, "ascii"), fields) for name, fields in found]
        return entries, entries[-1].cursor if len(entries) == limit else None


def _entry(name: str, fields: dict[bytes, bytes]) -> Entry:
    return Entry(
        name,
        int(name.partition("-")[0]),
        str(fields[b"who"], "utf-8"),
        str(fields[b"what"], "utf-8"),
        orjson.loads(fields[b"about"]),
    )
