"""Leases of what an organization may send, on a real server."""

from __future__ import annotations

import asyncio

import pytest
from arq.connections import ArqRedis

from app.core.errors import StoreUnavailable
from app.core.lane import FRESH, Cut, Pace, cut
from app.store import keys
from app.store.budgets import WINDOW_MS, Budgets, Demand, Lease, Rates
from app.store.connect import open_store
from tests.conftest import RedisServer

RATES = Rates(1_000.0, 100.0, 1_000.0, 100.0)
# What the buckets hold at first: nobody waits before that is spent.
FULL = 1_000.0 * WINDOW_MS / 1000


@pytest.fixture
def budgets(store: ArqRedis) -> Budgets:
    return Budgets(store)


async def lease(
    budgets: Budgets,
    messages: float = 1e9,
    *,
    scope: str = "org",
    lane: str = "a",
    asker: str = "w1",
    pace: Pace = FRESH,
    rates: Rates = RATES,
    least: float = 1.0,
    requests: float = 1.0,
) -> Lease:
    demand = Demand(messages, least, requests)
    return await budgets.lease(scope, lane, asker, pace, rates, demand)


async def all_of(budgets: Budgets, seconds: float, **how: object) -> float:
    """Everything that can be had in so long, by asking all the time."""
    got, end = 0.0, asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        got += (await lease(budgets, **how)).messages  # type: ignore[arg-type]
    return got


async def test_a_lone_asker_gets_what_it_wants_up_to_the_window(budgets: Budgets) -> None:
    some = await lease(budgets, 10)
    rest = await lease(budgets)
    none = await lease(budgets, least=200)

    assert (some.messages, some.requests, some.askers) == (10, 1, 1)
    assert FULL - 10 <= rest.messages <= FULL
    assert (none.messages, none.requests) == (0, 0)
    assert 0.1 < none.wait_seconds <= 0.2


async def test_workers_of_one_lane_share_its_limit(budgets: Budgets) -> None:
    # Redis' own clock runs, so only what was there at first is exact.
    got = [await lease(budgets, asker=name) for name in ("w1", "w2", "w3")]

    assert sum(one.messages for one in got) < FULL * 1.3
    assert got[-1].askers == 3


async def test_connections_of_one_organization_share_its_limit_and_others_do_not(
    budgets: Budgets,
) -> None:
    await lease(budgets, lane="a")

    same = await lease(budgets, lane="b", asker="w1:b", least=200)
    other = await lease(budgets, lane="c", scope="another org")

    assert same.messages == 0
    assert other.messages == FULL


async def test_askers_beside_each_other_get_a_part_each(budgets: Budgets) -> None:
    for name in ("w1", "w2", "w3", "w4"):
        await lease(budgets, 1, asker=name)

    assert (await lease(budgets, asker="w1")).messages == FULL / 4


async def test_a_lane_with_a_low_limit_of_its_own_leaves_the_rest_to_others(
    budgets: Budgets,
) -> None:
    slow = Rates(100.0, 10.0, 100.0, 10.0)
    first = await lease(budgets, lane="a", rates=slow)

    # A quarter of its own second is a quarter of everybody's: shares of time, not of messages.
    assert first.messages == 100 * WINDOW_MS / 1000


async def test_over_a_second_no_more_is_leased_than_the_limit_and_the_window(
    budgets: Budgets,
) -> None:
    parts = await asyncio.gather(
        *(all_of(budgets, 0.5, asker=name, lane=name) for name in ("w1", "w2"))
    )

    # The time it really took is what counts, and it is at least this.
    assert sum(parts) >= 0.9 * 500
    assert min(parts) > 0.3 * sum(parts)


async def test_who_was_refused_first_is_served_first(budgets: Budgets) -> None:
    await lease(budgets, asker="w1")
    refused = await lease(budgets, lane="b", asker="w2", least=100)
    greedy = await lease(budgets, 1, asker="w1")

    assert (refused.messages, greedy.messages) == (0, 0)
    assert 0 < greedy.wait_seconds < 0.1


async def test_a_waiting_lane_that_never_comes_back_loses_its_place(
    budgets: Budgets, store: ArqRedis
) -> None:
    await lease(budgets, asker="w1")
    await lease(budgets, lane="b", asker="dead", least=100)
    await store.zadd(keys.budget_queue("org"), {"dead": 1})

    assert (await lease(budgets, 0.001, least=0.001, asker="w1")).messages > 0


async def test_a_lane_held_back_by_its_own_rate_keeps_no_place(budgets: Budgets) -> None:
    slow = RATES._replace(lane_messages=1.0)
    await lease(budgets, rates=slow)
    await lease(budgets, rates=slow)

    assert (await lease(budgets, 5, lane="b", asker="w2")).messages == 5


async def test_requests_are_limited_too(budgets: Budgets) -> None:
    got = await lease(budgets, 1, requests=1_000)
    none = await lease(budgets, 1, requests=1)

    assert got.requests == 100 * WINDOW_MS / 1000
    assert none.wait_seconds > 0


async def test_a_rate_below_one_a_window_still_lets_one_pass(budgets: Budgets) -> None:
    rates = Rates(1_000.0, 100.0, 1.0, 0.2)

    assert (await lease(budgets, 50, rates=rates)).messages == 1
    assert (await lease(budgets, 50, rates=rates)).wait_seconds > 1


async def test_a_changed_pace_leases_nothing_and_is_told(budgets: Budgets) -> None:
    slower = cut(FRESH, 1_000.0)
    assert await budgets.cut("a", 0, slower) is True

    stale = await lease(budgets)

    assert (stale.messages, stale.wait_seconds) == (0, 0)
    assert stale.pace == slower.pace
    assert await budgets.pace("a") == slower.pace


async def test_refusals_that_come_together_slow_a_lane_down_once(budgets: Budgets) -> None:
    slower = cut(FRESH, 1_000.0)

    answers = await asyncio.gather(*(budgets.cut("a", 0, slower) for _ in range(8)))

    assert answers.count(True) == 1
    assert (await budgets.pace("a")).version == 1


async def test_after_a_refusal_nothing_is_leased_for_a_while(budgets: Budgets) -> None:
    slower = cut(FRESH, 1_000.0)
    await budgets.cut("a", 0, slower)

    held = await lease(budgets, 10, pace=slower.pace)

    assert held.messages == 0
    assert held.wait_seconds > slower.hold_seconds / 2


async def test_the_curve_moves_on_only_while_most_of_the_rate_is_in_use(
    budgets: Budgets,
) -> None:
    await lease(budgets, 1)
    await asyncio.sleep(0.05)
    idle = await lease(budgets, FULL)
    await asyncio.sleep(0.05)
    busy = await lease(budgets, 1)

    assert idle.pace.grown == 0
    assert 0.05 <= busy.pace.grown <= WINDOW_MS / 1000


async def test_the_curve_of_a_slow_lane_moves_on_too(budgets: Budgets) -> None:
    """Its requests carry more than a bucket holds, so at each asking the bucket was full again and
    the lane was taken for idle: one brought down by refusals stayed down over its backlog."""
    slow = Pace(peak=28.0, low=28.0, version=1)
    rates = Rates(1_000.0, 100.0, 28.0, 2.8)
    await budgets.cut("a", 0, Cut(slow, 0.0))
    got = grown = 0.0
    while got < 30:
        had = await lease(budgets, 10, least=10 - got % 10, pace=slow, rates=rates)
        got, grown = got + had.messages, had.pace.grown
        await asyncio.sleep(had.wait_seconds)

    # What was leased first was there; all after it took its time, which was time in use.
    assert grown >= 0.7 * (got - 14) / 28


async def test_what_is_leased_is_forgotten_when_nobody_sends(
    budgets: Budgets, store: ArqRedis
) -> None:
    await lease(budgets)

    for key in (keys.budget("org"), keys.budget_askers("org")):
        assert 0 < await store.ttl(key) <= 3600
    assert 0 < await store.ttl(keys.lane_pace("a")) <= 86_400


async def test_a_server_that_is_away_is_store_unavailable(own_redis: RedisServer) -> None:
    client = open_store(own_redis.url)
    budgets = Budgets(client)
    own_redis.kill()

    calls = [lease(budgets), budgets.cut("a", 0, cut(FRESH, 1.0)), budgets.pace("a")]
    found = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(fault) for fault in found] == [StoreUnavailable] * 3
    await client.aclose(close_connection_pool=True)
