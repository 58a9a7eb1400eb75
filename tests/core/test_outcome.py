from dataclasses import replace

import pytest

from app.core.outcome import POLICIES, Failure, Outcome, Verdict, failed


def test_every_failure_class_has_a_policy() -> None:
    assert set(POLICIES) == set(Failure)


@pytest.mark.parametrize("failure", [Failure.CREDENTIALS, Failure.BLOCKED, Failure.THROTTLE])
def test_a_fault_of_the_lane_is_no_attempt_of_the_event(failure: Failure) -> None:
    outcome = failed(failure)

    assert outcome.verdict is Verdict.TRY_AGAIN
    assert not outcome.counts


@pytest.mark.parametrize("failure", [Failure.TRANSIENT, Failure.INTERNAL])
def test_a_passing_fault_counts_and_never_kills(failure: Failure) -> None:
    outcome = failed(failure)

    assert outcome.verdict is Verdict.TRY_AGAIN
    assert outcome.counts


def test_what_was_not_sent_is_no_attempt() -> None:
    assert not failed(Failure.THROTTLE, attempted=False).counts


def test_a_failure_while_the_lane_is_held_back_is_no_attempt() -> None:
    assert not replace(failed(Failure.TRANSIENT), held=True).counts


def test_no_readable_answer_is_unknown() -> None:
    assert failed(Failure.UNKNOWN).verdict is Verdict.UNKNOWN


def test_a_text_is_cut_at_500_characters() -> None:
    assert failed(Failure.CONTRACT, message="x" * 600).message == "x" * 500


def test_delivered_counts() -> None:
    assert Outcome(Verdict.DELIVERED).counts
