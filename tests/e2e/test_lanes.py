"""Lanes as operators know them: limits kept, outages outlived, one connection's trouble its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from app.core.batch import decode
from app.sandbox.traffic import Shot, generate
from app.sandbox.traffic import ShotKind as Kind
from app.store import keys
from tests.e2e.system import INLETS, Sent, System, event_id_of, running


def events(seed: int, count: int) -> Iterator[Shot]:
    bodies = generate(seed, count)
    return (Shot(Kind.EVENT, number, body) for number, body in enumerate(bodies))


async def lane(system: System, name: str = "example") -> dict[str, Any]:
    """What `sluice lanes` says of one."""
    answered = await system.sluice("lanes", "--json")
    assert answered.code == 0, answered.err
    [found] = [each for each in answered.json if each["connection"] == name]
    return dict(found)


async def until_lane(
    system: System, good: Callable[[dict[str, Any]], bool], name: str = "example"
) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while not good(found := await lane(system, name)):
            pass
    return found


def requests(system: System) -> list[dict[str, Any]]:
    return [line for worker in system.workers for line in worker.lines("delivery.attempted")]


@asynccontextmanager
async def sending(system: System, seed: int, count: int, connection: str) -> AsyncIterator[Sent]:
    """Events that are sent meanwhile."""
    sent = Sent()
    task = asyncio.create_task(system.send(events(seed, count), connection, sent))
    try:
        yield sent
    finally:
        await task


async def test_an_outage_opens_the_breaker_burns_no_attempt_and_its_backlog_drains_in_order(
    system: System,
) -> None:
    await system.fault(status=500)
    sent = [await system.send(events(seed, 40)) for seed in (1, 2, 3, 4)]
    paused = await system.workers[0].logged("lane.paused")
    assert (paused["reason"], paused["code"]) == ("transient", "http_500")
    held = await until_lane(system, lambda it: it["waiting_events"] == 160)
    assert held["state"] in ("paused", "probe", "probing")
    assert held["reason"].startswith("transient:")
    assert held["since"] is not None

    # A few probes later, each of one message: nothing has been burnt, nothing is asked hotly.
    before = len(requests(system))
    await system.workers[0].logged("lane.paused", 4)
    probes = requests(system)[before:]
    assert {line["messages"] for line in probes} <= {1}
    assert len(probes) <= 6
    async with system.store() as store:
        names = [name async for name in store.scan_iter(keys.BATCH_PREFIX + "*")]
        tries = [decode(await store.get(name)).tries for name in names]
    assert max(tries) <= 1

    await system.recover()
    row = await system.settled()
    assert (row.delivered, row.dead) == (160, 0)
    ids = [[event_id_of(body) for body in one.bodies] for one in sent]
    place = {name: at for at, name in enumerate(await system.arrived())}
    middle = [sum(place[name] for name in part) / len(part) for part in ids]
    assert middle == sorted(middle)
    assert (await lane(system))["state"] == "open"


async def test_an_operator_holds_a_lane_back_until_it_is_resumed(system: System) -> None:
    wrong = await system.sluice("lanes", "pause", "exampel", "--reason", "x")
    aimless = await system.sluice("lanes", "pause", "example", "--for", "soon", "--reason", "x")
    idle = await system.sluice("lanes", "resume", "example")
    assert (wrong.code, "did you mean example?" in wrong.err) == (2, True)
    assert (aimless.code, idle.code) == (2, 1)

    paused = await system.sluice("lanes", "pause", "example", "--reason", "moving house", "--json")
    assert (paused.code, paused.json["seconds"]) == (0, None)
    sent = await system.send(events(10, 60))
    others = await system.send(events(11, 20), "raw")
    await system.settled("raw")
    found = await until_lane(system, lambda it: it["waiting_events"] == 60)

    assert (found["state"], found["reason"]) == ("paused", "operator:moving house")
    assert (found["next_probe"], found["in_flight_events"]) == (None, 0)
    assert await system.arrived("raw") == dict.fromkeys(others.ids, 1)
    assert await system.arrived("example") == {}

    resumed = await system.sluice("lanes", "resume", "example", "--json")
    assert resumed.json == {"connection": "example", "resumed": True}
    row = await system.settled()
    assert (row.delivered, row.dead) == (60, 0)
    assert await system.arrived() == dict.fromkeys(sent.ids, 1)


async def test_a_connection_whose_inlet_is_dead_slows_no_other(system: System) -> None:
    await system.fault(hang=True, inlet=INLETS["raw"]["id"])
    sent = await system.send(events(20, 2_000), "raw")
    await system.fault_hit()

    # All of it while every request of the other hangs until its time is over.
    healthy = await system.send(events(21, 500))
    row = await system.settled()
    assert (row.delivered, row.dead) == (500, 0)
    assert await system.arrived() == dict.fromkeys(healthy.ids, 1)
    assert (await system.row("raw")).in_flight == 2_000

    await system.recover()
    row = await system.settled("raw")
    assert (row.delivered, row.dead) == (2_000, 0)
    assert (await system.arrived("raw")).keys() == sent.ids


async def test_workers_and_connections_of_one_organization_share_one_limit(tmp_path: Path) -> None:
    """Two workers, two connections, one limit a tenth under what Platform takes: never refused."""
    strict = ("--messages-per-second", "1100", "--requests-per-second", "110")
    limits = {"messages_per_second": 1_000, "requests_per_second": 100}
    async with running(tmp_path, workers=2, limits=limits, sandbox=strict) as system:
        async with sending(system, 30, 3_000, "example"), sending(system, 31, 3_000, "raw"):
            pass
        for name in ("example", "raw"):
            assert (await system.settled(name)).delivered == 3_000

        statuses = [line["status"] for line in requests(system)]
        assert 429 not in statuses
        assert all(worker.lines("delivery.attempted") for worker in system.workers)


async def test_a_platform_that_throttles_without_a_word_is_met_at_its_speed(tmp_path: Path) -> None:
    # Few enough that a busy machine meets the limit, too.
    strict = ("--messages-per-second", "400")
    async with running(tmp_path, workers=2, sandbox=strict) as system:
        sent = await system.send(events(40, 5_000))
        row = await system.settled()

        assert (row.delivered, row.dead) == (5_000, 0)
        assert await system.arrived() == dict.fromkeys(sent.ids, 1)
        # What it costs to find the limit, a dozen refusals or so, is most of it: tests/core/lane
        # has the long run.
        statuses = [line["status"] for line in requests(system)]
        assert 0 < statuses.count(429) < 25
        found = await lane(system)
        assert 200 < found["allowed_messages_per_second"] < 600
        assert {line["event"] for w in system.workers for line in w.lines("lane.paused")} == set()


async def test_json_of_lanes_is_one_object_per_connection(system: System) -> None:
    said, table = await asyncio.gather(system.sluice("lanes", "--json"), system.sluice("lanes"))

    assert [each["connection"] for each in json.loads(said.out)] == sorted(INLETS)
    assert {each["state"] for each in said.json} == {"open"}
    assert all(name in table.out for name in INLETS)
