import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.retry import delay, expired

finite = st.floats(0, 1e9)


@pytest.mark.parametrize(("attempt", "bound"), [(1, 2), (2, 4), (3, 8), (12, 3600), (5000, 3600)])
def test_the_bound_doubles_up_to_the_cap(attempt: int, bound: float) -> None:
    assert delay(attempt, 1.0) == bound
    assert delay(attempt, 0.5) == bound / 2
    assert delay(attempt, 0.0) == 0


def test_the_first_attempt_is_number_one_and_less_is_the_same() -> None:
    assert delay(0, 1.0) == delay(-3, 1.0) == delay(1, 1.0)


def test_what_platform_asks_for_is_the_least() -> None:
    assert delay(1, 0.0, retry_after=30) == 30
    assert delay(1, 1.0, retry_after=30) == 32
    assert delay(10, 1.0, retry_after=30) == 1024


def test_nobody_can_ask_for_more_than_the_cap() -> None:
    assert delay(1, 0.0, cap=100, retry_after=1e12) == 100


@pytest.mark.parametrize("nonsense", [None, 0, -5, math.nan, math.inf])
def test_a_senseless_wish_is_ignored(nonsense: float | None) -> None:
    assert delay(3, 0.5, retry_after=nonsense) == 4


@given(st.integers(-5, 10**6), st.floats(-1, 2), st.none() | finite)
def test_a_delay_is_never_negative_nor_far_above_the_cap(
    attempt: int, jitter: float, wish: float | None
) -> None:
    assert 0 <= delay(attempt, jitter, retry_after=wish) <= 3600 + 2


def test_an_event_expires_at_its_maximum_age() -> None:
    assert not expired(1_000, 1_000 + 59_999, max_age=60)
    assert expired(1_000, 1_000 + 60_000, max_age=60)


def test_a_clock_that_went_back_expires_nothing() -> None:
    assert not expired(10_000, 0, max_age=1)
