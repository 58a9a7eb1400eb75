"""Log-ins through a provider that are under way: kept until the browser comes back, once.

Every method raises StoreUnavailable when Redis cannot answer.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

import orjson

from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Store

# Somebody types a password and looks for a phone.
SECONDS: Final = 600


class Pending(NamedTuple):
    """What is needed when the browser is back. `browser`: what its cookie must hold; `target`:
    the page that was wanted."""

    nonce: str
    verifier: str
    browser: str
    target: str


class OidcLogins:
    """All of them, by their `state`."""

    def __init__(self, redis: Store) -> None:
        self._redis = redis

    async def put(self, state: str, login: Pending) -> None:
        """It is over after ten minutes."""
        with store_faults():
            await self._redis.set(_key(state), orjson.dumps(login._asdict()), ex=SECONDS)

    async def take(self, state: str) -> Pending | None:
        """The log-in, and whoever comes with the same state again gets none."""
        with store_faults():
            packed = await self._redis.getdel(_key(state))
        return Pending(**orjson.loads(packed)) if packed else None


def _key(state: str) -> str:
    # Whatever an address may hold.
    return keys.oidc_login(hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest())
