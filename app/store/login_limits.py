"""How often somebody may try to log in: counted per user and per address, before the password is
looked at, so that guessing is slow however it is spread.

A user whose account others guess at is kept out with them, for a window; open sessions go on, and
`sluice users passwd` lets the user in at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Script, Store


@dataclass(slots=True)
class LoginLimits:
    """`per_user` and `per_address`: attempts in a window of `window_seconds`."""

    redis: Store
    per_user: int = 10
    per_address: int = 30
    window_seconds: float = 900.0
    notes: int = 100
    _attempt: Script = field(init=False)

    def __post_init__(self) -> None:
        self._attempt = Script(self.redis, "login_attempt")

    async def attempt(self, user: str, address: str) -> float:
        """0 and counted, or the seconds until it is worth trying again. Raises StoreUnavailable."""
        wait_ms = await self._attempt(
            [_key("user", user), _key("address", _network(address))],
            [int(self.window_seconds * 1000), self.per_user, self.per_address],
        )
        return int(wait_ms) / 1000

    async def token_refused(self, address: str) -> float:
        """A token that is none came from there: 0 and counted, or the seconds for which more such
        are not worth sending. Who has a good token is let in all the same. Raises StoreUnavailable.
        """
        args = [int(self.window_seconds * 1000), self.per_address]
        return int(await self._attempt([_key("token", _network(address))], args)) / 1000

    async def begun(self, address: str) -> float:
        """A log-in through a provider was begun from there: as `token_refused`, so that nobody
        fills Redis with such. Nothing can be guessed so, and an office has one address: ten times
        as many may be begun. Raises StoreUnavailable."""
        args = [int(self.window_seconds * 1000), 10 * self.per_address]
        return int(await self._attempt([_key("begun", _network(address))], args)) / 1000

    async def worth_noting(self) -> bool:
        """Whether one more refusal belongs into the audit trail, which nobody shall fill from
        outside: after `notes` in a window it does not. Raises StoreUnavailable."""
        args = [int(self.window_seconds * 1000), self.notes]
        return not await self._attempt([_key("all", "refused")], args)

    async def forget(self, user: str) -> None:
        """The user is in: attempts begin anew. Raises StoreUnavailable."""
        with store_faults():
            await self.redis.delete(_key("user", user))


def _network(address: str) -> str:
    """Who has one IPv6 address has at least the 2**64 of its network (RFC 6177)."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else address


def _key(kind: str, text: str) -> str:
    # Hashed: what was typed as a name may be a password, and of any length.
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return keys.login_attempts(f"{kind}:{digest}")
