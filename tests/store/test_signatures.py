"""What receivers see of signatures, written down once a second and read by who asks."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import pytest
from arq import ArqRedis

from app.core.errors import StoreUnavailable
from app.core.signature import fingerprint
from app.store.connect import open_store
from app.store.signatures import Seen, SignatureNotes, Signatures
from tests.conftest import RedisServer

NOW = 1_800_000_000
OLD, NEW = b"the-key-before", b"the-key"


async def test_what_several_processes_see_adds_up(store: ArqRedis) -> None:
    here, there = Seen((NEW, OLD)), Seen((NEW, OLD))
    notes = [SignatureNotes(store, {"acme": seen, "other": Seen((OLD,))}) for seen in (here, there)]
    here.refuse(NOW * 1000)
    there.refuse((NOW + 5) * 1000)
    there.refuse((NOW + 6) * 1000)
    here.believed_ms[1] = (NOW + 2) * 1000
    for _ in range(2):
        for each in notes:
            await each.write()

    found = await Signatures(store, "acme").read(NOW + 10)
    assert (found.refused, found.refused_at) == (3, NOW + 6)
    assert found.believed == {fingerprint(OLD): NOW + 2} and found.believed_at == NOW + 2

    here.refuse((NOW + 6) * 1000)
    here.believed_ms[0] = (NOW + 9) * 1000
    await notes[0].write()
    found = await Signatures(store, "acme").read(NOW + 10)
    assert (found.refused, found.believed_at) == (4, NOW + 9)
    assert (await Signatures(store, "other").read(NOW)).believed_at == 0


async def test_refusals_of_more_than_a_day_ago_are_not_counted_and_expire(store: ArqRedis) -> None:
    seen = Seen((NEW,))
    seen.refuse(NOW * 1000)
    await SignatureNotes(store, {"acme": seen}).write()
    signatures = Signatures(store, "acme")
    assert (await signatures.read(NOW + 23 * 3600)).refused == 1
    assert (await signatures.read(NOW + 25 * 3600 + 60)).refused == 0
    counter = f"sluice:signatures-refused:acme:{NOW // 3600}"
    assert 24 * 3600 < await store.ttl(counter) <= 26 * 3600


async def test_a_key_that_is_forgotten_counts_again_only_from_then_on(store: ArqRedis) -> None:
    seen = Seen((NEW,))
    notes, signatures = SignatureNotes(store, {"acme": seen}), Signatures(store, "acme")
    seen.believed_ms[0] = NOW * 1000
    await notes.write()
    await signatures.forget(NEW)
    await notes.write()
    assert not await signatures.believed()
    seen.believed_ms[0] = (NOW + 1) * 1000
    await notes.write()
    assert await signatures.believed() == {fingerprint(NEW): NOW + 1}


async def test_what_redis_does_not_take_now_it_takes_later(own_redis: RedisServer) -> None:
    store = open_store(own_redis.url, timeout_seconds=1)
    seen = Seen((NEW,))
    notes = SignatureNotes(store, {"acme": seen})
    seen.refuse(NOW * 1000)
    own_redis.kill()
    with pytest.raises(StoreUnavailable):
        await notes.write()
    own_redis.start()
    await notes.write()
    assert (await Signatures(store, "acme").read(NOW)).refused == 1
    await store.aclose(close_connection_pool=True)


async def test_a_process_that_ends_writes_down_what_it_saw_last(store: ArqRedis) -> None:
    seen = Seen((NEW,))
    running = asyncio.create_task(SignatureNotes(store, {"acme": seen}).run())
    await asyncio.sleep(0)
    seen.believed_ms[0] = int(time.time() * 1000)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert fingerprint(NEW) in await Signatures(store, "acme").believed()
