"""One IMS token for a whole process: cached, shared, refreshed ahead, fetched by one at a time.

Adobe may throttle clients that fetch too many tokens (platform.md section 3); several workers
therefore share one. What is shared lies behind TokenShelf, so that nothing here knows Redis.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

import orjson
import structlog

from app.adobe.ims import FETCH_SECONDS, Token, TokenClient
from app.core.errors import CredentialsRefused, StoreUnavailable, TokenUnavailable
from app.core.retry import delay

# The next token is fetched this long before the end of the one in use.
_AHEAD_SECONDS: Final = 300.0
# A token refused this soon after it was made will not get better by making another.
_YOUNG_SECONDS: Final = 60.0
_BACKOFF_CAP_SECONDS: Final = 60.0

T = TypeVar("T")


class TokenShelf(Protocol):
    """Where processes share tokens; app.store.lanes.Lanes is the one. Raises StoreUnavailable."""

    async def get_token(self, fingerprint: str) -> bytes | None: ...
    async def put_token(self, fingerprint: str, token: bytes, seconds: float) -> None: ...
    async def drop_token(self, fingerprint: str, token: bytes) -> None: ...
    async def lock_token(self, fingerprint: str, owner: str, seconds: float) -> bool: ...
    async def unlock_token(self, fingerprint: str, owner: str) -> None: ...


class TokenKeeper:
    """The token of one credential for everyone in this process."""

    def __init__(
        self,
        client: TokenClient,
        shelf: TokenShelf,
        *,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._shelf = shelf
        self._clock = clock
        self._chance = chance
        self._name = client.credential.fingerprint
        self._owner = uuid.uuid4().hex
        self._token: Token | None = None
        self._refused = ""
        self._task: asyncio.Task[Token] | None = None
        self._failures = 0
        self._wait_until = 0.0
        self._fault: CredentialsRefused | TokenUnavailable | None = None
        self._log = structlog.get_logger()

    async def token(self) -> str:
        """A token good for now. Raises CredentialsRefused or TokenUnavailable.

        Minutes before its end the next one is fetched beside; nobody waits for that.
        """
        now = self._clock()
        if self._token is None or self._token.left(now) <= 0:
            self._token = await self._refresh()
        elif _ends_soon(self._token, now) and self._may_ask(now):
            self._start()
        return self._token.value

    async def renew(self, refused: str) -> str:
        """Another token than `refused`, which Platform turned down, if there is sense in one.

        Gives `refused` back when it is so young that another one would fare no better.
        """
        held = self._token
        if held is not None and held.value == refused:
            if self._clock() - held.made < _YOUNG_SECONDS:
                return refused
            # Others may look at the shelf before the token is off it.
            self._token, self._refused = None, refused
            await self._quietly(self._shelf.drop_token(self._name, _packed(held)))
        return await self.token()

    async def close(self) -> None:
        """Stops a fetch that goes on beside."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _may_ask(self, now: float) -> bool:
        return now >= self._wait_until

    def _start(self) -> asyncio.Task[Token]:
        if self._task is None:
            self._task = asyncio.create_task(self._obtain())
            self._task.add_done_callback(self._done)
        return self._task

    def _done(self, task: asyncio.Task[Token]) -> None:
        self._task = None
        if not task.cancelled() and task.exception() is None:
            self._token = task.result()

    async def _refresh(self) -> Token:
        now = self._clock()
        if not self._may_ask(now) and self._fault is not None:
            if isinstance(self._fault, TokenUnavailable):
                raise TokenUnavailable("IMS failed lately", self._wait_until - now)
            raise CredentialsRefused(str(self._fault))
        # Shielded: one caller that is cancelled must not take the token from the others.
        return await asyncio.shield(self._start())

    async def _obtain(self) -> Token:
        """From the shelf if another process put one there, else from IMS under the lock."""
        until = self._clock() + FETCH_SECONDS
        while True:
            shared = await self._shared()
            if shared is not None:
                return shared
            if await self._locked() or self._clock() >= until:
                break
            await asyncio.sleep(0.1 + 0.1 * self._chance())
        try:
            # Another process may have put one there and unlocked just before we locked.
            return await self._shared() or await self._fetched()
        finally:
            await self._quietly(self._shelf.unlock_token(self._name, self._owner))

    async def _shared(self) -> Token | None:
        raw = await self._quietly(self._shelf.get_token(self._name))
        token = _unpacked(raw) if raw is not None else None
        if token is None or token.value == self._refused or _ends_soon(token, self._clock()):
            return None
        return token

    async def _locked(self) -> bool:
        """Whether this process may fetch; without Redis it may, there is nobody to ask."""
        taken = await self._quietly(
            self._shelf.lock_token(self._name, self._owner, FETCH_SECONDS + 5)
        )
        return taken is not False

    async def _fetched(self) -> Token:
        try:
            token = await self._client.fetch()
        except (CredentialsRefused, TokenUnavailable) as fault:
            self._failures += 1
            asked = getattr(fault, "retry_in", 0.0)
            wait = delay(self._failures, self._chance(), 1.0, _BACKOFF_CAP_SECONDS, asked or 1.0)
            self._wait_until, self._fault = self._clock() + wait, fault
            self._log.warning("ims.token_failed", reason=str(fault), retry_in=round(wait, 1))
            raise
        self._failures, self._fault, self._wait_until = 0, None, 0.0
        left = token.left(self._clock())
        await self._quietly(self._shelf.put_token(self._name, _packed(token), left))
        self._log.info("ims.token_fetched", seconds=round(token.expires - token.made))
        return token

    async def _quietly(self, asked: Awaitable[T]) -> T | None:
        """The shelf's answer, None if Redis is away: tokens go on without it, unshared."""
        try:
            return await asked
        except StoreUnavailable as fault:
            self._log.warning("ims.shelf_unavailable", reason=fault.reason)
            return None


def _ends_soon(token: Token, now: float) -> bool:
    return token.left(now) < min(_AHEAD_SECONDS, (token.expires - token.made) / 4)


def _packed(token: Token) -> bytes:
    return orjson.dumps([token.value, token.made, token.expires])


def _unpacked(raw: bytes) -> Token | None:
    try:
        value, made, expires = orjson.loads(raw)
        return Token(str(value), float(made), float(expires))
    except (ValueError, TypeError):
        return None
