"""A replay run as it lies in Redis, and its sums."""

from __future__ import annotations

from app.core.replay_run import Orders, ReplayRun, RunState, read_run


def test_a_run_is_read_from_its_fields_and_adds_up() -> None:
    run = read_run(7, {
        b"state": b"running", b"by": b"anna@here", b"wanted": b'{"kind":"email.sent"}',
        b"rate": b"12.5", b"stop_at": b"0.2", b"stop_least": b"100", b"cutoff": b"90",
        b"frozen": b"20", b"put": b"10", b"gone": b"2", b"delivered": b"4", b"dead": b"1",
        b"duplicates": b"1", b"tests": b"1", b"due_ms": b"1.5", b"holding": b"waits",
    })  # fmt: skip

    assert (run.number, run.state, run.orders) == (7, RunState.RUNNING, Orders(12.5, 0.2, 100))
    assert (run.settled, run.in_flight, run.to_come) == (7, 3, 8)
    told = run.document()
    assert (told["rate"], told["settled"], told["to_come"], told["state"]) == (
        12.5, 7, 8, "running",
    )  # fmt: skip
    assert (told["wanted"], told["started_ms"]) == ({"kind": "email.sent"}, 0)


def test_only_the_end_is_over() -> None:
    over = {state for state in RunState if state.over}
    assert over == {RunState.CANCELLED, RunState.FINISHED}
    assert ReplayRun(1, RunState.FROZEN).to_come == 0
