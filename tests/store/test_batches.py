"""The open set against a real server: commit, take, keep, release, sweep."""

from __future__ import annotations

import pytest
from arq.connections import ArqRedis

from app.core.batch_id import BatchId
from app.core.errors import ConfigError, StoreUnavailable
from app.store import keys
from app.store.batches import GRACE_MS, Batches
from app.store.bells import BELLS_MAX, EVENTS_PER_BELL, share_out
from app.store.connect import require_safe, server_facts
from app.store.ledger import Ledger
from tests.conftest import RedisServer


async def redis_ms(store: ArqRedis) -> int:
    seconds, micros = await store.time()
    return int(seconds * 1000 + micros // 1000)


async def test_a_commit_is_queued_counted_and_due_after_the_grace(store: ArqRedis) -> None:
    batches = Batches(store)
    first = await batches.commit("a", b"frame", 3)
    second = await batches.commit("a", b"frame", 2)

    one, two = BatchId.parse(first), BatchId.parse(second)
    assert (one.connection, one.events, two.number - one.number) == ("a", 3, 1)
    due = {str(batch_id): ms for batch_id, ms in await batches.open_ids()}
    assert 0 < due[first] - await redis_ms(store) <= GRACE_MS
    assert (await batches.pressure()).backlog_events == 5
    balance = await Ledger(store).read()
    assert [(row.received, row.in_flight) for row in balance.totals()] == [(5, 5)]
    assert balance.faults == ()


async def test_a_batch_is_held_by_one_until_its_lease_runs_out(store: ArqRedis) -> None:
    one = Batches(store, "one", lease_ms=60_000)
    two = Batches(store, "two", lease_ms=60_000)
    name = await one.commit("a", b"frame", 1)

    [taken], lost = await one.take([name])
    assert (taken.takes, taken.frame, lost) == (1, b"frame", [])
    assert await two.take([name]) == ([], [])
    assert await one.take([name]) == ([], [])  # a second bell for the same batch
    assert await one.keep([name]) == []
    assert await two.keep([name]) == [name]

    short = Batches(store, "one", lease_ms=0)
    await short.keep([name])
    [taken], _ = await two.take([name])
    assert taken.takes == 2


async def test_a_batch_given_back_gracefully_is_as_if_it_was_never_taken(store: ArqRedis) -> None:
    batches = Batches(store, "one")
    name = await batches.commit("a", b"frame", 1)
    await batches.take([name])
    await batches.release(name, counts=False)
    assert await batches.overdue_ms() >= 0
    [taken], _ = await batches.take([name])
    assert taken.takes == 1

    await batches.release(name, delay_ms=60_000, counts=True)
    [(_, due)] = await batches.open_ids()
    assert due - await redis_ms(store) > 50_000
    [taken], _ = await batches.take([name])
    assert taken.takes == 2


async def test_only_the_holder_can_give_back(store: ArqRedis) -> None:
    one, two = Batches(store, "one"), Batches(store, "two")
    name = await one.commit("a", b"frame", 1)
    await one.take([name])
    await two.release(name, counts=False)
    assert await two.take([name]) == ([], [])


async def test_an_open_batch_without_a_frame_is_reported_and_stays_open(store: ArqRedis) -> None:
    batches = Batches(store, "one")
    name = await batches.commit("a", b"frame", 1)
    await store.delete(keys.BATCH_PREFIX + name)

    assert await batches.take([name]) == ([], [name])
    assert len(await batches.open_ids()) == 1
    [fault] = (await Ledger(store).read()).faults
    assert "has no frame" in fault


async def test_the_sweep_rings_once_for_what_is_due(store: ArqRedis) -> None:
    batches = Batches(store, "one")
    names = [await batches.commit("a", b"frame", EVENTS_PER_BELL // 2) for _ in range(5)]
    assert await batches.sweep() == 0  # within the grace
    await store.zadd(keys.OPEN_SET, {name: 1 for name in names})

    assert await batches.sweep() == 5
    assert await store.zcard(keys.ARQ_QUEUE) == 3  # two halves, two halves, one half
    assert await batches.sweep() == 0
    assert await batches.overdue_ms() == 0


async def test_the_sweep_rings_again_when_nobody_came(store: ArqRedis) -> None:
    batches = Batches(store, "one")
    name = await batches.commit("a", b"frame", 1)
    jobs: set[bytes] = set()
    while len(jobs) < 2:  # each ringing is a job of its own, so an old one can't be in its way
        await store.zadd(keys.OPEN_SET, {name: 1})
        assert await batches.sweep() == 1
        jobs |= set(await store.zrange(keys.ARQ_QUEUE, 0, -1))


async def test_no_more_bells_are_hung_than_can_be_heard(store: ArqRedis) -> None:
    batches = Batches(store, "one")
    await store.zadd(keys.ARQ_QUEUE, {f"job{i}": 1 for i in range(BELLS_MAX)})
    name = await batches.commit("a", b"frame", 1)
    await batches.ring_all([name])
    await store.zadd(keys.OPEN_SET, {name: 1})

    assert await batches.sweep() == 0
    assert await store.zcard(keys.ARQ_QUEUE) == BELLS_MAX
    await store.delete(keys.ARQ_QUEUE)
    assert await batches.sweep() == 1


def test_small_batches_share_a_bell_and_large_ones_do_not() -> None:
    def name(events: int) -> str:
        return str(BatchId("a", 1, events, 1))

    assert [len(bell) for bell in share_out([name(1)] * 130)] == [64, 64, 2]
    full = name(EVENTS_PER_BELL)
    assert [len(bell) for bell in share_out([full, full, name(1)])] == [1, 1, 1]
    assert share_out([]) == []


async def test_redis_that_is_away_is_said_in_one_word(
    own_redis: RedisServer, own_store: ArqRedis
) -> None:
    batches = Batches(own_store)
    await batches.ping()
    own_redis.kill()
    for ask in (batches.ping, batches.pulse, batches.pressure, batches.sweep, batches.overdue_ms):
        with pytest.raises(StoreUnavailable) as caught:
            await ask()
        assert caught.value.reason == "away"
    own_redis.start()
    await batches.ping()


async def test_a_read_only_and_a_full_server_are_told_apart(
    own_redis: RedisServer, own_store: ArqRedis
) -> None:
    batches = Batches(own_store)
    await batches.commit("a", b"x", 1)
    await own_store.config_set("maxmemory", 1)
    with pytest.raises(StoreUnavailable) as caught:
        await batches.commit("a", b"x", 1)
    assert caught.value.reason == "full"
    with pytest.raises(StoreUnavailable) as caught:
        await batches.pulse()
    assert caught.value.reason == "full"
    await own_store.config_set("maxmemory", 0)

    await own_store.execute_command("REPLICAOF", "127.0.0.1", "1")
    for ask in (lambda: batches.commit("a", b"x", 1), batches.pulse):
        with pytest.raises(StoreUnavailable) as caught:
            await ask()
        assert caught.value.reason == "readonly"
    await own_store.execute_command("REPLICAOF", "NO", "ONE")
    await batches.pulse()


async def test_a_server_that_evicts_is_refused_and_a_weak_one_is_warned_of(
    own_redis: RedisServer, own_store: ArqRedis
) -> None:
    [warning] = await require_safe(own_store)
    assert "appendfsync is everysec" in warning
    await own_store.config_set("appendfsync", "always")
    assert await require_safe(own_store) == []
    await own_store.config_set("appendonly", "no")
    assert "no append-only file" in (await server_facts(own_store)).warnings()[0]
    await own_store.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(ConfigError, match="noeviction"):
        await require_safe(own_store)
