"""What a power cut may leave at the end of the append-only file: a value garbled to its last byte,
which the server loads without a word. Nobody was told of it, and none of it may cost an event.
"""

from __future__ import annotations

import pytest
from arq.connections import ArqRedis

from app.store import keys
from app.store.batches import Batches
from app.store.claims import Claim, Claims, place_of

EVENT = ("01K00000000000000000000001", 0)
GARBLED = [b"1\x00\x00", b"\x00\x00\x00", b"\x9c7\xff", b"12 "]


@pytest.mark.parametrize("value", GARBLED)
async def test_a_garbled_claim_is_nobodys(store: ArqRedis, value: bytes) -> None:
    claims = Claims(store)
    assert await claims.claim("a", 123, [EVENT]) == [Claim.NEW]
    slot, rest = place_of(*EVENT)
    await store.hset(f"{keys.claims_prefix('a')}{slot}:0", rest, value)

    assert await claims.claim("a", 123, [EVENT]) == [Claim.NEW]
    assert await claims.claim("a", 123, [EVENT]) == [Claim.OWN]
    assert await claims.claim("a", 124, [EVENT]) == [Claim.DUPLICATE]


@pytest.mark.parametrize("value", [*GARBLED, b"worker 17953", b"worker 17953 1\x00"])
async def test_a_batch_with_a_garbled_lease_can_be_taken(store: ArqRedis, value: bytes) -> None:
    batches = Batches(store, "heir")
    name = await batches.commit("a", b"frame", 1)
    await store.hset(keys.HELD, name, value)

    [taken], lost = await batches.take([name])

    assert (str(taken.batch_id), taken.takes, lost) == (name, 1, [])


async def test_a_garbled_mark_marks_nothing(store: ArqRedis) -> None:
    batches = Batches(store, "worker")
    name = await batches.commit("a", b"frame", 3)
    await batches.take([name])
    await batches.mark_delivered(name, [0, 2])
    await store.sadd(keys.DONE_PREFIX + name, b"1\x00", b"\xff")

    assert await batches.delivered_before(name) == {0, 2}
