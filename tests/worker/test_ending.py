"""Tasks end, even those that lose a cancellation."""

from __future__ import annotations

import asyncio

from worker.ending import end


async def test_a_task_that_swallows_cancellations_is_ended() -> None:
    swallowed = 0

    async def deaf() -> None:
        nonlocal swallowed
        while swallowed < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1

    async def broken() -> None:
        raise ZeroDivisionError

    tasks = [asyncio.create_task(deaf()), asyncio.create_task(broken())]
    await asyncio.sleep(0)
    await asyncio.wait_for(end(tasks), 5)
    assert swallowed == 3
    assert all(task.done() for task in tasks)
