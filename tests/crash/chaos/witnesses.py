"""Gathers what the judge needs: while it happens what the sandbox receives, the rest at the end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

import aiohttp

from app.core.batch import decode
from app.core.dead_letter import DeadLetter
from app.store import keys
from app.store.batches import Batches
from app.store.connect import Store
from app.store.dead_letters import DeadLetters, Filter
from tests.crash.chaos.judge import Evidence
from tests.crash.chaos.oracle import read_log
from tests.crash.chaos.stage import Stage
from tests.e2e.system import INLETS

_LOOK_SECONDS: Final = 1.0
_PAGE: Final = 5_000
_NO_ROW: Final = dict.fromkeys(
    ("received", "duplicates", "tests", "delivered", "dead", "discarded", "in_flight",
     "difference"), 0,
)  # fmt: skip


class Arrivals:
    """Everything that the sandbox received, with the time of each copy. It keeps the records of
    the last minutes only, so they are read as they come."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._last = 0
        # Inlet -> id -> Unix seconds of each copy.
        self.times: dict[str, dict[str, list[float]]] = {}

    async def run(self) -> None:
        while True:
            with suppress(aiohttp.ClientError):
                await self.read()
            await asyncio.sleep(_LOOK_SECONDS)

    async def read(self) -> None:
        """All that came since the last time."""
        while True:
            path = f"/received?after={self._last}&limit={_PAGE}"
            page = await self._stage.system.ask(path)
            for record in page["records"]:
                ids = self.times.setdefault(record["inlet"], {})
                ids.setdefault(record["_id"], []).append(record["received_ms"] / 1000)
            self._last = page["after"] or self._last
            if len(page["records"]) < _PAGE:
                return

    def of(self, connection: str) -> dict[str, list[float]]:
        return self.times.get(INLETS[connection]["id"], {})


async def testimonies(
    stage: Stage, arrivals: Arrivals, ledger: dict[str, Any]
) -> dict[str, Evidence]:
    """By connection, once nothing moves any more. `ledger`: what `sluice ledger --json` says."""
    await arrivals.read()
    facts = read_log(stage.folder / "oracle.log")
    rows = {row["connection"]: row for row in ledger["rows"]}
    found = {}
    for connection in INLETS:
        async with stage.store() as store:
            letters = DeadLetters(store)
            numbers = [x.number async for x in letters.find(Filter(connection=connection))]
            whole: list[DeadLetter] = []
            for start in range(0, len(numbers), 500):
                whole += await letters.get(numbers[start : start + 500])
            waiting = await _waiting(store, connection)
        found[connection] = Evidence(
            facts[connection],
            arrivals.of(connection),
            whole,
            rows.get(connection, _NO_ROW),
            waiting,
        )
    return found


async def _waiting(store: Store, connection: str) -> frozenset[bytes]:
    """Bodies in batches that are still open; none, if all is well."""
    names = [
        str(name) for name, _ in await Batches(store).open_ids() if name.connection == connection
    ]
    frames = [await store.get(keys.BATCH_PREFIX + name) for name in names]
    return frozenset(body for frame in frames if frame for body in decode(frame).bodies)


async def counted_apart(stage: Stage, arrivals: Arrivals) -> list[str]:
    """Problems when what was read as it came is not what the sandbox counted."""
    found = []
    for connection in INLETS:
        counted = await stage.system.arrived(connection)
        read = {name: len(times) for name, times in arrivals.of(connection).items()}
        if counted != read:
            found.append(f"{connection}: the sandbox counted other copies than were read")
    return found
