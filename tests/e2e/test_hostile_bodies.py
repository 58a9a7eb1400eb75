"""Signed bodies of the worst kinds, all the way: each ends somewhere, and nothing ends with it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest
from typer.testing import CliRunner

from app.cli import cli
from tests.e2e.hostile_bodies import DELIVERED, UNREADABLE, Hostile, event, hostile
from tests.e2e.system import System

CASES = list(hostile())
IDS = [case.name for case in CASES]


FLAGS = ((), ("--json",))


def show(system: System, number: str, *flags: str) -> str:
    """What the command prints. In this process: a new one for each takes half a second."""
    words = ["dead-letters", "show", number, *flags]
    answer = CliRunner().invoke(cli, words, env=system.environ)
    assert answer.exit_code == 0, (number, answer.exception)
    return answer.stdout


@pytest.fixture(autouse=True)
async def posted(system: System) -> None:
    """Each case to both connections, acknowledged."""
    for connection in ("example", "raw"):
        for case in CASES:
            status, _ = await system.post_any(case.body, connection)
            assert status == 200, case.name


async def test_each_ends_as_it_must_and_the_worker_lives(system: System) -> None:
    rows = {name: await system.settled(name) for name in ("example", "raw")}
    letters = (await system.sluice("dead-letters", "list", "--json", "--limit", "1000")).json

    for name, row in rows.items():
        wanted = Counter(getattr(case, "xdm" if name == "example" else "raw") for case in CASES)
        died = Counter(letter["failure"] for letter in letters if letter["connection"] == name)
        delivered = wanted.pop(DELIVERED)
        assert died == wanted, [x for x in letters if x["connection"] == name]
        assert (row.received, row.delivered, row.duplicates) == (len(CASES), delivered, 0)
    assert (await system.sluice("ledger", "--check")).code == 0
    (worker,) = system.workers
    assert worker.alive
    assert not worker.lines("transform.bug") and not worker.lines("batch.split")
    assert not [line for line in worker.log.splitlines() if "exception" in line]


async def test_an_operator_can_list_show_and_replay_them(system: System) -> None:
    for name in ("example", "raw"):
        await system.settled(name)
    letters = (await system.sluice("dead-letters", "list", "--json", "--limit", "1000")).json
    numbers = [str(letter["number"]) for letter in letters]

    listed = await system.sluice("dead-letters", "list", "--limit", "1000")
    assert listed.code == 0
    # In words, nothing of it is obeyed by a terminal.
    assert all(char.isprintable() or char in "\n\t" for char in listed.out)
    for number in numbers:
        in_words, in_json = [await asyncio.to_thread(show, system, number, *flag) for flag in FLAGS]
        assert all(char.isprintable() or char in "\n\t" for char in in_words)
        assert json.loads(in_json)["number"] == int(number)

    replayed = await system.sluice("dead-letters", "replay", "--all", "--yes", "--json")
    assert replayed.json["put"] == len(numbers), replayed.err
    for name in ("example", "raw"):
        row = await system.settled(name)
        assert row.dead == sum(letter["connection"] == name for letter in letters)


async def test_a_good_event_behind_them_is_delivered(system: System) -> None:
    for connection in ("example", "raw"):
        await system.post_any(event("the-good-one"), connection)
        await system.settled(connection)
        assert "the-good-one" in await system.arrived(connection)


def test_the_list_of_cases_is_one() -> None:
    assert len(set(IDS)) == len(IDS)
    assert all(isinstance(case, Hostile) and len(case.body) <= 1_000_000 for case in CASES)
    assert sum(case.xdm == UNREADABLE for case in CASES) > 20
