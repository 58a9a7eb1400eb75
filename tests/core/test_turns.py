"""Calls take turns, evenly."""

from __future__ import annotations

from app.core.turns import Turns


def test_calls_at_once_go_one_after_the_other() -> None:
    turns = Turns(4.0)
    assert [turns.wait(100.0) for _ in range(3)] == [0.0, 0.25, 0.5]


def test_turns_that_nobody_took_are_not_kept() -> None:
    turns = Turns(4.0)
    turns.wait(100.0)
    assert [turns.wait(200.0) for _ in range(2)] == [0.0, 0.25]
