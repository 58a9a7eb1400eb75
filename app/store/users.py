"""The console's users: local, kept in Redis. What each role may do is the console's business.

A user's *epoch* says which sessions are still good: it moves on with every change of password or
role, and with "log out everywhere", and with it all sessions end at once.

Every method raises StoreUnavailable when Redis cannot answer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Final, cast

import orjson

from app.store import keys
from app.store.faults import store_faults
from app.store.passwords import Passwords
from app.store.scripting import Script, Store

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


class Role(StrEnum):
    """What a user may do. Each may also do what those before it may."""

    VIEWER = "viewer"  # look at everything that is nobody's personal data
    OPERATOR = "operator"  # act: hold lanes back, look into events
    ADMIN = "admin"  # say who else may

    def allows(self, wanted: Role) -> bool:
        """Whether who has this role may do what needs `wanted`."""
        order = list(Role)
        return order.index(self) >= order.index(wanted)


@dataclass(frozen=True, slots=True)
class User:
    """One user. `epoch`: ms, grows with each change that ends sessions; `made_ms`: tells a user
    from a later one of the same name. `password`: argon2's text; `sso`: whom a provider vouches
    for, "" for a local user."""

    name: str
    role: Role
    password: str
    epoch: int
    made_ms: int
    sso: str = ""

    def __repr__(self) -> str:
        return f"User({self.name!r}, {self.role.value})"


class Users:
    """All users; one per process."""

    def __init__(self, redis: Store, passwords: Passwords | None = None) -> None:
        self._redis = redis
        self.passwords = passwords or Passwords()
        self._swap = Script(redis, "swap_field")

    async def all(self) -> list[User]:
        """By name."""
        with store_faults():
            found = await cast(
                Awaitable[dict[bytes, bytes]], self._redis.hgetall(keys.CONSOLE_USERS)
            )
        return sorted((_read(packed) for packed in found.values()), key=lambda user: user.name)

    async def get(self, name: str) -> User | None:
        """The user of that name."""
        packed = await self._packed(name)
        return _read(packed) if packed else None

    async def add(self, name: str, role: Role, password: str) -> bool:
        """False when there is one already. Raises ValueError for a name or password that will not
        do, with the reason."""
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is no user name: at most 64 of a-z, 0-9 and . _ @ -, beginning with a "
                "letter or digit"
            )
        now = _now_ms()
        user = User(name, role, await self.passwords.hash(password), now, now)
        packed = _write(user)
        with store_faults():
            fresh = await cast(Awaitable[int], self._redis.hsetnx(keys.CONSOLE_USERS, name, packed))
        # A command that was sent again over a new connection finds its own user.
        return bool(fresh) or await self._packed(name) == packed.encode()

    async def remove(self, name: str) -> bool:
        """Takes a user away, and with it sessions and tokens; whether there was one."""
        with store_faults():
            return bool(await cast(Awaitable[int], self._redis.hdel(keys.CONSOLE_USERS, name)))

    async def check(self, name: str, password: str) -> User | None:
        """The user, when that is the password. Takes as long for a name that nobody has."""
        user = await self.get(name)
        kept = user.password if user and not user.sso else None
        if not await self.passwords.verify(kept, password):
            return None
        if user and self.passwords.outdated(user.password):
            fresh = await self.passwords.hash(password)
            await self._change(name, lambda one: replace(one, password=fresh))
        return user

    async def set_password(self, name: str, password: str) -> bool:
        """Ends all sessions. Raises ValueError with the reason when the password will not do, or
        the user has none here."""
        user = await self.get(name)
        if user and user.sso:
            raise ValueError(f"{name} logs in through the provider, and has no password here")
        kept = await self.passwords.hash(password)
        return await self._change(name, lambda user: _later(replace(user, password=kept)))

    async def admit(self, name: str, role: Role, sso: str) -> User | None:
        """The user whom a provider vouches for, with the role that it has there; made when it is
        new. None: the name is a local user's, or somebody else's there. Raises ValueError."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:64]!r} is no user name")
        now = _now_ms()
        # No hash of any password: also for a release that does not know of providers.
        fresh = _write(User(name, role, "!", now, now, sso))
        with store_faults():
            await cast(Awaitable[int], self._redis.hsetnx(keys.CONSOLE_USERS, name, fresh))
        while packed := await self._packed(name):
            user = _read(packed)
            if user.sso != sso:
                return None
            if user.role is role:
                return user
            changed = _later(replace(user, role=role))
            if await self._swap([keys.CONSOLE_USERS], [name, packed, _write(changed)]):
                return changed
        return None

    async def set_role(self, name: str, role: Role) -> bool:
        """Ends all sessions; whether there is such a user."""
        return await self._change(name, lambda user: _later(replace(user, role=role)))

    async def end_sessions(self, name: str) -> bool:
        """Logs the user out everywhere; whether there is such a user."""
        return await self._change(name, _later)

    async def _change(self, name: str, change: Callable[[User], User]) -> bool:
        while packed := await self._packed(name):
            changed = _write(change(_read(packed)))
            if await self._swap([keys.CONSOLE_USERS], [name, packed, changed]):
                return True
        return False

    async def _packed(self, name: str) -> bytes | None:
        with store_faults():
            return await cast(Awaitable[bytes | None], self._redis.hget(keys.CONSOLE_USERS, name))


def _later(user: User) -> User:
    return replace(user, epoch=max(_now_ms(), user.epoch + 1))


def _write(user: User) -> str:
    return orjson.dumps(asdict(user)).decode()


def _read(packed: bytes) -> User:
    # A reader takes the fields it knows, and does without those of a later release.
    found = orjson.loads(packed)
    known = (found["name"], Role(found["role"]), found["password"], found["epoch"])
    return User(*known, found["made_ms"], found.get("sso", ""))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
