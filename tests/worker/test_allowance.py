"""What one worker may send, with a scripted budget and a clock of the test's own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from app.core.errors import StoreUnavailable
from app.core.lane import FRESH, Cut, Pace
from app.store.budgets import Demand, Lease, Rates
from worker.lane.allowance import Allowance


@dataclass
class Clock:
    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Budget:
    """Leases whatever is asked, or what `answers` says first."""

    answers: list[Lease | Exception] = field(default_factory=list)
    asked: list[tuple[Pace, Rates, Demand]] = field(default_factory=list)
    cuts: list[tuple[int, Cut]] = field(default_factory=list)
    pace: Pace = FRESH
    first: bool = True

    async def lease(
        self, scope: str, connection: str, asker: str, pace: Pace, rates: Rates, demand: Demand
    ) -> Lease:
        self.asked.append((pace, rates, demand))
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer or Lease(self.pace, demand.messages, demand.requests, 0.0, 1)

    async def cut(self, connection: str, version: int, cut: Cut) -> bool:
        if isinstance(self.answers[0] if self.answers else None, Exception):
            raise StoreUnavailable("away", "")
        self.cuts.append((version, cut))
        return self.first


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget() -> Budget:
    return Budget()


@pytest.fixture
def allowance(clock: Clock, budget: Budget) -> Allowance:
    return Allowance(
        "conn", "org", budget, 10_000.0, 1_000.0, asker="w", clock=clock, sleep=clock.sleep
    )


async def test_one_lease_serves_many_requests_under_load(
    allowance: Allowance, budget: Budget, clock: Clock
) -> None:
    for _ in range(200):
        await allowance.take(5, waiting=0)
        clock.now += 0.01

    assert len(budget.asked) <= 20
    assert clock.slept == []


async def test_a_lease_that_is_over_is_not_used(
    allowance: Allowance, budget: Budget, clock: Clock
) -> None:
    await allowance.take(5, waiting=100)
    clock.now += 1
    await allowance.take(5, waiting=0)

    assert len(budget.asked) == 2
    # What was used last time is the measure, not what had once been waiting.
    assert budget.asked[1][2].messages <= 10


async def test_it_waits_as_long_as_it_is_told_and_asks_again(
    allowance: Allowance, budget: Budget, clock: Clock
) -> None:
    budget.answers = [Lease(FRESH, 0, 0, 0.2, 1), Lease(FRESH, 0, 0, 9.0, 1)]
    await allowance.take(5, waiting=0)

    assert clock.slept == [0.2, 0.25]
    assert len(budget.asked) == 3


async def test_a_pace_changed_by_another_worker_is_taken_over_at_once(
    allowance: Allowance, budget: Budget, clock: Clock
) -> None:
    slower = Pace(peak=100.0, low=50.0, version=3)
    budget.answers, budget.pace = [Lease(slower, 0, 0, 0.0, 1)], slower
    await allowance.take(5, waiting=0)

    assert clock.slept == []
    assert [pace.version for pace, _, _ in budget.asked] == [0, 3]
    _, rates, _ = budget.asked[1]
    # Requests are slowed down alike: it need not be the messages that were too many.
    assert (rates.lane_messages, rates.lane_requests) == (50.0, 5.0)
    assert (allowance.rate, allowance.version) == (50.0, 3)


async def test_more_than_a_window_holds_is_saved_up_for(
    allowance: Allowance, budget: Budget
) -> None:
    budget.answers = [Lease(FRESH, 40, 1, 0.0, 1), Lease(FRESH, 40, 1, 0.0, 1)]
    await allowance.take(100, waiting=0)

    assert [demand.least for _, _, demand in budget.asked] == [100, 60, 20]


async def test_requests_carry_a_tenth_of_a_seconds_worth(
    allowance: Allowance, budget: Budget
) -> None:
    assert allowance.request_size(1_000) == 100
    assert allowance.request_size(30) == 30


@pytest.mark.parametrize("rate", [1.0, 5.0, 26.0, 99.0, 1_000.0])
async def test_a_slow_lane_sends_at_its_pace_whatever_slowed_it_down(
    allowance: Allowance, budget: Budget, rate: float
) -> None:
    """Small requests at few a second were a tenth of the pace of the tenth that was left: lanes
    that had been refused for other reasons stood nearly still over a backlog."""
    budget.pace = Pace(peak=rate, low=rate, version=1)
    await allowance.take(1, waiting=0)
    await allowance.take(1_000, waiting=0)

    _, rates, _ = budget.asked[-1]
    assert rates.lane_requests >= 1.0
    assert rates.lane_messages == pytest.approx(rate)
    assert allowance.request_size(1_000) * rates.lane_requests >= rate * 0.99
    assert allowance.request_size(1_000) <= max(rate, 1.0)


async def test_a_refusal_slows_down_once_for_each_pace(
    allowance: Allowance, budget: Budget
) -> None:
    assert await allowance.refused(0) is True
    assert await allowance.refused(0) is True

    assert [version for version, _ in budget.cuts] == [0]
    assert allowance.version == 1
    assert allowance.rate < 1_000


async def test_who_comes_second_with_a_refusal_changes_nothing(
    allowance: Allowance, budget: Budget
) -> None:
    budget.first = False
    await allowance.refused(0)

    assert allowance.version == 0


async def test_without_redis_it_sends_at_half_of_its_part_and_tries_again_each_second(
    allowance: Allowance, budget: Budget, clock: Clock
) -> None:
    budget.answers = [Lease(FRESH, 1, 1, 0.0, 4)] + [StoreUnavailable("away", "")] * 100
    await allowance.take(1, waiting=0)
    began, sent = clock.now, 0
    while clock.now < began + 20:
        await allowance.take(10, waiting=0)
        sent += 10
        clock.now += 0.001

    # A tenth of 10,000 at first; a quarter of that is ours, and half of it is sent.
    assert 100 * 20 <= sent <= 130 * 20 + 100
    assert len(budget.asked) <= 25


async def test_without_redis_a_refusal_slows_this_worker_down(
    allowance: Allowance, budget: Budget
) -> None:
    budget.answers = [StoreUnavailable("away", "")]

    assert await allowance.refused(0) is True
    assert (allowance.version, allowance.rate) == (1, 500.0)


async def test_a_redis_that_hangs_is_as_good_as_away(allowance: Allowance, budget: Budget) -> None:
    async def hang(*_: object) -> Lease:
        await asyncio.sleep(3600)
        raise AssertionError

    budget.lease = hang  # type: ignore[method-assign]

    await allowance.take(1, waiting=0)
