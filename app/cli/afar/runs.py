"""Bulk replays of a console elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from app.cli.afar.client import Client
from app.core.errors import ConsoleRefused
from app.core.replay_run import Orders, ReplayRun, RunState
from app.operations.wire import filter_document, run_of
from app.store.dead_letters import Filter

_MOST: Final = 1_000
_LOOK_SECONDS: Final = 0.5
_TURNS: Final = {
    RunState.PAUSED: "pause",
    RunState.RUNNING: "resume",
    RunState.CANCELLED: "cancel",
}


@dataclass(slots=True)
class AfarRuns:
    """app.operations.face.Runs."""

    client: Client

    async def newest(self, limit: int) -> list[ReplayRun]:
        if limit > _MOST:
            raise ConsoleRefused(f"from afar, --limit is at most {_MOST:,}")
        answer = await self.client.get("/replays", limit=limit)
        return [run_of(each) for each in answer["replays"]]

    async def get(self, number: int) -> ReplayRun | None:
        found = await self.client.find(f"/replays/{number}")
        return None if found is None else run_of(found)

    async def freeze(
        self,
        wanted: Filter,
        orders: Orders,
        recipe: tuple[str, str] | None,
        told: Callable[[int], None],
    ) -> ReplayRun:
        asked: dict[str, Any] = {"wanted": filter_document(wanted), **asdict(orders)}
        if recipe is not None:
            asked["recipe"] = recipe[0]
        run = run_of(await self.client.post("/replays", asked))
        while run.state is RunState.FREEZING:
            told(run.frozen)
            await asyncio.sleep(_LOOK_SECONDS)
            run = await self.get(run.number) or run
        return run

    async def start(self, run: ReplayRun) -> RunState | None:
        answer = await self.client.post(f"/replays/{run.number}/start", {"expected": run.frozen})
        return RunState(answer["was"])

    async def turn(
        self, number: int, then: RunState, reason: str = "", rate: float | None = None
    ) -> RunState | None:
        asked: dict[str, Any] = {"reason": reason} | ({} if rate is None else {"rate": rate})
        # Whether there is such a run: a refusal would say no more.
        if await self.get(number) is None:
            return None
        answer = await self.client.post(f"/replays/{number}/{_TURNS[then]}", asked)
        return RunState(answer["was"]) if answer["was"] else None

    async def drop(self, number: int, why: str) -> None:
        await self.client.post(f"/replays/{number}/cancel", {"reason": why})
