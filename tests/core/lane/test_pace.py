"""The pace finds a limit, stays close under it, and finds it again when it moves."""

from __future__ import annotations

import pytest

from app.core.lane import FRESH, Pace, cut, messages_per_second

LIMIT = 9_000.0


class Throttled:
    """A Platform that lets `limit` messages pass a second, a second's worth at once; and a lane
    that always has more to send, a tenth of a second's worth a request."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.level = limit
        self.pace = FRESH
        self.sent = self.refused = 0
        self.delivered = 0.0

    def run(self, seconds: float) -> None:
        self.sent = self.refused = 0
        self.delivered = 0.0
        left = seconds
        while left > 0:
            left -= self.request()

    def request(self) -> float:
        """Sends one; seconds until the next."""
        rate = messages_per_second(self.pace, LIMIT)
        size = max(1.0, rate / 10)
        self.sent += 1
        if self.level < 1:
            self.refused += 1
            self.pace, hold = cut(self.pace, LIMIT)
            return self.passed(hold)
        self.level -= size
        self.delivered += size
        self.pace = self.pace._replace(grown=self.pace.grown + size / rate)
        return self.passed(size / rate)

    def passed(self, seconds: float) -> float:
        self.level = min(self.limit, self.level + seconds * self.limit)
        return seconds


@pytest.mark.parametrize("limit", [30, 300, 1_000, 5_000])
def test_a_limit_nobody_names_is_met_within_a_tenth_with_few_refusals(limit: float) -> None:
    platform = Throttled(limit)
    platform.run(30)
    platform.run(300)

    assert 0.9 * limit <= platform.delivered / 300 <= 1.1 * limit
    assert platform.refused / platform.sent < 0.01


def test_finding_the_limit_costs_few_refusals_too() -> None:
    platform = Throttled(300)
    platform.run(60)

    assert platform.refused / platform.sent < 0.02


def test_a_limit_that_was_lifted_is_used_within_a_minute() -> None:
    platform = Throttled(300)
    platform.run(120)
    platform.limit = 20_000.0
    platform.run(60)

    assert messages_per_second(platform.pace, LIMIT) == LIMIT
    assert platform.refused == 0


def test_a_lane_brought_down_by_what_was_not_its_speed_is_back_within_a_minute() -> None:
    platform = Throttled(20_000)
    platform.pace = Pace(peak=1.0, low=1.0, version=40)
    platform.run(60)

    assert messages_per_second(platform.pace, LIMIT) == LIMIT
    assert platform.refused == 0


def test_a_limit_passed_while_doubling_is_left_by_half() -> None:
    pace = Pace(peak=26.0, low=24.0, grown=40.0)
    rate = messages_per_second(pace, LIMIT)
    slower, hold = cut(pace, LIMIT)

    assert rate == pytest.approx(28 * 2**5)
    assert (slower.peak, slower.low, slower.streak) == (rate, rate / 2, 0)
    assert hold == 0.1


def test_a_limit_that_came_down_is_followed() -> None:
    platform = Throttled(5_000)
    platform.run(60)
    platform.limit = platform.level = 100.0
    platform.run(30)
    platform.run(120)

    assert 90 <= platform.delivered / 120 <= 110


def test_a_lane_never_refused_doubles_from_a_tenth_to_its_limit_and_no_further() -> None:
    rates = [messages_per_second(Pace(grown=float(n)), LIMIT) for n in (0, 1, 2, 4, 10_000)]

    assert rates == [900, 1800, 3600, 9000, 9000]


def test_the_first_refusal_halves_and_later_ones_take_a_tenth() -> None:
    first = cut(Pace(grown=2.0), LIMIT)
    later = cut(Pace(peak=400.0, low=360.0, grown=15.0), LIMIT)

    assert (first.pace.peak, first.pace.low, first.hold_seconds) == (3600, 1800, 0.1)
    assert (later.pace.peak, round(later.pace.low), later.pace.streak) == (400, 360, 0)


def test_refusals_that_follow_each_other_cut_deeper_and_wait_longer() -> None:
    pace, rates, holds = Pace(peak=400.0, low=360.0, grown=20.0), [], []
    for _ in range(12):
        pace, hold = cut(pace, LIMIT)
        rates.append(messages_per_second(pace, LIMIT))
        holds.append(hold)

    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 5
    assert holds[:3] == [0.1, 0.2, 0.4]
    assert holds[-1] == 5.0


def test_the_rate_never_falls_below_one_message_a_second() -> None:
    pace = Pace(peak=1.0, low=1.0)
    for _ in range(50):
        pace, _ = cut(pace, LIMIT)

    assert messages_per_second(pace, LIMIT) == 1.0


def test_each_refusal_has_its_own_version() -> None:
    assert cut(cut(FRESH, LIMIT).pace, LIMIT).pace.version == 2
