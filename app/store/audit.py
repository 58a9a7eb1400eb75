"""The audit trail: who did what, when and from where. Written, read, never changed.

An act is written down before it is done: so what was done is always there, and at worst something
that then failed. Every method raises StoreUnavailable when Redis cannot answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Store

PAGE: Final = 50

_TEXT_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. `entry_id`: grows with time. `actor`: a user, or `cli:NAME` for a command on a
    machine; `act`: dotted, such as `lane.paused`; `target`: on what; `origin`: the address, or
    the machine. `details`: short texts and numbers; never a value of an event."""

    entry_id: str
    at_ms: int
    actor: str
    act: str
    target: str
    origin: str
    details: Mapping[str, Any]


class Audit:
    """The whole trail, of commands and console."""

    def __init__(self, redis: Store) -> None:
        self._redis = redis

    async def note(
        self, actor: str, act: str, target: str = "", origin: str = "", **details: Any
    ) -> str:
        """Writes an act down; its id. Long texts are cut."""
        fields = {
            "actor": actor,
            "act": act,
            "target": target[:_TEXT_MAX],
            "origin": origin,
            "details": orjson.dumps({name: _short(value) for name, value in details.items()}),
        }
        with store_faults():
            found: bytes = await self._redis.xadd(keys.AUDIT, fields)  # type: ignore[arg-type]  # stub: invariant
        return str(found, "ascii")

    async def read(self, before: str = "", count: int = PAGE) -> list[Entry]:
        """The latest entries, newest first; those older than the entry `before`. Raises ValueError
        when that is no entry's id."""
        if before and not _is_id(before):
            raise ValueError(f"{before!r} is no entry of the audit trail")
        with store_faults():
            found = await self._redis.xrevrange(
                keys.AUDIT, max=f"({before}" if before else "+", count=count
            )
        return [_read(str(name, "ascii"), fields) for name, fields in found]


def _is_id(text: str) -> bool:
    ms, _, number = text.partition("-")
    return all(part.isascii() and part.isdigit() and len(part) < 19 for part in (ms, number))


def _read(name: str, fields: Mapping[bytes, bytes]) -> Entry:
    def text(key: bytes) -> str:
        return fields.get(key, b"").decode("utf-8", "replace")

    at_ms = int(name.partition("-")[0])
    details = orjson.loads(fields.get(b"details", b"{}"))
    return Entry(
        name, at_ms, text(b"actor"), text(b"act"), text(b"target"), text(b"origin"), details
    )


def _short(value: Any) -> Any:
    return value[:_TEXT_MAX] if isinstance(value, str) else value
