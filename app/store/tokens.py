"""API tokens: for programs, and a command line elsewhere. Shown once, kept as SHA-256.

Not argon2, which passwords need because people choose them: a token is 32 random bytes, so nobody
finds it by guessing however fast a guess is, and a slow hash would only make each request slow.

A token may what its role may, and never more than its user. Every method raises StoreUnavailable
when Redis cannot answer.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

import orjson

from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Script, Store
from app.store.users import Role, User, Users

# So that whoever finds one, or a scanner of repositories, sees what it is.
PREFIX: Final = "sluice_"
DEFAULT_DAYS: Final = 90.0
MOST_DAYS: Final = 3650.0
# Of one user: each request of a program looks through none of them, but each page shows all.
MOST: Final = 50

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
# When a token was used last is known to the minute: not every request shall write.
_USED_EVERY_MS: Final = 60_000


class Token(NamedTuple):
    """One token, without what would let anybody in. Times in Unix ms, `used_ms` 0 = never;
    `role` None: what its user may (made by a release that had no roles for tokens)."""

    user: str
    name: str
    role: Role | None
    made_ms: int
    ends_ms: int
    used_ms: int

    def document(self) -> dict[str, Any]:
        """As JSON knows it."""
        return self._asdict()


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose token it is, what it is called, and what it may now."""

    user: User
    name: str
    role: Role


class Tokens:
    """All tokens."""

    def __init__(self, redis: Store) -> None:
        self._redis = redis
        self._add = Script(redis, "token_add")
        self._swap = Script(redis, "swap_field")

    async def make(self, user: User, days: float, name: str, role: Role | None = None) -> str:
        """A new token of that user, good for so long. Raises ValueError, with the reason, for a
        name or role that will not do."""
        role = role or user.role
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name[:60]!r} is no name of a token: at most 40 of a-z, 0-9 and . _ -, beginning "
                "with a letter or digit"
            )
        if not user.role.allows(role):
            raise ValueError(f"{user.name} is {user.role.value}: a token cannot be {role.value}")
        token, now = PREFIX + secrets.token_urlsafe(32), _now_ms()
        # user_made_ms: a later user of the same name does not inherit it.
        kept = {"user": user.name, "user_made_ms": user.made_ms, "made_ms": now, "name": name}
        kept |= {"ends_ms": now + int(days * 86_400_000), "role": role.value, "used_ms": 0}
        args = [_digest(token), orjson.dumps(kept).decode(), MOST]
        match int(await self._add([keys.CONSOLE_TOKENS], args)):
            case 0:
                raise ValueError(f"{user.name} has a token {name} already: revoke that one first")
            case -1:
                raise ValueError(f"{user.name} has {MOST} tokens already: revoke one first")
        return token

    async def holder_of(self, token: str, users: Users) -> Holder | None:
        """Whose token it is; None when it is nobody's, or over, or its user may less by now. That
        it was used is written down."""
        digest = _digest(token)
        with store_faults():
            packed = await cast(
                Awaitable[bytes | None], self._redis.hget(keys.CONSOLE_TOKENS, digest)
            )
        kept = orjson.loads(packed) if packed else None
        now = _now_ms()
        if packed is None or kept is None or kept["ends_ms"] <= now:
            return None
        user = await users.get(kept["user"])
        if user is None or user.made_ms != kept["user_made_ms"]:
            return None
        found = _read(digest, kept)
        role = found.role or user.role
        if not user.role.allows(role):
            # For good: whoever gets the role again makes a new token.
            await self._drop([digest])
            return None
        if now - found.used_ms >= _USED_EVERY_MS:
            used = orjson.dumps({**kept, "used_ms": now}).decode()
            # Not one that was revoked meanwhile.
            await self._swap([keys.CONSOLE_TOKENS], [digest, packed, used])
        return Holder(user, found.name, role)

    async def all(self, user: str | None = None) -> list[Token]:
        """Those that are good, by user and name; of one user, or of all."""
        now = _now_ms()
        found = [each for _, each in await self._kept() if each.ends_ms > now]
        mine = [each for each in found if user in (None, each.user)]
        return sorted(mine, key=lambda each: (each.user, each.name))

    async def revoke(self, user: str) -> int:
        """Ends all tokens of a user, and removes whatever is over; how many of the user's."""
        return await self._revoke(user, lambda _: True)

    async def revoke_one(self, user: str, name: str) -> bool:
        """Ends one; whether there was such a token."""
        return bool(await self._revoke(user, lambda token: token.name == name))

    async def revoke_above(self, user: str, role: Role) -> int:
        """Ends the tokens of a user that may more than `role`; how many."""
        return await self._revoke(user, lambda t: t.role is not None and not role.allows(t.role))

    async def _revoke(self, user: str, meant: Callable[[Token], bool]) -> int:
        kept, now = await self._kept(), _now_ms()
        mine = {digest for digest, token in kept if token.user == user and meant(token)}
        over = {digest for digest, token in kept if token.ends_ms <= now}
        await self._drop([*(mine | over)])
        return len(mine)

    async def _kept(self) -> list[tuple[str, Token]]:
        with store_faults():
            found = await cast(
                Awaitable[dict[bytes, bytes]], self._redis.hgetall(keys.CONSOLE_TOKENS)
            )
        pairs = [(str(digest, "ascii"), orjson.loads(each)) for digest, each in found.items()]
        return [(digest, _read(digest, each)) for digest, each in pairs]

    async def _drop(self, digests: list[str]) -> None:
        if digests:
            with store_faults():
                await cast(Awaitable[int], self._redis.hdel(keys.CONSOLE_TOKENS, *digests))


def _read(digest: str, kept: dict[str, Any]) -> Token:
    # Releases before names: such a token can be told from others, and revoked.
    name = kept.get("name") or f"unnamed-{digest[:8]}"
    role = Role(kept["role"]) if kept.get("role") else None
    used_ms = kept.get("used_ms", 0)
    return Token(kept["user"], name, role, kept["made_ms"], kept["ends_ms"], used_ms)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
