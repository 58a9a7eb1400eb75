"""What a replay leaves in an event's history, and how a selection is packed and described."""

from __future__ import annotations

from app.core.batch import TAKE_OVER, AttemptRun, decode
from app.core.dead_letter import DeadLetter, DeadLetterSummary
from app.core.replay import by_row, replay_frame, run_of, times_replayed
from app.core.selection import OTHERS, Census, pack_numbers, unpack_numbers

TRIED = AttemptRun(5, 5, 1, "contract", 400, "c", "no", "r1")


def letter(number: int, hour: int = 1, connection: str = "a", kind: str = "k") -> DeadLetter:
    summary = DeadLetterSummary(number, connection, hour, "send", "contract", "c", "/p", "why", "",
                                kind, f"e{number}", 3, number)  # fmt: skip
    return DeadLetter(summary, b"body", None, (TRIED,))


def test_a_frame_tells_each_death_and_the_run() -> None:
    batch = decode(replay_frame([letter(7), letter(8)], 9, run=17))

    history = batch.history(0)
    assert (batch.claim, batch.bodies, batch.received_ms) == (TAKE_OVER, [b"body"] * 2, [3, 3])
    assert history == (
        TRIED,
        AttemptRun(7, 7, 1, "contract", 0, "c", "why", ""),
        AttemptRun(9, 9, 1, "replayed", 0, "run:17", "", ""),
    )
    assert (run_of(history), times_replayed(history), run_of(batch.history(1))) == (17, 1, 17)


def test_a_replay_of_single_letters_is_of_no_run_even_after_one() -> None:
    history = decode(replay_frame([letter(7)], 9, run=17)).history(0)
    [again] = decode(
        replay_frame([DeadLetter(letter(7).summary, b"", None, history)], 11)
    ).histories

    assert (run_of(again), times_replayed(again)) == (0, 2)
    assert (run_of(()), times_replayed(())) == (0, 0)


def test_letters_are_grouped_by_the_ledger_row_of_their_events() -> None:
    letters = [letter(1, 2), letter(2, 1), letter(3, 2), letter(4, 1, "b")]

    rows = [
        (row, [x.summary.number for x in group])
        for row, group in by_row(letters, lambda x: x.summary)
    ]

    assert rows == [(("a", 1), [2]), (("a", 2), [1, 3]), (("b", 1), [4])]


def test_numbers_are_packed_in_their_order_and_small() -> None:
    numbers = [7, 9, 8, 1_000_000_000_000, *range(100_000, 105_000)]

    packed = pack_numbers(numbers)

    assert unpack_numbers(packed) == numbers
    assert unpack_numbers(pack_numbers([])) == []
    assert len(packed) < 100


def test_a_census_counts_and_names_the_frequent() -> None:
    census = Census()
    assert census.document()["oldest_ms"] is None
    for number in range(50):
        census.add(letter(number, kind=f"k{max(0, number - 20)}").summary)

    found = census.document()

    assert (found["letters"], found["connections"], found["classes"]) == (
        50, {"a": 50}, {"contract": 50},
    )  # fmt: skip
    assert (found["kinds"]["k0"], len(found["kinds"]), found["kinds"][OTHERS]) == (21, 21, 10)
    assert (found["oldest_ms"], found["newest_ms"]) == (0, 49)


def test_a_census_does_not_grow_with_kinds_that_somebody_makes_up() -> None:
    census = Census()
    for number in range(1_500):
        census.add(letter(number, kind=f"k{number}").summary)

    assert len(census.kinds) == 1_001
    assert sum(census.document()["kinds"].values()) == 1_500
    assert census.document()["kinds"][OTHERS] == 1_500 - len(census.document()["kinds"]) + 1
