"""An event on which every worker dies: it is found, and pulls no other down with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from app.core.batch import encode_received
from app.sandbox.traffic import generate
from app.store.batches import Batches
from app.store.dead_letters import DeadLetters, Filter
from tests.crash.poisoned_worker import POISON
from tests.e2e.process import Process
from tests.e2e.system import System, event_id_of, running

pytestmark = pytest.mark.crash


@asynccontextmanager
async def restarted(process: Process) -> AsyncIterator[list[int]]:
    """Starts a process whenever it has ended; the codes it ended with."""
    codes: list[int] = []

    async def keep() -> None:
        while True:
            process.start()
            codes.append(await process.ended(120))

    task = asyncio.create_task(keep())
    try:
        yield codes
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        process.kill()


async def committed(system: System, bodies: list[bytes]) -> None:
    """Puts exactly these events into one batch."""
    async with system.store() as store:
        frame = encode_received(bodies, [1_767_225_600_000] * len(bodies))
        await Batches(store).commit("example", frame, len(bodies))


@pytest.mark.timeout(120)
async def test_poison_is_isolated_as_one_dead_letter_and_all_others_are_delivered(
    tmp_path: Path,
) -> None:
    bodies = list(generate(1, 40))
    poison = json.loads(bodies[3])
    poison["data"]["note"] = POISON.decode()
    bodies[3] = json.dumps(poison).encode()
    short = {"SLUICE_WORKER_LEASE_SECONDS": "1"}
    async with running(tmp_path, workers=0, environ=short) as system:
        await committed(system, bodies[:8])
        await committed(system, bodies[8:])
        worker = system.process("poisoned", "-m", "tests.crash.poisoned_worker")
        system.workers.append(worker)

        async with restarted(worker) as codes:
            row = await system.settled(seconds=90)

        assert set(codes) == {9}
        # Three takes of the whole, then one for each halving of eight, and two more alone.
        assert len(codes) <= 10
        assert (row.received, row.delivered, row.dead) == (40, 39, 1)
        async with system.store() as store:
            [letter] = [letter async for letter in DeadLetters(store).find(Filter())]
        assert (letter.failure, letter.code) == ("internal", "poison")
        assert letter.event_id == poison["event_id"]
        assert (await system.arrived()).keys() == {event_id_of(b) for b in bodies} - {
            letter.event_id
        }
