"""Do the columns meet, hour by hour? The verdicts as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.landing import Hour, Judged, Patience, Verdict, judge, worst

PATIENCE = Patience(late_after=7_200, missing_after=86_400)
H = 3_600
M, MORE, NOT, UNSEEN, LATE, MISSING, UNFOUND, SHORT = Verdict
# One hour, 100, and how it is judged at a time.
SOON, DUE, LONG = 102 * H, 103 * H, 125 * H


@pytest.mark.parametrize(
    ("hour", "now", "seen", "verdict", "events"),
    [
        (Hour(100, 5, 5, 0, 1), SOON, None, M, 0),
        (Hour(100, 5, 4, 1, 1), DUE, DUE, M, 0),
        (Hour(100, 0, 0, 0, 1), DUE, DUE, M, 0),
        (Hour(100, 5, 6, 0, 1), SOON, SOON, MORE, 1),
        (Hour(100, 0, 0, 3, 1), DUE, DUE, MORE, 3),
        (Hour(100, 5), SOON, SOON, NOT, 5),
        (Hour(100, 5, 2, 0, 1), DUE - 1, DUE - 1, NOT, 3),
        (Hour(100, 5), DUE, None, UNSEEN, 5),
        (Hour(100, 5), DUE, DUE - 1, UNSEEN, 5),
        (Hour(100, 5), DUE, DUE, LATE, 5),
        (Hour(100, 5), LONG - 1, LONG - 1, LATE, 5),
        (Hour(100, 5), LONG, DUE, LATE, 5),
        (Hour(100, 5), LONG, LONG, MISSING, 5),
        (Hour(100, 5, 2, 1, 1), DUE, DUE, SHORT, 2),
        # A run that is not over may still bring what is missing; not for ever.
        (Hour(100, 5, 2, 1, 1, finished=False), DUE, DUE, LATE, 2),
        (Hour(100, 5, 2, 1, 1, finished=False), LONG, LONG, SHORT, 2),
    ],
)
def test_one_hour(
    hour: Hour, now: float, seen: float | None, verdict: Verdict, events: int
) -> None:
    assert judge([hour], now, seen, PATIENCE) == [Judged(verdict, events)]


def ran(hour: int, accepted: int, landed: int, failed: int = 0) -> Hour:
    return Hour(hour, accepted, landed, failed, 1)


@pytest.mark.parametrize(
    ("hours", "verdicts"),
    [
        # Under way when the hour was over: it is in the next run, or in the one after that.
        ([ran(100, 5, 3), ran(101, 4, 6)], [M, M]),
        ([ran(100, 5, 3), ran(101, 0, 0), ran(102, 4, 6)], [M, M, M]),
        ([Hour(100, 5), ran(101, 4, 9)], [M, M]),
        # Beyond what a landing may take it is another's.
        ([ran(100, 5, 3), ran(101, 0, 0), ran(102, 0, 0), ran(103, 4, 6)], [SHORT, M, M, MORE]),
        # Landed at the turn of the hour, and the answer was read after it.
        ([ran(100, 4, 5), ran(101, 4, 3)], [M, M]),
        ([ran(100, 4, 5), ran(101, 4, 2)], [M, SHORT]),
        ([ran(99, 4, 5), ran(100, 0, 0), ran(101, 4, 3)], [MORE, M, SHORT]),
        # Refused later counts as well as landed.
        ([ran(100, 5, 1, 2), ran(101, 0, 0, 2)], [M, M]),
    ],
)
def test_hours_make_up_for_each_other(hours: list[Hour], verdicts: list[Verdict]) -> None:
    now = 200 * H
    assert [said.verdict for said in judge(hours, now, now, PATIENCE)] == verdicts


def test_the_worst_hour_is_the_verdict_over_all() -> None:
    said = [Judged(M), Judged(SHORT, 2), Judged(NOT, 7), Judged(SHORT, 1)]
    assert worst(said) == Judged(SHORT, 3)
    assert worst([Judged(NOT, 7), Judged(M)]) == Judged(NOT, 7)
    assert worst([]) == Judged(M)
    assert [v for v in Verdict if v.alarming] == [MISSING, UNFOUND, SHORT]


def test_each_verdict_has_words() -> None:
    assert [Judged(verdict, 1_200).words for verdict in Verdict] == [
        "meets",
        "1,200 more than we sent",
        "1,200 not due yet",
        "1,200 open, Platform not asked since",
        "1,200 late",
        "run missing, 1,200 open",
        "1,200 refused later, in no file that says which",
        "short by 1,200",
    ]


counts = st.integers(0, 6)


@given(st.lists(st.tuples(counts, counts, counts), min_size=1, max_size=8))
def test_what_is_too_much_and_too_little_adds_up(rows: list[tuple[int, int, int]]) -> None:
    """Matching moves counts between hours, and neither makes nor loses any."""
    hours = [ran(100 + at, *row) for at, row in enumerate(rows)]
    now = 10_000 * H
    said = judge(hours, now, now, PATIENCE)
    over = sum(each.events for each in said if each.verdict is MORE)
    short = sum(each.events for each in said if each.verdict is SHORT)
    assert over - short == sum(h.landed + h.failed - h.accepted for h in hours)
