"""What comes of it if all goes on as it did."""

from __future__ import annotations

import pytest

from app.core.forecast import Forecast, Sample, forecast


def line(seconds: int, **per_second: int) -> list[Sample]:
    """A sample every two seconds, each counter growing evenly from a start."""
    start = Sample(1000.0, 0, 0, 100_000, 1_000_000)
    return [
        Sample(
            start.at + at,
            start.received + at * per_second.get("received", 0),
            start.done + at * per_second.get("done", 0),
            start.backlog + at * per_second.get("backlog", 0),
            start.memory + at * per_second.get("memory", 0),
        )
        for at in range(0, seconds + 1, 2)
    ]


def test_without_history_it_is_collecting() -> None:
    assert forecast([], 60, 0) == Forecast(collecting=True)
    assert forecast(line(8, done=5), 60, 0).collecting
    assert not forecast(line(10, done=5), 60, 0).collecting


def test_rates_are_of_the_window_alone() -> None:
    idle = [Sample(s.at - 1000, 0, 0, 100_000, 1_000_000) for s in line(600)]
    found = forecast(idle + line(60, received=200, done=300), 60, 0)
    assert (found.received_rate, found.done_rate) == (200, 300)


def test_a_shrinking_backlog_has_an_end() -> None:
    found = forecast(line(60, backlog=-100), 60, 0)
    assert found.clears_seconds == pytest.approx((100_000 - 6_000) / 100)


@pytest.mark.parametrize("change", [0, 50])
def test_a_backlog_that_does_not_shrink_has_none(change: int) -> None:
    assert forecast(line(60, backlog=change), 60, 0).clears_seconds is None


def test_growing_memory_meets_its_limit() -> None:
    found = forecast(line(60, memory=1_000), 60, 2_000_000)
    assert found.full_seconds == pytest.approx((2_000_000 - 1_060_000) / 1_000)


def test_memory_without_limit_or_growth_lasts() -> None:
    assert forecast(line(60, memory=1_000), 60, 0).full_seconds is None
    assert forecast(line(60, memory=-1), 60, 2_000_000).full_seconds is None
    assert forecast(line(60, memory=1), 60, 2_000_000_000).full_seconds is None, "in years"


def test_what_is_over_already_is_now() -> None:
    assert forecast(line(60, memory=1_000), 60, 900_000).full_seconds == 0
