"""A mapping fault, repaired by a recipe, with real processes: tried, run, killed in the middle."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest

from app.core.errors import StoreUnavailable
from app.core.replay_run import ReplayRun, RunState
from app.sandbox.defaults import TENANT
from app.sandbox.traffic import Shot, ShotKind
from app.store.dead_letters import DeadLetters, Filter
from app.store.replay_runs import ReplayRuns
from tests.e2e.system import System

# Each kill costs the lease of a batch, and each command its start.
pytestmark = pytest.mark.timeout(180)

# Somebody upstream began to send an object where a text is to be.
RECIPE = """\
about: Recipients that are objects
selection: {connection: example}
steps:
  - {rename: /data/recipient/address, to: /data/address}
  - drop: /data/recipient
  - {rename: /data/address, to: /data/recipient}
rate: 400
"""
MS = 1_760_000_000_000


def event(at: int, recipient: object, timestamp: int = MS // 1_000) -> bytes:
    return json.dumps({
        "event_id": f"01K0000000000000000000{at:04d}", "object_type": "email", "metric": "sent",
        "timestamp": timestamp,
        "data": {"identifiers": {"id": "7"}, "delivery_id": f"d{at}", "recipient": recipient},
    }).encode()  # fmt: skip


def good(count: int) -> list[bytes]:
    return [event(at, {"address": f"p{at}@example.com"}) for at in range(count)]


async def die(system: System, *bodies: bytes) -> None:
    await system.send([Shot(ShotKind.EVENT, at, body) for at, body in enumerate(bodies)])
    row = await system.settled()
    assert (row.dead, row.delivered) == (len(bodies), 0)


async def saved(system: System, name: str, text: str) -> None:
    path = system.folder / f"{name}.yaml"
    path.write_text(text)
    answered = await system.sluice("recipes", "save", name, str(path), "--json")
    assert (answered.code, answered.json) == (0, {"name": name, "version": 1}), answered.err


async def stay_dead(system: System) -> set[bytes]:
    """Bodies of what is dead, none of them edited."""
    async with system.store() as store:
        letters = DeadLetters(store)
        found = await letters.get([each.number async for each in letters.find(Filter())])
    assert {each.edit for each in found} <= {None}
    return {each.body for each in found}


async def until_run(system: System, wanted: Callable[[ReplayRun], bool]) -> ReplayRun:
    """The run, once it is as wanted; the ledger adds up all the while."""
    async with asyncio.timeout(90):
        while True:
            with suppress(StoreUnavailable):
                async with system.store() as store:
                    run = await ReplayRuns(store).get(1)
                if run is not None and wanted(run):
                    return run
                assert (await system.balance()).faults == ()
            await asyncio.sleep(0.02)


async def test_a_fault_is_tried_repaired_and_delivered_once(system: System) -> None:
    mendable, odd, late = good(30), event(100, {"phone": "1"}), event(101, {"address": "x"}, MS)
    await die(system, *mendable, odd, late)
    await saved(system, "recipients", RECIPE)

    tried = await system.sluice("recipes", "dry-run", "recipients", "--shown", "1", "--json")

    assert tried.code == 0, tried.err
    trial = tried.json["trial"]
    assert (trial["tried"], trial["would_pass"]) == (32, 30)
    absent, failed = sorted(trial["why"])
    assert absent == "step 1 (rename /data/recipient/address): absent"
    assert failed.startswith("transform row_failed timestamp by #2")
    [shown] = tried.json["differences"]
    assert [change["path"] for change in shown["changes"]] == [
        "/data/recipient/address", "/data/recipient",
    ]  # fmt: skip
    assert shown["changes"][1]["after"] == shown["changes"][0]["before"]
    assert len(await stay_dead(system)) == 32

    ran = await system.sluice("recipes", "run", "recipients", "--yes", "--json")

    assert ran.code == 0, ran.err
    assert (ran.json["recipe"], ran.json["put"], ran.json["delivered"]) == ("recipients@1", 30, 30)
    assert ran.json["kept_why"] == {
        "step 1 (rename /data/recipient/address): absent": 1, "transform row_failed": 1,
    }  # fmt: skip
    arrived = await system.arrived()
    assert arrived == {json.loads(body)["event_id"]: 1 for body in mendable}
    newest = (await system.ask("/received?id=01K00000000000000000000007"))["newest"]
    assert newest["record"][f"_{TENANT}"]["customerio"]["recipient"] == "p7@example.com"
    assert await stay_dead(system) == {odd, late}
    row = await system.settled()
    assert (row.delivered, row.dead) == (30, 2)
    trail = await system.sluice("audit", "--json")
    assert [(entry["what"], entry["about"].get("recipe")) for entry in trail.json] == [
        ("dead-letters.replay", "recipients@1"), ("recipes.save", "recipients"),
    ]  # fmt: skip


@pytest.mark.crash
async def test_each_letter_is_mended_and_put_once_whoever_is_killed(system: System) -> None:
    mendable = good(600)
    odd = [event(1_000 + at, {"phone": "1"}) for at in range(60)]
    mixed = [body for at in range(60) for body in (*mendable[at * 10 : at * 10 + 10], odd[at])]
    await die(system, *mixed)
    await saved(system, "recipients", RECIPE.replace("rate: 400", "rate: 150"))
    [worker] = system.workers
    answered = await system.sluice("recipes", "run", "recipients", "--detach", "--json")
    assert answered.code == 0, answered.err

    flying = 0
    for put in (100, 300):
        await until_run(system, lambda run, put=put: run.put >= put)  # type: ignore[misc]  # bound now
        # Nothing moves while we look at what is in flight, and will be sent again at worst.
        worker.send(signal.SIGSTOP)
        flying += (await until_run(system, lambda run: True)).in_flight
        worker.kill()
        worker.start()
    run = await until_run(system, lambda run: run.state is RunState.FINISHED)

    assert (run.frozen, run.put, run.kept, run.gone) == (660, 600, 60, 0)
    assert (run.delivered, run.dead) == (600, 0)
    row = await system.settled()
    assert (row.delivered, row.dead) == (600, 60)
    arrived = await system.arrived()
    assert arrived.keys() == {json.loads(body)["event_id"] for body in mendable}
    assert sum(arrived.values()) - 600 <= flying
    assert await stay_dead(system) == set(odd)


async def test_a_recipe_for_another_mapping_version_is_refused(system: System) -> None:
    await die(system, *good(2))
    await saved(system, "wanted", f"mapping: customerio-default@99\n{RECIPE}")

    for words in (("dry-run", "wanted"), ("run", "wanted", "--yes")):
        answered = await system.sluice("recipes", *words)
        assert answered.code == 1, answered.out
        assert "example is mapped with customerio-default@" in answered.err
        assert "wants customerio-default@99" in answered.err
    assert (await system.row()).dead == 2
    async with system.store() as store:
        [run] = await ReplayRuns(store).newest(5)
    assert (run.state, run.reason, run.put) == (RunState.CANCELLED, "it was refused", 0)
