"""A new version of the mapping set, while real processes run: taken, refused, repaired."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.sandbox.defaults import TENANT
from app.sandbox.traffic import Shot, ShotKind
from tests.e2e.process import ROOT, until
from tests.e2e.system import System

NAME = "customerio-default"


class Folder:
    """A copy of the project's mapping sets, where a test may write."""

    def __init__(self, system: System) -> None:
        self.system = system
        mappings = system.folder / "config" / "mappings"
        mappings.unlink()
        shutil.copytree(ROOT / "config" / "mappings", mappings)
        self.path = mappings / f"{NAME}.json"
        self.original = json.loads(self.path.read_bytes())
        self.first = int(self.original["version"])

    def write(self, newer: int, row: str = "", source: str = "") -> None:
        """A version so much newer; the source of the row that writes `row` is another."""
        document = json.loads(json.dumps(self.original))
        document["version"] = self.first + newer
        for each in document["mappings"]:
            if each["destination"] == row:
                each["source"] = source.replace("ORIGINAL", each["source"])
                each["sourceType"] = "EXPRESSION"
        self.path.write_text(json.dumps(document))

    def label(self, newer: int) -> str:
        """Up to the digest, which only the worker knows."""
        return f"{NAME}@{self.first + newer}"

    async def told(self, event: str, field: str, newer: int) -> dict[str, Any]:
        """The worker's line about that version, for the connection that is used here."""
        [worker] = self.system.workers

        def lines() -> list[dict[str, Any]]:
            return [
                line
                for line in worker.lines(event)
                if line["connection"] == "example"
                and line[field].startswith(f"{self.label(newer)}+")
            ]

        found = await until(lines, f"{event} of version {self.first + newer}")
        return dict(found[0])


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    system = System(tmp_path)
    made = Folder(system)
    try:
        await system.start()
        yield made
    finally:
        await system.stop()


def event(number: int, **data: Any) -> tuple[str, Shot]:
    event_id = f"01K0000000000000000000{number:04d}"
    body = {
        "event_id": event_id, "object_type": "email", "metric": "sent", "timestamp": 1_760_000_000,
        "data": {"identifiers": {"id": "7"}, "delivery_id": "d7", "subject": "Hello", **data},
    }  # fmt: skip
    return event_id, Shot(ShotKind.EVENT, number, json.dumps(body).encode())


async def made_by(system: System, event_id: str) -> str:
    """What the newest record of an event says about the version that made it."""
    newest = (await system.ask(f"/received?id={event_id}"))["newest"]
    return str(newest["record"][f"_{TENANT}"]["customerio"]["mapping"])


async def deliver(system: System, event_id: str, shot: Shot) -> str:
    await system.send([shot])
    await system.settled()
    return await made_by(system, event_id)


@pytest.mark.timeout(120)
async def test_a_worker_takes_new_versions_that_pass_and_records_and_letters_name_theirs(
    folder: Folder,
) -> None:
    system = folder.system
    first = await deliver(system, *event(1))

    # A good one is taken without a restart.
    folder.write(1)
    taken = await folder.told("mapping.taken", "new", 1)
    second = await deliver(system, *event(2))
    assert taken["old"].startswith(f"{folder.label(0)}+")
    assert first != second
    assert str(folder.first) in first

    # A broken one is not, and the old one goes on.
    folder.write(2, "eventType", "lower(ORIGINAL")
    refused = await folder.told("mapping.refused", "label", 2)
    assert refused["runs"] == taken["new"]
    assert await deliver(system, *event(3)) == second
    checked = await system.sluice("check-config", "--json")
    faults = [each["text"] for each in checked.json if each["level"] == "failed"]
    assert checked.code == 1
    assert faults[: len(refused["faults"])] == refused["faults"]

    # One that passes, and yet kills an event no example has.
    folder.write(3, "timestamp", 'iif(data.subject == "odd", nullify(), ORIGINAL)')
    bad = await folder.told("mapping.taken", "new", 3)
    odd, shot = event(4, subject="odd")
    await system.send([shot])
    row = await system.settled()
    assert (row.delivered, row.dead) == (3, 1)
    listed = await system.sluice("dead-letters", "list", "--mapping", folder.label(3), "--json")
    [letter] = listed.json
    assert (letter["event_id"], letter["failure"], letter["path"]) == (odd, "mapping", "timestamp")
    assert letter["mapping"] == bad["new"]
    assert "-> timestamp" in letter["row"]
    none = await system.sluice("dead-letters", "list", "--mapping", folder.label(1), "--json")
    assert none.json == []

    # Repaired: taken, and a replay delivers with the new label.
    folder.write(4)
    last = await folder.told("mapping.taken", "new", 4)
    replayed = await system.sluice(
        "dead-letters", "replay", "--mapping", letter["mapping"], "--json"
    )
    assert (replayed.json["put"], replayed.json["frozen"], replayed.json["delivered"]) == (1, 1, 1)
    row = await system.settled()
    assert (row.delivered, row.dead) == (4, 0)
    assert await made_by(system, odd) not in (first, second)
    traced = await system.sluice("trace", odd, "--json")
    assert [batch["mapping"] for batch in traced.json[0]["batches"]] == [last["new"]]
    assert len(system.workers[0].lines("worker.started")) == 1
