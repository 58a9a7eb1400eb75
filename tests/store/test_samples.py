"""Samples against a real server: bounded, expiring, and fair to rare kinds."""

from __future__ import annotations

import json

import pytest
from arq.connections import ArqRedis

from app.core.errors import StoreUnavailable
from app.store import keys
from app.store.connect import open_store
from app.store.samples import BODY_MAX_BYTES, Samples
from tests.conftest import RedisServer

HOUR_MS = 3_600_000


def body(number: int, kind: str = "email.opened", content: str = "") -> bytes:
    family, metric = kind.split(".")
    return json.dumps(
        {"event_id": f"id-{number}", "object_type": family, "metric": metric,
         "timestamp": 1_700_000_000, "data": {"content": content}}
    ).encode()  # fmt: skip


def bodies(count: int, kind: str = "email.opened", start: int = 0) -> list[bytes]:
    return [body(start + number, kind) for number in range(count)]


async def now(store: ArqRedis) -> int:
    seconds, micros = await store.time()
    return int(seconds * 1000 + micros // 1000)


async def test_samples_come_back_as_they_were_newest_first(store: ArqRedis) -> None:
    samples = Samples(store, 100, HOUR_MS)
    ms = await now(store)

    await samples.keep("a", bodies(3), ms - 2000)
    kept = await samples.keep("a", [b'{"not": "an event"}', b"garbage\xff"], ms - 1000)

    recent = await samples.recent("a", 10)
    assert kept == 5
    assert {sample.body for sample in recent[:2]} == {b'{"not": "an event"}', b"garbage\xff"}
    assert {sample.body for sample in recent[2:]} == set(bodies(3))
    assert [sample.received_ms for sample in recent] == [ms - 1000] * 2 + [ms - 2000] * 3
    assert await samples.recent("a", 2) == recent[:2]
    assert await samples.recent("b", 10) == []


async def test_no_more_are_kept_than_wanted_and_the_oldest_go(store: ArqRedis) -> None:
    samples = Samples(store, 20, HOUR_MS)
    ms = await now(store)
    for number in range(5):
        kept = await samples.keep("a", bodies(10, start=10 * number), ms - 10 + number)
        assert kept == min(20, 10 * (number + 1))

    assert {sample.body for sample in await samples.recent("a", 100)} == set(bodies(20, start=30))
    # The counter is in the hash, too.
    assert await store.hlen(keys.samples("a")) == 21
    assert await store.zcard(keys.sample_index("a")) == 20


async def test_a_rare_kind_outlives_a_flood_of_a_common_one(store: ArqRedis) -> None:
    samples = Samples(store, 30, HOUR_MS)
    ms = await now(store)
    rare = [*bodies(2, "sms.failed"), *bodies(3, "slack.sent")]
    await samples.keep("a", rare, ms - 1000)

    for number in range(20):
        await samples.keep("a", bodies(50, start=50 * number), ms - 100 + number)

    left = [sample.body for sample in await samples.recent("a", 100)]
    assert len(left) == 30
    assert set(rare) < set(left)
    assert set(left) - set(rare) <= set(bodies(50, start=950))


async def test_more_kinds_than_room_leave_the_newest(store: ArqRedis) -> None:
    samples = Samples(store, 3, HOUR_MS)
    ms = await now(store)
    for number in range(6):
        await samples.keep("a", [body(number, f"email.m{number}")], ms - 10 + number)

    left = [sample.body for sample in await samples.recent("a", 100)]
    assert left == [body(number, f"email.m{number}") for number in (5, 4, 3)]


async def test_what_is_too_old_is_not_read_and_goes_with_the_next(store: ArqRedis) -> None:
    samples = Samples(store, 100, HOUR_MS)
    ms = await now(store)
    await samples.keep("a", bodies(5), ms - 2 * HOUR_MS)
    assert await samples.recent("a", 100) == []

    assert await samples.keep("a", bodies(1, start=9), ms) == 1
    assert [sample.body for sample in await samples.recent("a", 100)] == bodies(1, start=9)
    assert await store.hlen(keys.samples("a")) == 2


async def test_everything_expires_when_nothing_comes_any_more(store: ArqRedis) -> None:
    await Samples(store, 100, HOUR_MS).keep("a", bodies(5), await now(store))
    for name in (keys.samples("a"), keys.sample_index("a")):
        assert HOUR_MS - 10_000 < await store.pttl(name) <= HOUR_MS


async def test_zero_keeps_nothing_and_asks_nobody() -> None:
    nobody = open_store("redis://127.0.0.1:1/0", timeout_seconds=1)
    assert await Samples(nobody, 0, HOUR_MS).keep("a", bodies(5), 1) == 0
    assert await Samples(nobody, 10, HOUR_MS).keep("a", [], 1) == 0


async def test_a_huge_body_is_left_out(store: ArqRedis) -> None:
    samples = Samples(store, 100, HOUR_MS)
    huge = body(1, content="x" * BODY_MAX_BYTES)
    assert await samples.keep("a", [huge, body(2)], await now(store)) == 1
    assert [sample.body for sample in await samples.recent("a", 10)] == [body(2)]


async def test_a_sample_of_another_release_is_one_less(store: ArqRedis) -> None:
    samples = Samples(store, 100, HOUR_MS)
    await samples.keep("a", bodies(2), await now(store))
    await store.hset(keys.samples("a"), "1", b"\xffunknown")
    assert len(await samples.recent("a", 10)) == 1


async def test_redis_away_is_said(own_redis: RedisServer, own_store: ArqRedis) -> None:
    samples = Samples(own_store, 10, HOUR_MS)
    own_redis.kill()
    with pytest.raises(StoreUnavailable):
        await samples.keep("a", bodies(1), 1)
    with pytest.raises(StoreUnavailable):
        await samples.recent("a", 1)


async def test_the_oldest_redis_takes_it_and_a_thousand_stay_small(
    debian_redis: RedisServer,
) -> None:
    debian_redis.flush()
    store = open_store(debian_redis.url)
    samples = Samples(store, 1000, HOUR_MS)
    for number in range(30):
        await samples.keep("a", bodies(50, start=50 * number), await now(store))

    assert len(await samples.recent("a", 2000)) == 1000
    names = (keys.samples("a"), keys.sample_index("a"))
    assert sum([await store.memory_usage(name) or 0 for name in names]) < 400_000
    await store.aclose(close_connection_pool=True)
