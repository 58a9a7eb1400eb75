"""A breaker opens on several failures, never on one."""

from __future__ import annotations

from app.core.lane import Breaker
from app.core.lane.breaker import IN_A_ROW


def test_it_opens_on_several_failures_in_a_row_and_not_before() -> None:
    breaker = Breaker()

    assert [breaker.failed(n) for n in range(IN_A_ROW)] == [False] * (IN_A_ROW - 1) + [True]


def test_a_success_in_between_starts_the_row_again() -> None:
    breaker = Breaker()
    for n in range(IN_A_ROW - 1):
        breaker.failed(n)
    breaker.succeeded(5)

    assert not breaker.failed(6)


def test_it_opens_when_most_of_many_requests_fail_though_some_succeed() -> None:
    breaker = Breaker()
    opened = []
    for n in range(40):
        if n % 4 == 3:
            breaker.succeeded(n * 0.1)
        else:
            opened.append(breaker.failed(n * 0.1))

    assert True in opened
    assert not any(opened[:14])


def test_a_few_failures_among_many_successes_are_everyday() -> None:
    breaker = Breaker()
    opened = False
    for n in range(1_000):
        if n % 4 == 3:
            opened |= breaker.failed(n * 0.01)
        else:
            breaker.succeeded(n * 0.01)

    assert not opened


def test_failures_far_apart_are_no_row() -> None:
    breaker = Breaker()

    assert not any(breaker.failed(n * 61.0 + 100) for n in range(20))


def test_after_a_reset_it_counts_anew() -> None:
    breaker = Breaker()
    for n in range(IN_A_ROW):
        breaker.failed(n)
    breaker.reset()

    assert not breaker.failed(IN_A_ROW)


def test_a_search_in_which_half_of_the_requests_fail_does_not_open_it() -> None:
    breaker = Breaker()
    opened = False
    for n in range(200):
        opened |= breaker.failed(n * 0.01, expected=True)
        breaker.succeeded(n * 0.01)

    assert not opened
    assert [breaker.failed(3, expected=True) for _ in range(4 * IN_A_ROW)].count(True) == 1
