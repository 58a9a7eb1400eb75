"""A Redis whose clock was ahead and is put right: nothing may wait for the old time to come again.

What such a clock leaves behind is written here as it would have been; `make crash` moves the clock
of a real server.
"""

from __future__ import annotations

import pytest
from arq.connections import ArqRedis

from app.core.lane import FRESH
from app.store import keys
from app.store.batches import GRACE_MS, Batches
from app.store.budgets import Budgets, Demand, Rates
from app.store.lanes import Gate, Lanes

AHEAD_MS = 3 * 3_600_000
RATES = Rates(1_000.0, 100.0, 1_000.0, 100.0)


async def redis_ms(store: ArqRedis) -> int:
    seconds, micros = await store.time()
    return int(seconds) * 1000 + int(micros) // 1000


async def as_if_ahead(store: ArqRedis, batch_id: str, owner: str = "") -> None:
    """The batch, and the last sweep, were written three hours from now."""
    then = await redis_ms(store) + AHEAD_MS
    await store.zadd(keys.OPEN_SET, {batch_id: then + GRACE_MS})
    if owner:
        await store.hset(keys.HELD, batch_id, f"{owner} {then + GRACE_MS} 1")
    await store.set(keys.CLOCK, then)


async def test_a_batch_scored_by_the_old_time_is_due_after_its_grace(store: ArqRedis) -> None:
    batches = Batches(store)
    name = await batches.commit("a", b"frame", 1)
    await as_if_ahead(store, name)

    await batches.sweep()

    [(_, due)] = await batches.open_ids()
    assert due <= await redis_ms(store) + GRACE_MS


async def test_a_dead_workers_batch_is_taken_over_after_its_lease_all_the_same(
    store: ArqRedis,
) -> None:
    batches = Batches(store, "heir")
    name = await batches.commit("a", b"frame", 1)
    await as_if_ahead(store, name, owner="dead")
    assert await batches.take([name]) == ([], [])

    await batches.sweep()

    held = (await store.hget(keys.HELD, name)).split()
    assert int(held[1]) <= await redis_ms(store) + GRACE_MS
    await store.hset(keys.HELD, name, b" ".join((held[0], b"1", held[2])))
    [taken], _ = await batches.take([name])
    assert taken.takes == 2


@pytest.mark.parametrize("act", ["commit", "take", "keep"])
async def test_a_jump_that_no_sweep_saw_is_known_from_who_wrote_by_it(
    store: ArqRedis, act: str
) -> None:
    """Between two sweeps the clock was ahead, and a lease was written by it."""
    batches = Batches(store, "owner")
    name = await batches.commit("a", b"frame", 1)
    await batches.take([name])
    free = await batches.commit("a", b"frame", 1)
    await store.delete(keys.CLOCK)
    before = await redis_ms(store)

    match act:
        case "commit":
            await batches.commit("a", b"frame", 1)
        case "take":
            await batches.take([free])
        case _:
            assert await batches.keep([name]) == []

    assert int(await store.get(keys.CLOCK)) >= before
    # What is there counts until it is behind by more than a sweep overlooks.
    await store.set(keys.CLOCK, before + AHEAD_MS)
    await batches.keep([name])
    assert int(await store.get(keys.CLOCK)) == before + AHEAD_MS


async def test_a_clock_that_goes_on_moves_nothing(store: ArqRedis) -> None:
    batches = Batches(store)
    name = await batches.commit("a", b"frame", 1)
    await batches.sweep()
    due = await redis_ms(store) + AHEAD_MS
    await store.zadd(keys.OPEN_SET, {name: due})

    await batches.sweep()

    assert [ms for _, ms in await batches.open_ids()] == [due]


async def test_the_limits_are_not_used_up_until_then(store: ArqRedis) -> None:
    then = (await redis_ms(store) + AHEAD_MS) * 1000
    for key in (keys.budget("org"), keys.lane_pace("a")):
        await store.hset(key, mapping={"m": then, "r": then})
    await store.zadd(keys.budget_askers("org"), {"dead": then // 1_000_000})

    lease = await Budgets(store).lease("org", "a", "w1", FRESH, RATES, Demand(10.0, 1.0, 1.0))

    assert (lease.messages, lease.askers) == (10.0, 1)


async def test_a_lane_is_not_held_back_until_then(store: ArqRedis) -> None:
    lanes = Lanes(store)
    await lanes.pause("a", "transient:http_503", 30)
    then = await redis_ms(store) + AHEAD_MS
    state = {"until": then + 30_000, "set": then, "probe": then + 9_000, "prober": "dead"}
    await store.hset(keys.lane_state("a"), mapping=state)

    found = await lanes.state("a")

    assert (found.gate, round(found.seconds or 0)) == (Gate.PAUSED, 30)
    await store.hset(keys.lane_state("a"), "until", 1)
    found = await lanes.state("a", probe_seconds=9, asker="w1")
    assert (found.gate, round(found.seconds or 0)) == (Gate.PROBING, 9)


async def test_an_operators_pause_without_an_end_has_none(store: ArqRedis) -> None:
    lanes = Lanes(store)
    await lanes.pause("a", "operator:x", None, by_operator=True)
    await store.hset(keys.lane_state("a"), "set", await redis_ms(store) + AHEAD_MS)

    assert (await lanes.state("a")).seconds is None
    assert await lanes.pause("a", "transient:http_503", 30) == (None, False)
