"""The keeper: announces what it does, says a trouble once, and ends for none."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from app.core.errors import StoreUnavailable
from app.sandbox.traffic import generate
from app.store import keys
from app.store.connect import Store
from app.store.dead_letters.spilling import SpillReport
from app.store.dead_letters.upkeep import Upkeep
from tests.dead import bury, letter_of
from worker.dead_keeper import DeadKeeper
from worker.metrics import Metrics


class Scripted:
    """Answers of the store, turn by turn; what raises is raised."""

    def __init__(self, turns: list[SpillReport | Exception | None]) -> None:
        self.turns = turns

    async def lease(self) -> bool:
        return True

    async def adopt(self) -> dict[str, int]:
        return {}

    async def tidy(self) -> list[str]:
        return []

    async def forget(self, now_ms: int) -> int:
        return 0

    async def spill(self) -> SpillReport | None:
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        return turn


async def run(upkeep: Scripted | Upkeep, turns: int, metrics: Metrics) -> list[str]:
    """The names of what the log says in so many turns."""

    async def sleep(_: float) -> None:
        nonlocal turns
        turns -= 1
        if turns == 0:
            raise asyncio.CancelledError

    structlog.reset_defaults()
    with capture_logs() as said, pytest.raises(asyncio.CancelledError):
        await DeadKeeper(upkeep, metrics, sleep=sleep).run()
    return [line["event"] for line in said]


async def test_a_trouble_is_told_when_it_begins_and_when_it_ends() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    away, bug = StoreUnavailable("away"), ValueError("a fault of ours")
    metrics = Metrics()
    said = await run(Scripted([full, full, away, bug, SpillReport("f", 7, 1), None]), 5, metrics)
    assert said == [
        "dead_letters.cannot_spill",
        "dead_letters.upkeep_failed",
        "dead_letters.spilled",
        "dead_letters.can_spill_again",
    ]
    spilled = metrics.registry.get_sample_value("sluice_worker_dead_letters_spilled_total")
    assert spilled == 7


async def test_above_the_budget_it_spills_and_says_so(store: Store, tmp_path: Path) -> None:
    store.data_dir = tmp_path
    await bury(store, [letter_of(body, at) for at, body in enumerate(generate(1, 50))])
    used = int(await store.get(keys.DEAD_BYTES) or 0)

    said = await run(Upkeep(store, "w1", used - 1), 2, Metrics())
    assert said == ["dead_letters.spilled"]
    assert int(await store.get(keys.DEAD_BYTES) or 0) < used
    assert await run(Upkeep(store, "w2", 1), 1, Metrics()) == []
