"""Claims against a real server: exact, compact, and kept for the window."""

from __future__ import annotations

import os
import random

import pytest
from arq.connections import ArqRedis

from app.store import keys
from app.store.claims import Claim, Claims, place_of
from app.store.connect import open_store
from tests.conftest import RedisServer

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(ms: int, entropy: bytes) -> str:
    number = int.from_bytes(ms.to_bytes(6, "big") + entropy, "big")
    return "".join(CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def ulids(count: int, *, spacing_ms: float = 1.0) -> list[tuple[str, int]]:
    return [
        (ulid(1_700_000_000_000 + int(i * spacing_ms), os.urandom(10)), 0) for i in range(count)
    ]


async def test_an_id_is_new_once_then_own_for_its_batch_and_duplicate_for_others(
    store: ArqRedis,
) -> None:
    claims = Claims(store)
    ids = [*ulids(50), ("not-a-ulid", 1_700_000_000), ("ünïcode", 5)]

    assert await claims.claim("a", 7, ids) == [Claim.NEW] * 52
    assert await claims.claim("a", 7, ids) == [Claim.OWN] * 52
    assert await claims.claim("a", 8, ids) == [Claim.DUPLICATE] * 52
    assert await claims.claim("b", 8, ids) == [Claim.NEW] * 52  # connections are apart
    assert await claims.find("a", ids[3][0]) == 7
    assert await claims.find("a", "not-a-ulid", 1_700_000_000) == 7
    assert await claims.find("a", ulid(5, bytes(10))) is None


@pytest.mark.parametrize("spacing_ms", [0.05, 40.0, 30_000.0])
async def test_claims_stay_exact_while_slots_split(store: ArqRedis, spacing_ms: float) -> None:
    claims = Claims(store)
    ids = ulids(12_000, spacing_ms=spacing_ms)
    order = list(range(len(ids)))
    random.Random(1).shuffle(order)

    for start in range(0, len(ids), 700):
        batch = [ids[i] for i in order[start : start + 700]]
        assert set(await claims.claim("a", 1 + start // 700, batch)) == {Claim.NEW}

    for start in range(0, len(ids), 700):
        batch = [ids[i] for i in order[start : start + 700]]
        assert set(await claims.claim("a", 1 + start // 700, batch)) == {Claim.OWN}
        assert set(await claims.claim("a", 999, batch)) == {Claim.DUPLICATE}
    assert await claims.find("a", ids[order[0]][0]) == 1


async def test_ids_that_differ_only_in_their_first_random_bytes_are_apart(store: ArqRedis) -> None:
    claims = Claims(store)
    ids = [(ulid(1_700_000_000_000, i.to_bytes(2, "big") + bytes(8)), 0) for i in range(5_000)]

    assert set(await claims.claim("a", 1, ids)) == {Claim.NEW}
    assert set(await claims.claim("a", 2, ids)) == {Claim.DUPLICATE}


async def test_every_bucket_lives_at_least_as_long_as_the_window(store: ArqRedis) -> None:
    window = 60_000
    claims = Claims(store, window_ms=window)
    for start in range(6):
        await claims.claim("a", start + 1, ulids(400, spacing_ms=0.1))

    names = [key async for key in store.scan_iter(keys.claims_prefix("a") + "*")]
    lives = [await store.pttl(name) for name in names]
    assert len(names) > 10
    assert all(window * 0.9 < life <= window * 1.1 for life in lives)


async def test_a_claim_ends_with_the_window(store: ArqRedis) -> None:
    claims = Claims(store, window_ms=30)
    ids = ulids(3)
    await claims.claim("a", 1, ids)

    while [key async for key in store.scan_iter(keys.claims_prefix("a") + "*")]:
        pass
    assert await claims.claim("a", 2, ids) == [Claim.NEW] * 3


@pytest.mark.parametrize(
    "odd",
    [
        "01e4c4ct6ydc7y5m7fe1gwwpqj",
        "Z1E4C4CT6YDC7Y5M7FE1GWWPQJ",
        "01E4C4CT6YDC7Y5M7FE1GWWPQI",
        "x" * 26,
    ],
)
def test_an_id_that_only_looks_like_a_ulid_is_remembered_by_its_text(odd: str) -> None:
    assert place_of(odd, 64)[0] == "x1"
    assert place_of(odd, 64) != place_of(odd.upper() + "!", 64)


def test_a_ulid_is_remembered_whole() -> None:
    slot, rest = place_of("01E4C4CT6YDC7Y5M7FE1GWWPQJ", 0)
    assert len(bytes.fromhex(slot) + rest) == 16
    assert ulid(int.from_bytes(bytes.fromhex(slot) + rest[:2], "big"), rest[2:]) == (
        "01E4C4CT6YDC7Y5M7FE1GWWPQJ"
    )


@pytest.mark.parametrize("spacing_ms", [1.0, 864.0])
async def test_buckets_stay_compact_on_the_oldest_redis(
    debian_redis: RedisServer, spacing_ms: float
) -> None:
    """A bucket that outgrew listpack would cost three times the memory (design.md section 7)."""
    debian_redis.flush()
    store = open_store(debian_redis.url)
    claims = Claims(store)
    for start in range(20):
        await claims.claim("a", 2_000_000 + start, ulids(1_000, spacing_ms=spacing_ms))

    names = [key async for key in store.scan_iter(keys.claims_prefix("a") + "*")]
    buckets = [name for name in names if not name.endswith(b":r")]
    assert {await store.object("encoding", name) for name in buckets} == {b"listpack"}
    used = sum([await store.memory_usage(name) or 0 for name in names])
    assert used / 20_000 < 26
    await store.aclose(close_connection_pool=True)
