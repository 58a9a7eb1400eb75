"""Requests under way: more while answers are quick, fewer when they slow down."""

from __future__ import annotations

from app.core.lane import Concurrency


def test_it_grows_to_the_most_while_answers_stay_quick_and_all_places_are_taken() -> None:
    places = Concurrency(8)
    seen = [places.limit]
    for _ in range(20):
        places.answered(0.1, full=True)
        seen.append(places.limit)

    assert (seen[0], seen[-1]) == (2, 8)
    assert seen == sorted(seen)


def test_places_nobody_needs_are_not_added() -> None:
    places = Concurrency(8)
    for _ in range(20):
        places.answered(0.1, full=False)

    assert places.limit == 2


def test_answers_that_become_slow_take_places_away_again() -> None:
    places = Concurrency(64)
    for _ in range(100):
        places.answered(0.1, full=True)
    before = places.limit
    for n in range(8):
        places.answered(0.4 * 2**n, full=True)

    assert before == 64
    assert places.limit < 40


def test_answers_that_differ_by_chance_do_not() -> None:
    places = Concurrency(8)
    for n in range(100):
        places.answered(0.01 + (n % 5) * 0.008, full=True)

    assert places.limit == 8


def test_faults_take_places_away_but_never_the_last() -> None:
    places = Concurrency(8)
    for _ in range(100):
        places.failed()

    assert places.limit == 1
