"""What workers say of where they send to."""

from __future__ import annotations

from arq.connections import ArqRedis

from app.store.inlets import InletSign, inlets_of
from app.store.signs_of_life import SignOfLife


async def test_each_worker_that_is_alive_says_where_it_sends_to(store: ArqRedis) -> None:
    assert await inlets_of(store, "a") == []
    running = {"a": "old"}
    for name, serves in (("w1", running), ("w2", {"b": "other"})):
        await SignOfLife(store, "worker", name).give()
        await InletSign(store, name, lambda serves=serves: serves).give()  # type: ignore[misc]
    # Of an earlier release; and one that is no worker.
    await SignOfLife(store, "worker", "w3").give()
    await SignOfLife(store, "receiver", "r").give()
    # Dead, or never alive.
    await InletSign(store, "w4", lambda: {"a": "old"}).give()
    assert await inlets_of(store, "a") == ["old", "", None]

    running["a"] = "new"
    await InletSign(store, "w1", lambda: running).give()
    assert await inlets_of(store, "a") == ["new", "", None]
