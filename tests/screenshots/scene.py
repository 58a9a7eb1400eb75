"""A morning at Sluice: events come, some die of three causes or so, somebody is at work on them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from app.core.dead_letter import Edit
from app.core.replay_run import Orders
from app.sandbox.traffic import Shot, ShotKind, generate
from app.store.audit import Audit
from app.store.connect import Store
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.groups import GroupFilter, Groups, State
from app.store.lanes import Lanes
from app.store.recipes import Recipes
from app.store.replay_runs import ReplayRuns
from app.store.users import Role, Users
from tests.e2e.process import free_port
from tests.e2e.system import System, running

NAME, PASSWORD = "ada", "correct horse battery"

RECIPE = """\
about: Recipients that came as objects
selection: {connection: example, class: schema}
steps:
  - rename: /data/recipient/address
    to: /data/address
  - drop: /data/recipient
  - rename: /data/address
    to: /data/recipient
  - map_value: /data/link_type
    values: {Link: link}
    optional: true
rate: 200
stop: {at: 0.1, least: 50}
"""


@asynccontextmanager
async def morning(folder: Path) -> AsyncIterator[tuple[System, str]]:
    """A running system in which it is so, with events still coming; the console's address."""
    async with running(folder) as system:
        url = f"http://127.0.0.1:{free_port()}"
        port = url.rpartition(":")[2]
        console = system.process(
            "console", "-m", "app", "serve-console", "--port", port, SLUICE_CONSOLE_PORT=port
        )
        async with system.store() as store:
            await _people(store)
            console.start()
            try:
                await console.logged("console.listening")
                await _deaths(system)
                await _work(store)
                task = asyncio.create_task(_trickle(system))
                yield system, url
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            finally:
                console.kill()


async def _people(store: Store) -> None:
    users = Users(store)
    for name, role in ((NAME, Role.ADMIN), ("bert", Role.OPERATOR), ("carol", Role.VIEWER)):
        await users.add(name, role, PASSWORD)


def _shots(bodies: Iterator[bytes]) -> list[Shot]:
    return [Shot(ShotKind.EVENT, at, body) for at, body in enumerate(bodies)]


async def _deaths(system: System) -> None:
    await system.send(_shots(generate(1, 3_000)))
    await system.send(_shots(generate(7, 400)), "raw")
    await system.fault(partial=0.05, partial_status=400)
    await system.send(_shots(generate(2, 1_500)))
    await system.settled()
    await system.recover()
    await system.send(_shots(_changed(3, 180, _recipient)))
    await system.send(_shots(_changed(4, 40, _yesterday)))
    await system.send(_shots(iter([b"{", b'"text"', b'{"event_id": "x"}'])))
    await system.settled()


def _changed(seed: int, count: int, change: Any) -> Iterator[bytes]:
    for body in generate(seed, count):
        document = orjson.loads(body)
        change(document)
        yield orjson.dumps(document)


def _recipient(document: dict[str, Any]) -> None:
    data = document["data"]
    data["recipient"] = {"address": data.get("recipient", "grace@example.com")}


def _yesterday(document: dict[str, Any]) -> None:
    document["timestamp"] = "yesterday"


async def _work(store: Store) -> None:
    """What people did about it."""
    groups, now_ms = Groups(store), time.time_ns() // 1_000_000
    found, _ = await groups.page(GroupFilter())
    await groups.note(
        found[0].fingerprint, "Not an event at all: asked the sender.", "bert", now_ms
    )
    await groups.mark(found[0].fingerprint, State.KNOWN, "bert", now_ms)
    await groups.mark(found[-1].fingerprint, State.RESOLVED, NAME, now_ms)
    await Audit(store).record("bert", "dead-letters.known", on=found[0].fingerprint)
    await Recipes(store).save("recipients", RECIPE, "bert")
    letter = await _of_class(store, "schema")
    patch = b'[{"op":"replace","path":"/data/recipient","value":"grace@example.com"}]'
    await DeadLetters(store).edit(letter, Edit("bert", now_ms, patch))
    runs = ReplayRuns(store)
    for wanted, orders in (
        (Filter(failure="contract", kind="email.sent"), Orders(rate=2_000)),
        (Filter(failure="schema"), Orders(rate=5, stop_at=1)),
        (Filter(connection="example"), Orders()),
    ):
        run = await runs.begin(wanted, orders, "bert")
        census = await runs.freeze(run, wanted)
        if not census or not census.letters:
            await runs.cancel(run.number, "nothing was selected")
        elif orders != Orders():
            await runs.start(run.number)
    await Lanes(store).pause("guarded", "operator:Platform's maintenance", 3_600, by_operator=True)


async def _of_class(store: Store, failure: str) -> int:
    async for letter in DeadLetters(store).find(Filter(failure=failure)):
        return letter.number
    return 0


async def _trickle(system: System) -> None:
    seed = 100
    while True:
        seed += 1
        await system.send(_shots(generate(seed, 60)))
        await asyncio.sleep(0.3)
