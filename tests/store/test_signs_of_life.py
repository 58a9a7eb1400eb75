"""Signs of life: who is at work, who was killed, and who left in good order."""

from __future__ import annotations

import asyncio

import pytest
from arq.connections import ArqRedis

from app.store import keys
from app.store.signs_of_life import ALIVE_SECONDS, SignOfLife, signs_of_life


async def aged(store: ArqRedis, seconds: float) -> None:
    """All signs were given so long ago."""
    for member, ms in await store.zrange(keys.ALIVE, 0, -1, withscores=True):
        await store.zadd(keys.ALIVE, {member: ms - seconds * 1000})


async def test_who_gave_a_sign_lately_is_alive(store: ArqRedis) -> None:
    await SignOfLife(store, "worker", "old-1").give()
    await aged(store, ALIVE_SECONDS + 1)
    await SignOfLife(store, "worker", "new-1").give()
    await SignOfLife(store, "receiver", "new-2").give()
    found = {(sign.role, sign.name): sign.alive for sign in await signs_of_life(store)}
    assert found == {
        ("receiver", "new-2"): True,
        ("worker", "new-1"): True,
        ("worker", "old-1"): False,
    }


async def test_signs_are_forgotten_after_a_while(store: ArqRedis) -> None:
    await SignOfLife(store, "worker", "old-1").give()
    await aged(store, 700)
    await SignOfLife(store, "worker", "new-1").give()
    assert [sign.name for sign in await signs_of_life(store)] == ["new-1"]


async def test_who_stops_takes_its_sign_away(store: ArqRedis) -> None:
    task = asyncio.create_task(SignOfLife(store, "worker", "w-1").run())
    while not await signs_of_life(store):  # noqa: ASYNC110  # Redis tells nobody
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await signs_of_life(store) == []
