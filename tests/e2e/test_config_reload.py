"""Connection files change while real processes run: receiver and worker take them up themselves."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import yaml

from app.core.signature import sign
from tests.e2e.process import Process
from tests.e2e.system import INLETS, System, running

TAKEN, REFUSED = "config.taken", "config.refused"


class Told:
    """A system with one more connection file, `fresh`, whose key lies in a file."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.folder = system.folder / "config" / "connections"
        self.path = self.folder / "fresh.yaml"
        self.key_file = system.folder / "fresh-key"
        self.key_file.write_text("first-key\n")
        self.document = yaml.safe_load((self.folder / "example.yaml").read_text())
        self.document["name"] = "fresh"
        self.document["signing_keys"] = [{"file": str(self.key_file)}]
        # Changes that were taken up.
        self.times = 0

    @property
    def both(self) -> tuple[Any, Any]:
        return self.system.receiver, self.system.workers[0]

    def write(self, inlet: str, **changes: Any) -> None:
        self.document["platform"]["inlet_id"] = INLETS[inlet]["id"]
        self.document["platform"]["mode"] = INLETS[inlet].get("mode", "xdm")
        self.path.write_text(yaml.safe_dump({**self.document, **changes}))

    async def taken(self, **names: list[str]) -> None:
        """Both have taken up a change, and the receiver's new processes serve."""
        self.times += 1
        for process in self.both:
            line = await process.logged(TAKEN, self.times, seconds=30)
            assert {what: line[what] for what in names} == names
        await self.system.receiver.logged("receiver.restart_finished", self.times, seconds=30)

    async def hurried(self, **names: list[str]) -> None:
        """The same, by whoever does not want to wait."""
        for process in self.both:
            process.send(signal.SIGHUP)
        await self.taken(**names)

    async def post(self, number: int, key: str = "first-key") -> int:
        """The status of a webhook, fresh as its signature is good by `key`."""
        body, now = event(number), str(int(time.time()))
        signature = sign(key.encode(), now.encode(), body)
        headers = {"X-CIO-Timestamp": now, "X-CIO-Signature": signature}
        url = f"{self.system.receiver_url}/webhooks/fresh"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=body, headers=headers) as response,
        ):
            return response.status

    async def delivered(self, count: int) -> None:
        row = await self.system.settled("fresh")
        assert (row.received, row.delivered, row.dead) == (count, count, 0)


def event(number: int) -> bytes:
    data = {"identifiers": {"id": "7"}, "delivery_id": "d7", "subject": "Hello"}
    body = {
        "event_id": f"01K0000000000000000000{number:04d}", "object_type": "email",
        "metric": "sent", "timestamp": 1_760_000_000, "data": data,
    }  # fmt: skip
    return json.dumps(body).encode()


def children_of(process: Process) -> list[int]:
    pid = process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    async with running(tmp_path_factory.mktemp("system"), processes=2) as system:
        yield Told(system)


@pytest.fixture
async def told(_shared: Told) -> Told:
    """Without the connection, and empty."""
    if _shared.path.exists():
        _shared.path.unlink()
        await _shared.hurried(removed=["fresh"])
    _shared.key_file.write_text("first-key\n")
    await _shared.system.reset()
    return _shared


@asynccontextmanager
async def traffic(system: System) -> AsyncIterator[None]:
    """A webhook of another connection after the other, none of which may notice anything."""

    enough = asyncio.Event()

    async def post() -> None:
        number = 5_000
        while not enough.is_set():
            number += 1
            assert await system.post(event(number)) == (200, "")

    posting = asyncio.create_task(post())
    try:
        yield
    finally:
        enough.set()
        await posting


@pytest.mark.timeout(180)
async def test_connections_come_change_and_go_beside_the_traffic_of_others(told: Told) -> None:
    system = told.system
    [worker] = system.workers
    pids = system.receiver.pid, worker.pid
    async with traffic(system):
        # One that is new.
        assert await told.post(1) == 503
        told.write("example")
        await told.taken(added=["fresh"])
        assert await told.post(1) == 200
        await told.delivered(1)

        # One that goes elsewhere, and whose key is another.
        told.key_file.write_text("second-key\n")
        told.write("raw")
        await told.taken(changed=["fresh"])
        assert [await told.post(2), await told.post(2, "second-key")] == [401, 200]
        await told.delivered(2)
        arrived = await system.arrived("raw")
        assert len(arrived) == 1

        # The one that is busy itself gets another lane.
        example = told.folder / "example.yaml"
        document = yaml.safe_load(example.read_text())
        example.write_text(yaml.safe_dump({**document, "limits": {"max_in_flight": 3}}))
        await told.taken(changed=["example"])

    # No event was lost or sent twice, no webhook refused.
    row = await system.settled("example")
    assert row.delivered == row.received - row.duplicates
    assert len(system.acknowledged) == row.delivered > 100
    assert await system.arrived("example") == {**dict.fromkeys(system.acknowledged, 1), ID_1: 1}
    assert pids == (system.receiver.pid, worker.pid)
    assert len(worker.lines("worker.started")) == 1


ID_1 = json.loads(event(1))["event_id"]


@pytest.mark.timeout(180)
async def test_what_is_not_valid_is_said_and_what_ran_goes_on(told: Told) -> None:
    system = told.system
    told.write("example")
    await told.taken(added=["fresh"])

    told.write("example", limits={"max_in_flight": "many"})
    for process in told.both:
        refused = await process.logged(REFUSED)
        assert "fresh.yaml: limits.max_in_flight: is 'many'" in refused["faults"][0]
    doctor = await system.sluice("doctor", "--json")
    assert doctor.code == 1
    assert refused["faults"][0] in doctor.out.replace('\\"', '"')

    # A child that dies meanwhile comes back with what ran, and SIGHUP changes nothing.
    for child in children_of(system.receiver):
        os.kill(child, signal.SIGKILL)
    await system.receiver.logged("receiver.ready", 4)
    system.receiver.send(signal.SIGHUP)
    await system.receiver.logged("receiver.restart_abandoned")
    assert await told.post(1) == 200
    await told.delivered(1)
    assert [len(process.lines(REFUSED)) for process in told.both] == [2, 1]

    told.write("example")
    for process in told.both:
        await process.logged("config.as_before")


@pytest.mark.timeout(180)
async def test_events_of_a_removed_connection_wait_until_it_is_back(told: Told) -> None:
    system = told.system
    told.write("example")
    await told.taken(added=["fresh"])
    held = await system.sluice("lanes", "pause", "fresh", "--reason", "a test")
    assert held.code == 0
    for number in range(5):
        assert await told.post(number) == 200

    told.path.unlink()
    await told.hurried(removed=["fresh"])
    assert await told.post(9) == 503
    await system.sluice("lanes", "resume", "fresh")
    row = await system.row("fresh")
    assert (row.received, row.in_flight) == (5, 5)

    told.write("example")
    await told.hurried(added=["fresh"])
    await told.delivered(5)
