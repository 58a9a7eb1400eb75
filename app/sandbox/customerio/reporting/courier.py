"""Who posts for all workspaces; everything that is under way ends with the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import aiohttp
from aiohttp import web

from app.sandbox.customerio.post import Answer, post


class Courier:
    """`timeout_s`: real seconds for the whole answer; 4 in life (customerio.md section 9)."""

    def __init__(self, timeout_s: float, clock: Callable[[], float]) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def post(self, key: bytes, endpoint: str, body: bytes) -> Answer:
        """Signed as of now."""
        if self._session is None:
            # No jar: an endpoint's cookies are not sent back.
            self._session = aiohttp.ClientSession(
                timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
        return await post(self._session, endpoint, key, body, self._clock())

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` until it returns, is cancelled, or the sandbox ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def stop(self) -> None:
        """Cancel what is under way, so that nobody waits for it any more."""
        for task in self._tasks:
            task.cancel()

    async def background(self, _app: web.Application) -> AsyncIterator[None]:
        yield
        self.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
