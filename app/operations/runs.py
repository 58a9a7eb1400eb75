"""Bulk replays in the Redis beside us."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from app.core.replay_run import Orders, ReplayRun, RunState
from app.operations.actor import Actor
from app.store.dead_letters import Filter
from app.store.replay_runs import ReplayRuns
from app.store.scripting import Store


@dataclass(slots=True)
class HereRuns:
    """app.operations.face.Runs."""

    redis: Store
    actor: Actor
    _runs: ReplayRuns = field(init=False)

    def __post_init__(self) -> None:
        self._runs = ReplayRuns(self.redis)

    async def newest(self, limit: int) -> list[ReplayRun]:
        return await self._runs.newest(limit)

    async def get(self, number: int) -> ReplayRun | None:
        return await self._runs.get(number)

    async def freeze(
        self,
        wanted: Filter,
        orders: Orders,
        recipe: tuple[str, str] | None,
        told: Callable[[int], None],
    ) -> ReplayRun:
        run = await self.begin(wanted, orders, recipe)
        await self.select(run, wanted, told)
        return await self._runs.get(run.number) or run

    async def begin(
        self, wanted: Filter, orders: Orders, recipe: tuple[str, str] | None
    ) -> ReplayRun:
        """A new run; `select` must follow soon."""
        return await self._runs.begin(wanted, orders, self.actor.name, recipe)

    async def select(
        self, run: ReplayRun, wanted: Filter, told: Callable[[int], None] = lambda _: None
    ) -> None:
        """Writes its selection; cancels it when that is empty."""
        census = await self._runs.freeze(run, wanted, told)
        if census is not None and not census.letters:
            await self._runs.cancel(run.number, "nothing was selected")

    async def start(self, run: ReplayRun) -> RunState | None:
        recipe = {"recipe": run.recipe} if run.recipe else {}
        await self.actor.note(
            self.redis, "dead-letters.replay", run=run.number, letters=run.frozen, **recipe
        )
        return await self._runs.start(run.number)

    async def turn(
        self, number: int, then: RunState, reason: str = "", rate: float | None = None
    ) -> RunState | None:
        run = await self._runs.get(number)
        if run is None or not ReplayRuns.may(run.state, then):
            return run.state if run else None
        why = {"reason": reason} if reason else {}
        await self.actor.note(self.redis, f"replays.{then}", run=number, **why)
        told = f"{then} by {self.actor.name}" + (f": {reason}" if reason else "")
        match then:
            case RunState.PAUSED:
                return await self._runs.pause(number, told)
            case RunState.RUNNING:
                return await self._runs.start(number, rate)
            case RunState.CANCELLED:
                return await self._runs.cancel(number, told)
        raise ValueError(f"nobody turns a run to {then}")

    async def drop(self, number: int, why: str) -> None:
        await self._runs.cancel(number, why)
