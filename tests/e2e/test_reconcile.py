"""What Platform says later, end to end: the sandbox's lake, the workers' looks, the ledger.

Platform's hour is ended by the test. Where an event has to be hours old, what the edge accepted is
moved back in Redis, as if the time had passed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.store import keys
from app.store.lake import Lake, Standing
from tests.e2e.system import System, running
from tests.e2e.test_platform_trouble import events
from worker.archive import ArchiveFinder

RECONCILE = {"interval_seconds": 0.3, "late_after_seconds": 10, "missing_after_seconds": 9_000}

ALL = ("--limit", "1000", "--json")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _shared_system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("lake")
    async with running(folder, reconcile=RECONCILE) as started:
        yield started


@pytest.fixture
async def system(_shared_system: System) -> System:
    await _shared_system.reset()
    return _shared_system


async def standing(system: System) -> Standing:
    async with system.store() as store:
        return await Lake(store).read("example")


async def landed(system: System, landed: int, failed: int) -> Standing:
    """How it stands, once the runs say so much."""
    deadline = time.monotonic() + 30
    while True:
        found = await standing(system)
        said = [(hour.landed, hour.failed) for hour in found.hours]
        if (sum(n for n, _ in said), sum(n for _, n in said)) == (landed, failed):
            return found
        assert time.monotonic() < deadline, (said, found)
        await asyncio.sleep(0.05)


async def close(system: System) -> None:
    """Platform's hour is over."""
    await system.ask("/lake/close", "POST")


async def ledger(system: System, *words: str) -> tuple[int, dict[str, Any]]:
    """(exit code of the check, the row of the connection) as an operator sees it."""
    answered = await system.sluice("ledger", "--check", "--json", *words)
    [row] = [row for row in answered.json["rows"] if row["connection"] == "example"]
    return answered.code, row


async def age(system: System, hours: int, *keys_of_hours: str) -> None:
    """As if what is counted there had been counted so many hours ago; else only the edge."""
    async with system.store() as store:
        for key in keys_of_hours or (keys.edge("example"),):
            found = await store.hgetall(key)
            older = {str(int(hour) - hours): count for hour, count in found.items()}
            await store.delete(key)
            await store.hset(key, mapping=older)


async def verdict(system: System, wanted: str) -> tuple[int, dict[str, Any]]:
    """The check, once the verdict is this one."""
    deadline = time.monotonic() + 30
    while True:
        code, row = await ledger(system)
        if row["verdict"] == wanted:
            return code, row
        assert time.monotonic() < deadline, row


async def buried(system: System, count: int) -> list[dict[str, Any]]:
    """The letters, once there are so many."""
    deadline = time.monotonic() + 30
    while (await standing(system)).buried < count:
        assert time.monotonic() < deadline, await standing(system)
        await asyncio.sleep(0.05)
    listed = await system.sluice("dead-letters", "list", "--class", "refused_later", *ALL)
    letters: list[dict[str, Any]] = listed.json
    return letters


async def test_the_three_columns_meet_to_the_event(system: System) -> None:
    await system.fault(lake_fail="DCVS-1106-400", lake_path="#/_id", share=0.2)
    sent = await system.send(events(1, 400))
    await system.send(events(1, 400))  # all of them once more
    row = await system.settled()
    assert (row.received, row.duplicates) == (800, 400)
    await close(system)

    truth = await system.ask("/lake?settle=true")
    failed = truth["refused"]
    assert 0 < failed < 400 == failed + truth["landed"]
    letters = await buried(system, failed)
    await landed(system, 400 - failed, failed)
    code, said = await ledger(system)
    assert (code, said["verdict"], said["accepted"]) == (0, "meets", 400)
    assert (said["landed"], said["refused_later"]) == (400 - failed, failed)
    assert (said["delivered"], said["dead"]) == (400 - failed, failed)
    # Platform's own counters say the same.
    counted = (await standing(system)).lake.values()
    assert sum(hour.received or 0 for hour in counted) == 400
    assert sum(hour.ingested or 0 for hour in counted) == 400 - failed
    assert len({x["event_id"] for x in letters} & sent.ids) == len(letters) == failed
    assert {(x["code"], x["path"], x["stage"]) for x in letters} == {
        ("DCVS-1106-400", "/_id", "lake")
    }


async def refused(system: System, count: int) -> set[str]:
    """Events that all fail later, and are dead letters by now: their ids."""
    await system.fault(lake_fail="DCVS-1106-400", lake_path="#/_id")
    sent = await system.send(events(2, count))
    await system.settled()
    await system.recover()
    await close(system)
    letters = await buried(system, count)
    assert {letter["event_id"] for letter in letters} == sent.ids
    return sent.ids


async def test_a_replay_after_the_fix_lands(system: System) -> None:
    ids = await refused(system, 60)
    replayed = await system.sluice("dead-letters", "replay", "--class", "refused_later", "--json")
    assert (replayed.code, replayed.json["delivered"]) == (0, 60)
    row = await system.settled()
    assert (row.delivered, row.dead) == (60, 0)
    await close(system)

    await landed(system, 60, 60)
    code, said = await ledger(system)
    assert (code, said["verdict"], said["accepted"]) == (0, "meets", 120)
    in_lake = {line["id"]: line["count"] for line in await system.ask("/lake?ids=true")}
    assert in_lake == dict.fromkeys(ids, 1)


async def test_a_replay_without_the_fix_is_refused_again_and_knows_its_history(
    system: System,
) -> None:
    ids = await refused(system, 1)
    await system.fault(lake_fail="DCVS-1104-400", lake_path="#/_id")
    await system.sluice("dead-letters", "replay", "--all", "--json", "--yes")
    await system.settled()
    await close(system)

    [letter] = await buried(system, 2)
    shown = await system.sluice("dead-letters", "show", str(letter["number"]), "--json")
    assert {letter["event_id"]} == ids
    assert [(run["failure"], run["code"]) for run in shown.json["attempts"]] == [
        ("", ""), ("refused_later", "DCVS-1106-400"), ("replayed", ""), ("", ""),
    ]  # fmt: skip
    assert (letter["code"], shown.json["body"]) == ("DCVS-1104-400", "")
    assert shown.json["record"]["_id"] == letter["event_id"]


async def test_what_vanishes_in_platform_is_short_to_the_event(system: System) -> None:
    await system.send(events(3, 30))
    await system.settled()
    await system.fault(vanish=True)
    await system.send(events(4, 7))
    await system.settled()
    await system.recover()
    await close(system)
    await landed(system, 30, 0)
    code, said = await ledger(system)
    assert (code, said["verdict"], said["verdict_events"]) == (0, "not_due", 7)

    system.workers[0].terminate()
    await system.workers[0].ended()
    await age(system, 2, keys.edge("example"), keys.lake("example"))
    code, said = await verdict(system, "short")
    assert (code, said["verdict_events"]) == (1, 7)
    assert "DID NOT LAND: example" in (await system.sluice("ledger")).err
    system.workers[0].start()
    line = await system.workers[0].logged("reconcile.short")
    assert line["verdict"] == "short by 7"


async def test_a_run_that_comes_late_is_late_and_meets_when_it_is_there(system: System) -> None:
    await system.fault(run_late_hours=1)
    await system.send(events(5, 20))
    await system.settled()
    await close(system)
    await age(system, 2)
    code, said = await verdict(system, "late")
    assert (code, said["verdict_events"]) == (0, 20)

    await system.recover()
    await close(system)
    await close(system)
    await landed(system, 20, 0)
    await age(system, -2)
    assert (await verdict(system, "meets"))[0] == 0


async def test_a_run_that_never_comes_is_missing(system: System) -> None:
    await system.fault(run_missing=True)
    await system.send(events(6, 20))
    await system.settled()
    await close(system)
    await age(system, 5)
    code, said = await verdict(system, "run_missing")
    assert (code, said["verdict_events"]) == (1, 20)


async def test_when_platform_cannot_be_asked_that_is_said_and_delivery_goes_on(
    system: System,
) -> None:
    await system.fault(scope="control", status=403)
    failed = len(system.workers[0].lines("reconcile.failed"))
    await system.workers[0].logged("reconcile.failed", failed + 1)
    await system.send(events(7, 20))
    row = await system.settled()
    assert row.delivered == 20
    assert "Platform cannot be asked" in (await system.sluice("ledger")).out
    assert "Platform cannot be asked" in (await system.sluice("doctor")).out

    well = len(system.workers[0].lines("reconcile.well"))
    await system.recover()
    await system.workers[0].logged("reconcile.well", well + 1)
    await close(system)
    await landed(system, 20, 0)


@pytest.mark.crash
async def test_workers_killed_while_they_bury_bury_everything_once(system: System) -> None:
    await system.fault(lake_fail="DCVS-1106-400", lake_path="#/_id")
    sent = await system.send(events(8, 600))
    await system.settled()
    await system.recover()
    await close(system)

    for some in (1, 200, 400):
        deadline = time.monotonic() + 30
        while (await standing(system)).buried < some:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        system.workers[0].kill()
        system.workers[0].start()
        await system.workers[0].logged("worker.started")
        # Its lease has two minutes to go; nobody shall wait for that here.
        async with system.store() as store:
            await store.hset(keys.look("example"), "until", 1)

    await landed(system, 0, 600)
    await buried(system, 600)
    code, said = await ledger(system)
    assert (code, said["verdict"], said["delivered"], said["dead"]) == (0, "meets", 0, 600)
    listed = await system.sluice("dead-letters", "list", *ALL)
    assert sorted(x["event_id"] for x in listed.json) == sorted(sent.ids)


async def archived(folder: Path, ids: set[str]) -> None:
    """Returns when all of them are on disk, a second or so after they were settled."""
    deadline = time.monotonic() + 20
    while len(found := await ArchiveFinder(folder).find("example", ids, 0, 10**9)) < len(ids):
        assert time.monotonic() < deadline, found.keys()
        await asyncio.sleep(0.05)


async def test_with_an_archive_a_letter_has_its_body(tmp_path: Path) -> None:
    """And a Platform that spells things in its other way."""
    environ = {"SLUICE_ARCHIVE_DAYS": "1"}
    spelling = ("--failed-lines", "_validationErrors", "--activities", "activites")
    async with running(tmp_path, reconcile=RECONCILE, environ=environ, sandbox=spelling) as system:
        await system.workers[0].logged("archive.on")
        # A bad address that the check lets through, as far as Platform is concerned.
        await system.fault(lake_fail="DCVS-1103-400", lake_path="#/_id")
        sent = await system.send(events(9, 5))
        await system.settled()
        await archived(tmp_path / "archive", sent.ids)
        await system.recover()
        await close(system)
        letters = await buried(system, 5)
        shown = await asyncio.gather(
            *(system.sluice("dead-letters", "show", str(x["number"]), "--json") for x in letters)
        )
        assert {each.json["body"] for each in shown} == {body.decode() for body in sent.bodies}
        assert "personal data" in (await system.sluice("doctor")).out

        await system.sluice("dead-letters", "replay", "--all", "--json", "--yes")
        row = await system.settled()
        assert (row.delivered, row.dead) == (5, 0)
        await close(system)
        await landed(system, 5, 5)
        assert (await ledger(system))[1]["verdict"] == "meets"
