"""API tokens: for programs, and a command line elsewhere. Shown once, kept as SHA-256.

A token may what its user may. Every method raises StoreUnavailable when Redis cannot answer.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Awaitable
from typing import Final, cast

import orjson

from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Store
from app.store.users import User, Users

# So that whoever finds one, or a scanner of repositories, sees what it is.
PREFIX: Final = "sluice_"


class Tokens:
    """All tokens."""

    def __init__(self, redis: Store) -> None:
        self._redis = redis

    async def make(self, user: User, days: float) -> str:
        """A new token of that user, good for so long."""
        token = PREFIX + secrets.token_urlsafe(32)
        now = _now_ms()
        # made_ms: a later user of the same name does not inherit it.
        kept = {"user": user.name, "user_made_ms": user.made_ms, "made_ms": now}
        kept["ends_ms"] = now + int(days * 86_400_000)
        with store_faults():
            await cast(
                Awaitable[int],
                self._redis.hset(keys.CONSOLE_TOKENS, _digest(token), orjson.dumps(kept).decode()),
            )
        return token

    async def user_of(self, token: str, users: Users) -> User | None:
        """Whose token it is; None when it is nobody's, or over."""
        with store_faults():
            packed = await cast(
                Awaitable[bytes | None], self._redis.hget(keys.CONSOLE_TOKENS, _digest(token))
            )
        kept = orjson.loads(packed) if packed else None
        if kept is None or kept["ends_ms"] <= _now_ms():
            return None
        user = await users.get(kept["user"])
        return user if user and user.made_ms == kept["user_made_ms"] else None

    async def revoke(self, name: str) -> int:
        """Ends all tokens of a user, and removes whatever is over; how many of the user's."""
        with store_faults():
            found = await cast(
                Awaitable[dict[bytes, bytes]], self._redis.hgetall(keys.CONSOLE_TOKENS)
            )
        kept = {digest: orjson.loads(packed) for digest, packed in found.items()}
        now = _now_ms()
        mine = [str(digest, "ascii") for digest, each in kept.items() if each["user"] == name]
        over = [str(digest, "ascii") for digest, each in kept.items() if each["ends_ms"] <= now]
        if mine or over:
            with store_faults():
                await cast(Awaitable[int], self._redis.hdel(keys.CONSOLE_TOKENS, *{*mine, *over}))
        return len(mine)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
