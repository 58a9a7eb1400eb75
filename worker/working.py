"""A worker at work: its tasks, from the first to the last batch in hand."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

import structlog
from aiohttp import web

from app.settings import Settings
from app.store.dead_letters.upkeep import Upkeep
from app.store.signs_of_life import SignOfLife
from worker.bells import Bells
from worker.composing import Parts
from worker.dead_keeper import DeadKeeper
from worker.ending import end
from worker.health import serve
from worker.metrics import Metrics
from worker.watch import GAVE_UP, LoopWatch, Watch

log = structlog.get_logger()


async def work(settings: Settings, parts: Parts, stop: asyncio.Event) -> int:
    """Works until `stop`: 0; or until it gave up on itself: GAVE_UP."""
    bells = Bells(parts.redis, parts.lines.answer, max_jobs=parts.lines.bells_at_once)
    parts.taking_up.widen = bells.widen
    watch = Watch(parts.batches, bells, parts.desk, parts.metrics)
    loop_watch = LoopWatch()
    async with _face(settings, parts.metrics, loop_watch):
        loop_watch.start()
        starting = _started(
            watch=watch.run(),
            lines=parts.lines.run(),
            replays=parts.replaying.run(),
            taking_up=parts.taking_up.run(),
        )
        tasks = [*starting, *_standing_by(settings, parts, bells, loop_watch)]
        _quiet_gc()
        log.info("worker.started", owner=parts.batches.owner)
        broken = await _until_end(tasks, stop, watch.gave_up)
        log.info("worker.stopping", in_hand=parts.desk.in_hand)
        # The leases are kept until the last batch is out of hand.
        await end(starting)
        grace = settings.worker_grace_seconds
        await asyncio.gather(bells.stop(grace), parts.lines.stop(grace))
        await parts.desk.all_returned()
        await end(tasks)
        loop_watch.stop()
    log.info("worker.stopped")
    return GAVE_UP if broken or watch.gave_up.is_set() else 0


def _standing_by(
    settings: Settings, parts: Parts, bells: Bells, loop_watch: LoopWatch
) -> list[asyncio.Task[None]]:
    """What goes on until nothing is in hand."""
    redis, owner = parts.redis, parts.batches.owner
    upkeep = Upkeep(redis, owner, settings.dead_letters_max_bytes)
    return _started(
        leases=parts.desk.keep_leases(),
        loop=loop_watch.turn(),
        versions=parts.version_watch.run(),
        bells=bells.run(),
        dead_keeper=DeadKeeper(upkeep, parts.metrics).run(),
        sign_of_life=SignOfLife(redis, "worker", owner).run(),
        inlets=parts.inlets.run(),
    )


def _started(**runs: Coroutine[Any, Any, None]) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(run, name=name) for name, run in runs.items()]


def _quiet_gc() -> None:
    """A batch's five hundred parsed events die young and in no cycle: collections that look at
    them while they live cost a sixth of the work (measured: 2.8 instead of 4.1 µs to parse one)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)


async def _until_end(tasks: Sequence[asyncio.Task[None]], *events: asyncio.Event) -> bool:
    """Waits for an event. True: a task of ours ended first, and we must not go on without it."""
    ends = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait([*tasks, *ends], return_when=asyncio.FIRST_COMPLETED)
    await end(ends)
    broken = [task for task in tasks if task.done()]
    for task in broken:
        log.critical("worker.task_ended", task=task.get_name(), error=repr(task.exception()))
    return bool(broken)


@contextlib.asynccontextmanager
async def _face(
    settings: Settings, metrics: Metrics, loop_watch: LoopWatch
) -> AsyncIterator[web.AppRunner | None]:
    if not settings.worker_metrics_port:
        yield None
        return
    runner = await serve(
        settings.worker_metrics_host,
        settings.worker_metrics_port,
        metrics.registry,
        lambda: loop_watch.seconds_since_turn() < 15,
    )
    try:
        yield runner
    finally:
        await runner.cleanup()
