"""A token for one command: kept in it, shared with nobody. Workers use app.adobe.token_keeper."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from app.adobe.ims import Token, TokenClient


class OwnToken:
    """The token of one credential for one command. Raises CredentialsRefused or
    TokenUnavailable."""

    def __init__(self, client: TokenClient, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._token: Token | None = None
        self._renewed = False
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """A token good for now, fetched when first asked for."""
        async with self._lock:
            if self._token is None or self._token.left(self._clock()) <= 0:
                self._token = await self._client.fetch()
            return self._token.value

    async def renew(self, refused: str) -> str:
        """Another token than `refused`, once in a command: a second one would fare no better."""
        async with self._lock:
            if self._token is not None and self._token.value == refused and not self._renewed:
                self._renewed, self._token = True, None
        return await self.token()
