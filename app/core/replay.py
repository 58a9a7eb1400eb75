"""What a replay leaves in an event's history, and the frame in which it goes back on the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Final, TypeVar

from app.core.batch import TAKE_OVER, AttemptRun, EventBatch, add_attempt, encode
from app.core.dead_letter import DeadLetter, DeadLetterSummary

T = TypeVar("T")

# A replay leaves this mark in an event's history; its age counts anew from there.
REPLAYED: Final = "replayed"

# The mark's code names the replay run; a replay of single letters has none.
_RUN: Final = "run:"


def run_of(history: Sequence[AttemptRun]) -> int:
    """Number of the replay run that put the event on the queue last; 0 = none did, or a replay of
    single letters came after it."""
    for attempt in reversed(history):
        if attempt.failure == REPLAYED:
            number = attempt.code.removeprefix(_RUN)
            return int(number) if number.isdecimal() else 0
    return 0


def times_replayed(history: Sequence[AttemptRun]) -> int:
    """How often the event was replayed."""
    return sum(attempt.times for attempt in history if attempt.failure == REPLAYED)


def by_row(
    letters: Iterable[T], summary_of: Callable[[T], DeadLetterSummary]
) -> list[tuple[tuple[str, int], list[T]]]:
    """Letters by the ledger row of their events, which is a batch's: connection and hour."""

    def row(letter: T) -> tuple[str, int]:
        summary = summary_of(letter)
        return summary.connection, summary.hour

    return [(key, list(group)) for key, group in groupby(sorted(letters, key=row), row)]


def replay_frame(
    letters: Sequence[DeadLetter], now_ms: int, run: int = 0, edited_by: str = ""
) -> bytes:
    """The letters as an event batch; each history has the death and the replay added, and the
    recipe that the bodies were edited by.

    All of them carry the same `run`, so a batch and what follows it belong to one.
    """
    code, message = f"{_RUN}{run}" if run else "", f"recipe {edited_by}" if edited_by else ""
    mark = AttemptRun(now_ms, now_ms, 1, REPLAYED, 0, code, message, "")
    return encode(
        EventBatch(
            [letter.outgoing for letter in letters],
            [letter.summary.received_ms for letter in letters],
            claim=TAKE_OVER,
            histories=[
                add_attempt((*letter.history, _death_of(letter.summary)), mark)
                for letter in letters
            ],
            ready=frozenset(at for at, letter in enumerate(letters) if letter.ready),
        )
    )


def _death_of(letter: DeadLetterSummary) -> AttemptRun:
    ms = letter.dead_ms
    return AttemptRun(ms, ms, 1, letter.failure, 0, letter.code, letter.detail, "")
