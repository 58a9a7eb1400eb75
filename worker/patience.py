"""Waits for Redis: work that is done must not be lost because Redis is away for a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from app.core.errors import StoreUnavailable

T = TypeVar("T")

_FIRST_SECONDS: Final = 0.05
_MOST_SECONDS: Final = 2.0


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer, however long Redis is away. Only for calls that may be made twice."""
    pause = _FIRST_SECONDS
    while True:
        try:
            return await ask()
        except StoreUnavailable:
            await asyncio.sleep(pause)
            pause = min(_MOST_SECONDS, pause * 2)
