"""Sessions of the console: an opaque id in the browser's cookie, its SHA-256 in Redis.

So who reads Redis, or a backup of it, cannot become anybody. Every method raises StoreUnavailable
when Redis cannot answer.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final

from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Script, Store
from app.store.users import Role, User

# OWASP asks for 64 bits of chance at least.
_ID_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is good now. `csrf`: what its forms must carry. `left_ms`: until it ends,
    however much it is used."""

    user: str
    role: Role
    csrf: str = field(repr=False)
    opened_ms: int
    left_ms: int


class Sessions:
    """All sessions. `idle_ms`: a session that is not used for so long ends; `whole_ms`: and in any
    case after so long."""

    def __init__(self, redis: Store, idle_ms: int, whole_ms: int) -> None:
        self.idle_ms = idle_ms
        self.whole_ms = whole_ms
        self._redis = redis
        self._open = Script(redis, "session_open")
        self._look = Script(redis, "session_look")

    async def open(self, user: User, instead_of: str = "") -> str:
        """A new session's id, for the cookie. The session `instead_of` ends: ids are never kept
        over a log-in or a change of what one may do, so that a planted one is of no use."""
        session_id = secrets.token_urlsafe(_ID_BYTES)
        await self._open(
            [_key(session_id), _key(instead_of)],
            [user.name, user.epoch, secrets.token_urlsafe(_ID_BYTES), self.idle_ms, self.whole_ms],
        )
        return session_id

    async def look(self, session_id: str, *, used: bool = True) -> Session | None:
        """The session, if it is good. `used` False: it is only asked whether it still is."""
        found = await self._look(
            [_key(session_id), keys.CONSOLE_USERS], [self.idle_ms if used else 0]
        )
        if not found:
            return None
        name, role, csrf, opened_ms, left_ms = found
        return Session(
            name.decode(), Role(role.decode()), csrf.decode(), int(opened_ms), int(left_ms)
        )

    async def close(self, session_id: str) -> None:
        """Ends it, if there is one."""
        with store_faults():
            await self._redis.delete(_key(session_id))


def _key(session_id: str) -> str:
    # A cookie may hold any bytes at all.
    digest = hashlib.sha256(session_id.encode("utf-8", "surrogatepass"))
    return keys.console_session(digest.hexdigest())
