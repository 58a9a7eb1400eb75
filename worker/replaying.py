"""Works off bulk replays, unattended: one worker per run, at the run's rate, and never in the way.

A run waits while its lane is held back or has no room, while Redis or the backlog is nearly so full
that webhooks would be refused, and while too much of it is still on its way: first of all until as
many are settled as its stop bound needs to judge. Whatever is killed, another look goes on where
the last step ended (app/store/replay_steps.py).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from app.core.errors import StoreUnavailable
from app.core.replay_run import ReplayRun, RunState
from app.store.batches import Pressure
from app.store.lanes import Gate, LaneState
from app.store.replay_runs import ReplayRuns
from app.store.replay_steps import Part, ReplaySteps, Sight, Sorter, Step
from worker.mending import VersionMoved
from worker.metrics import Metrics

log = structlog.get_logger()

# How soon to look again: while nothing can be done; while outcomes are awaited; while letters are
# put as fast as the rate allows.
IDLE_SECONDS: Final = 1.0
SETTLING_SECONDS: Final = 0.25
BUSY_SECONDS: Final = 0.05

# A step is about what the rate allows in so long, within these bounds: taking a letter from the
# indexes costs Redis some 50 µs, and who sends webhooks waits meanwhile.
_STEP_SECONDS: Final = 0.25
_STEP_MOST: Final = 200
# Steps of one run before others get their turn.
_STEPS: Final = 10
# So much of a run may be on its way at a time.
_WINDOW_SECONDS: Final = 10.0
# Replays leave room below the bounds at which the receiver refuses webhooks.
_SHED_SHARE: Final = 0.8
_PRESSURE_SECONDS: Final = 1.0


class LaneStates(Protocol):
    """app.store.lanes.Lanes, as far as replays are concerned."""

    async def state(self, connection: str) -> LaneState: ...


class Mending(Protocol):
    """worker.mending.Mender, as far as the loop is concerned."""

    def held(self, run: ReplayRun, connection: str) -> str: ...
    def sorter(self, run: ReplayRun) -> Sorter | None: ...


class Fullness(Protocol):
    """app.store.batches.Batches, as far as replays are concerned."""

    async def pressure(self) -> Pressure: ...
    async def ring_all(self, batch_ids: list[str]) -> None: ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where the receiver begins to refuse (SLUICE_BACKLOG_MAX_EVENTS, SLUICE_MEMORY_SHARE)."""

    backlog_events: int
    memory_share: float


class Replaying:
    """This worker's share of the runs."""

    def __init__(
        self,
        steps: ReplaySteps,
        runs: ReplayRuns,
        lanes: LaneStates,
        batches: Fullness,
        bounds: Bounds,
        metrics: Metrics,
        mending: Mending,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._steps = steps
        self._runs = runs
        self._lanes = lanes
        self._batches = batches
        self._bounds = bounds
        self._metrics = metrics
        self._mending = mending
        self._clock = clock
        self._sleep = sleep
        # Runs whose lease was ours at the last look.
        self._ours: set[int] = set()
        self._full = ""
        self._full_at = 0.0

    async def run(self) -> None:
        """For ever."""
        while True:
            nap = IDLE_SECONDS
            try:
                nap = await self.look()
            except StoreUnavailable:
                pass  # the watch tells; a run's place is safe
            except Exception:  # a bug of ours, which must not stop the deliveries
                log.exception("replay.look_failed")
            await self._sleep(nap)

    async def look(self) -> float:
        """Looks after every active run; in how many seconds to do so again. Raises
        StoreUnavailable."""
        active = await self._steps.active()
        naps = [await self._turn(number) for number in active]
        for number in self._ours - set(active):
            self._ours.discard(number)
            await self._tell_turned(number)
        self._metrics.replays_running.set(len(self._ours))
        return min(naps, default=IDLE_SECONDS)

    async def _turn(self, number: int) -> float:
        """Some steps of a run, as far as it is ours and may go on."""
        nap = BUSY_SECONDS
        for _ in range(_STEPS):
            look = await self._steps.look(number)
            self._told(look.sight, number, look.run)
            if number not in self._ours or look.run is None:
                return IDLE_SECONDS
            if not look.parts:
                return SETTLING_SECONDS
            go_on, nap = await self._go(look.run, list(look.parts))
            if not go_on:
                break
        return nap

    async def _go(self, run: ReplayRun, parts: list[Part]) -> tuple[bool, float]:
        """One step: whether another may follow at once, else in how many seconds."""
        most = self._room(run)
        if most <= 0:
            await self._hold(run, "waits for what it put on the queue to be settled")
            return False, SETTLING_SECONDS
        part, why = await self._part(run, parts)
        if part is None:
            await self._hold(run, why)
            return False, IDLE_SECONDS
        step = await self._step(run, part, most)
        if step is None:
            return False, IDLE_SECONDS
        if step.moved or step.wait_ms:
            return False, BUSY_SECONDS
        self._metrics.replayed.labels(part.connection, "put").inc(step.put)
        self._metrics.replayed.labels(part.connection, "gone").inc(step.gone)
        self._metrics.replayed.labels(part.connection, "kept").inc(step.kept)
        await self._batches.ring_all(list(step.batch_ids))
        return True, BUSY_SECONDS

    async def _step(self, run: ReplayRun, part: Part, most: int) -> Step | None:
        """None: it could not be done, and the run is paused, or says what it waits for."""
        try:
            sorter = self._mending.sorter(run)
            return await self._steps.step(run, part, most, int(self._clock() * 1000), sorter)
        except StoreUnavailable:
            raise
        except VersionMoved as fault:
            await self._hold(run, str(fault))
        except Exception as fault:  # a letter that nobody can read, a bug: a person must look
            log.exception("replay.stumbled", run=run.number)
            await self._runs.pause(run.number, f"a step failed: {type(fault).__name__}")
        return None

    def _room(self, run: ReplayRun) -> int:
        """How many letters the next step may put."""
        orders = run.orders
        window = orders.stop_least
        if run.settled >= orders.stop_least:
            window = max(window, int(orders.rate * _WINDOW_SECONDS))
        step = min(_STEP_MOST, max(1, int(orders.rate * _STEP_SECONDS)))
        return min(step, window - run.in_flight)

    async def _part(self, run: ReplayRun, parts: list[Part]) -> tuple[Part | None, str]:
        """The first part that may go on; else why none may."""
        if full := await self._over():
            return None, full
        why = ""
        seen: set[str] = set()
        for part in parts:
            if part.connection in seen:
                continue
            seen.add(part.connection)
            reason = self._mending.held(run, part.connection)
            reason = reason or await self._held(part.connection)
            if not reason:
                return part, ""
            why = why or reason
        return None, why

    async def _held(self, connection: str) -> str:
        state = await self._lanes.state(connection)
        # PROBE: nobody has tried since the pause was over, and nobody else may come to.
        if state.gate in (Gate.PAUSED, Gate.PROBING):
            return f"the lane of {connection} is held back ({state.reason})"
        if await self._steps.saturated(connection):
            return f"the lane of {connection} has no room: what came before goes first"
        return ""

    async def _over(self) -> str:
        """What is nearly too full; asked for once a second."""
        now = self._clock()
        if now - self._full_at < _PRESSURE_SECONDS:
            return self._full
        pressure = await self._batches.pressure()
        self._full_at, self._full = now, ""
        limit = pressure.memory_limit * self._bounds.memory_share * _SHED_SHARE
        if limit and pressure.memory_used > limit:
            self._full = "Redis' memory is nearly full"
        elif pressure.backlog_events > self._bounds.backlog_events * _SHED_SHARE:
            self._full = "the backlog is nearly full"
        return self._full

    async def _hold(self, run: ReplayRun, why: str) -> None:
        if run.holding != why:
            await self._steps.hold(run.number, why)

    def _told(self, sight: Sight, number: int, run: ReplayRun | None) -> None:
        """Keeps `_ours`, and says what changed: one line per change of state."""
        if sight is Sight.MINE or sight is Sight.OTHER or sight is Sight.GONE or run is None:
            # Of what a person did, `_tell_turned` tells when it is active no more.
            if sight is Sight.OTHER:
                self._ours.discard(number)
            return
        if sight is Sight.TAKEN:
            self._ours.add(number)
            began = "started" if not run.passed else "went_on"
            log.info(f"replay.{began}", **_told_of(run), rate=run.orders.rate)
            return
        self._ours.discard(number)
        if sight is Sight.STOPPED:
            why = f"more than {run.orders.stop_at:.0%} of what was settled lately died again"
            log.warning("replay.stopped", **_told_of(run), reason=why)
        elif sight is Sight.FINISHED:
            log.info("replay.finished", **_told_of(run))
        else:
            log.warning("replay.abandoned", run=number, reason="whoever froze it went away")

    async def _tell_turned(self, number: int) -> None:
        run = await self._runs.get(number)
        if run is not None and run.state is not RunState.RUNNING:
            log.info(f"replay.{run.state}", **_told_of(run), reason=run.reason)


def _told_of(run: ReplayRun) -> dict[str, int]:
    return {
        "run": run.number,
        "frozen": run.frozen,
        "put": run.put,
        "gone": run.gone,
        "kept": run.kept,
        "delivered": run.delivered,
        "died_again": run.dead,
    }
