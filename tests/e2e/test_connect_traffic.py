"""Both ends switched, changed and replaced while hundreds of events a second come: none is lost.

Platform says 200 to what it drops, so only the sandbox's own book of what landed can tell.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.sandbox.defaults import APP_KEY, SIGNING_KEY, WORKSPACE
from app.store.lanes import Lanes, LaneState
from tests.e2e.connecting import setup_document, write_setup
from tests.e2e.process import ROOT
from tests.e2e.system import System, running

NAME = "busy"
LOST_SECONDS, SETTLE_SECONDS = 2, 3
RATE, COUNT = 200, 6_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("traffic")
    options = ("--settle-seconds", str(LOST_SECONDS))
    async with running(folder, sandbox=options, environ={"CIO_KEY": APP_KEY}) as started:
        (folder / "key").write_text(SIGNING_KEY)
        # A set of its own, to change it.
        mappings = folder / "config" / "mappings"
        mappings.unlink()
        mappings.mkdir()
        for path in (ROOT / "config" / "mappings").glob("*.json"):
            (mappings / path.name).write_text(path.read_text())
        yield started


def wanted(system: System, **platform: Any) -> Path:
    """Adobe's own source: there the mapping set is the dataflow's."""
    document = setup_document(system)
    document["platform"] |= {"source": {"kind": "customerio"}, **platform}
    document["platform"]["settle_seconds"] = SETTLE_SECONDS
    return write_setup(system, NAME, document)


def another_mapping(system: System) -> None:
    path = system.folder / "config" / "mappings" / "customerio-default.json"
    document = json.loads(path.read_text())
    rows = document["mappings"]
    rows.remove(next(row for row in rows if row["destination"].endswith("customerio.subject")))
    path.write_text(json.dumps(document))


async def play(system: System) -> None:
    order = {"count": COUNT, "rate": RATE, "repeats": 0.0, "families": ["email"], "seed": 7}
    await system.ask(f"/customerio/workspaces/{WORKSPACE}/play", "POST", order)


async def does(system: System, *words: str) -> None:
    """In the middle of the traffic."""
    before = await system.row(NAME)
    answered = await system.sluice(*words)
    assert answered.code == 0, answered.out + answered.err
    after = await system.row(NAME)
    assert after.received - before.received > 100, "no events came meanwhile"


async def lane(system: System) -> LaneState:
    async with system.store() as store:
        return await Lanes(store).state(NAME)


async def landed(system: System) -> None:
    """All of it, each once."""
    deadline = time.monotonic() + 40
    while (row := await system.settled(NAME)).received < COUNT + row.tests:
        assert time.monotonic() < deadline, row
        await asyncio.sleep(0.1)
    assert (row.delivered, row.dead, row.duplicates) == (COUNT, 0, 0)
    assert await system.ask("/lake?lost=true&settle=true") == []
    assert (await system.ask("/lake"))["landed"] == COUNT


@pytest.mark.timeout(120)
@pytest.mark.asyncio(loop_scope="module")
async def test_whatever_is_done_to_both_ends_in_the_middle_of_traffic_loses_nothing(
    system: System,
) -> None:
    key = ("--signing-key-file", str(system.folder / "key"))
    joined = await system.sluice("connect", "--from", str(wanted(system)), "--yes", *key)
    assert joined.code == 0, joined.out + joined.err

    await play(system)
    await does(system, "connection", "disable", NAME)
    await does(system, "connection", "enable", NAME)
    another_mapping(system)
    await does(system, "connection", "update", NAME, "--yes")
    wanted(system, dataset={"name": "Other events"})
    await does(system, "connection", "update", NAME, "--yes")

    await landed(system)
    flows = await system.ask("/received?ids=true")
    assert len({line["inlet"] for line in flows}) == 2
    status = await system.sluice("connection", "status", NAME, "--json")
    assert (status.code, status.json["in_order"]) == (0, True)


@pytest.mark.timeout(60)
@pytest.mark.asyncio(loop_scope="module")
async def test_killed_while_platform_does_not_answer_it_holds_nobody_up_for_good(
    system: System,
) -> None:
    path = system.folder / "config" / "mappings" / "customerio-default.json"
    document = json.loads(path.read_text())
    document["mappings"].pop()
    path.write_text(json.dumps(document))
    await system.fault(scope="flows", method="PATCH", hang=True)
    update = system.process("update", "-m", "app", "connection", "update", NAME, "--yes")
    update.start()
    await system.fault_hit()
    update.kill()
    await system.recover()

    held = await lane(system)
    # The longest call there is, and the time in which the dataflow settles.
    assert held.seconds is not None
    assert 300 < held.seconds <= 360 + SETTLE_SECONDS
    again = await system.sluice("connection", "apply", NAME, "--yes")
    assert again.code == 0, again.out + again.err
    assert (await lane(system)).gate.value == "open"
