"""A token for one command: kept in it, shared with nobody. Workers use app.adobe.token_keeper."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final

from app.adobe.ims import Token, TokenClient
from app.core.errors import TokenUnavailable

_ATTEMPTS: Final = 3
# A person waits: one try that got no answer at all takes longer, and is the last then.
_PATIENCE_SECONDS: Final = 12.0


class OwnToken:
    """The token of one credential for one command. Raises CredentialsRefused, or TokenUnavailable
    when some tries were in vain."""

    def __init__(
        self,
        client: TokenClient,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._clock = clock
        self._sleep = sleep
        self._token: Token | None = None
        self._renewed = False
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """A token good for now, fetched when first asked for."""
        async with self._lock:
            if self._token is None or self._token.left(self._clock()) <= 0:
                self._token = await self._fetched()
            return self._token.value

    async def renew(self, refused: str) -> str:
        """Another token than `refused`, once in a command: a second one would fare no better."""
        async with self._lock:
            if self._token is not None and self._token.value == refused and not self._renewed:
                self._renewed, self._token = True, None
        return await self.token()

    async def _fetched(self) -> Token:
        until, attempt = self._clock() + _PATIENCE_SECONDS, 1
        while True:
            try:
                return await self._client.fetch()
            except TokenUnavailable as fault:
                pause = max(fault.retry_in, 2.0 ** (attempt - 1))
                if attempt == _ATTEMPTS or self._clock() + pause > until:
                    raise TokenUnavailable(_in_vain(fault, attempt), 0) from None
            await self._sleep(pause)
            attempt += 1


def _in_vain(fault: TokenUnavailable, attempts: int) -> str:
    minutes = math.ceil(max(fault.retry_in, 1) / 60)
    when = "in a minute" if minutes == 1 else f"in {minutes} minutes"
    times = "once" if attempts == 1 else f"{attempts} times"
    return f"{fault.detail} (asked {times}); run it again {when}"
