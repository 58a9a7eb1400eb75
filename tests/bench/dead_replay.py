"""A bulk replay out of all dead letters there are: how fast it is frozen, and put on the queue."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from app.core.replay_run import Orders, ReplayRun
from app.store.connect import Store
from app.store.dead_letters import Filter
from app.store.replay_runs import ReplayRuns
from app.store.replay_steps import ReplaySteps
from tests.bench.figures import Figure
from tests.dead import START_MS

# As a worker takes them (worker/replaying.py).
_STEP = 200


async def replaying(redis: Store, count: int) -> list[Figure]:
    """What a worker does for a run without a bound on its rate; nothing is delivered, so neither
    lanes nor what is on its way hold it back."""
    runs = ReplayRuns(redis)
    wanted = Filter(died_before_ms=START_MS + (count - 1) * 1_000)
    run = await runs.begin(wanted, Orders(rate=100_000.0), "bench")
    frozen, frozen_us = await _measured(redis, lambda: _freeze(runs, run, wanted))
    await runs.start(run.number)
    put, put_us = await _measured(redis, lambda: _put(redis, run.number))
    return [
        Figure(
            "dead.replay_frozen", frozen, "letters/s", None, ("us of Redis' CPU each", frozen_us)
        ),
        Figure("dead.replay_put", put, "events/s", None, ("us of Redis' CPU each", put_us)),
    ]


async def _freeze(runs: ReplayRuns, run: ReplayRun, wanted: Filter) -> int:
    census = await runs.freeze(run, wanted)
    return census.letters if census else 0


async def _put(redis: Store, number: int) -> int:
    steps, done = ReplaySteps(redis, "bench"), 0
    while (look := await steps.look(number)).run is not None and look.parts:
        step = await steps.step(look.run, look.parts[0], _STEP, int(time.time() * 1000))
        done += step.put
    return done


async def _measured(redis: Store, do: Callable[[], Awaitable[int]]) -> tuple[float, float]:
    """(a second, microseconds of Redis' CPU each) of what `do` did."""
    cpu, began = await _cpu(redis), time.monotonic()
    done = await do()
    took = time.monotonic() - began
    return done / took, (await _cpu(redis) - cpu) / max(1, done) * 1e6


async def _cpu(redis: Store) -> float:
    found = await redis.info("cpu")
    return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])
