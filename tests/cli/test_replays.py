"""What `sluice replays` says of a run, and that leaving it leaves it running."""

from __future__ import annotations

from dataclasses import replace

import pytest
import typer

from app.cli.replays import watching
from app.core.replay_run import ReplayRun, RunState
from app.core.replay_words import asked_for, census_lines, counts_of, state_of

RUN = ReplayRun(7, RunState.RUNNING, frozen=100, put=40, gone=2, delivered=30, dead=4, owner="w")


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (RUN, "running"),
        (replace(RUN, owner=""), "running: no worker has taken it up yet"),
        (replace(RUN, holding="the lane of a is held back (x)"),
         "running: the lane of a is held back (x)"),
        (replace(RUN, frozen=42), "running: all is put, the rest is on its way"),
        (replace(RUN, state=RunState.STOPPED, reason="too many", holding="old"),
         "stopped: too many"),
    ],
)  # fmt: skip
def test_a_run_says_its_state_and_why(run: ReplayRun, said: str) -> None:
    assert state_of(run) == said


def test_a_run_says_where_its_letters_are() -> None:
    assert counts_of(replace(RUN, duplicates=1)) == (
        "42 of 100: 30 delivered, 4 died again, 5 in flight, 1 duplicates, 2 gone meanwhile"
    )


def test_a_selection_is_told_as_it_was_asked_for_and_found() -> None:
    assert asked_for({}) == "all"
    assert asked_for({"kind": "email.sent", "died_after_ms": 0}) == (
        "kind=email.sent died_after_ms=1970-01-01 00:00:00"
    )
    census = {"letters": 1_200, "connections": {"a": 1_200}, "classes": {"schema": 1_200},
              "kinds": {"": 1_200}, "oldest_ms": 0, "newest_ms": 1_000}  # fmt: skip
    assert list(census_lines(census)) == [
        "letters      1,200",
        "connections  a 1,200",
        "classes      schema 1,200",
        "kinds        - 1,200",
        "died (UTC)   1970-01-01 00:00:00 to 1970-01-01 00:00:01",
    ]


def test_who_leaves_is_told_how_to_come_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "with_face", interrupted)

    with pytest.raises(typer.Exit) as left:
        watching.follow(7, as_json=False)

    assert left.value.exit_code == 0
    assert "`sluice replays watch 7`" in capsys.readouterr().err
