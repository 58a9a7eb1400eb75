"""Ends tasks for sure."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

_AGAIN_SECONDS: Final = 0.1


async def end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancels tasks until they are done, and swallows what they raise.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, which redis-py writes through, loses
    a cancellation that arrives just as its write is done, and the task goes on as if nothing was.
    """
    ended = set(tasks)
    pending = {task for task in ended if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN_SECONDS)
    await asyncio.gather(*ended, return_exceptions=True)
