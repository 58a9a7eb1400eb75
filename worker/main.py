"""Composition root of the worker: everything is made here, joined, started and stopped."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import structlog
import uvloop
from aiohttp import web

from app import logs
from app.core.errors import ConfigError, StoreUnavailable
from app.settings import Connection, Settings, environment, load_all
from app.settings.watching import ConfigWatch
from app.store.batches import Batches
from app.store.budgets import Budgets
from app.store.claims import Claims
from app.store.connect import Store, open_store, require_safe
from app.store.dead_letters.upkeep import Upkeep
from app.store.inlets import InletSign
from app.store.lanes import Lanes
from app.store.replay_runs import ReplayRuns
from app.store.replay_steps import ReplaySteps
from app.store.samples import Samples
from app.store.signs_of_life import SignOfLife
from app.store.waiting import Waiting
from worker.archive import ArchiveBounds, ArchiveFinder, ArchiveWriter
from worker.bells import Bells
from worker.dead_keeper import DeadKeeper
from worker.desk import Desk
from worker.ending import end
from worker.health import serve
from worker.lines import Lines
from worker.mending import Mender
from worker.metrics import Metrics
from worker.pipeline import Pipeline, RetryPolicy
from worker.reconcile import Reconcilers
from worker.replaying import Bounds, Replaying
from worker.routes import open_routes
from worker.sampling import Sampler
from worker.taking_up import TakingUp
from worker.version_watch import VersionWatch
from worker.versions import load_versions
from worker.watch import GAVE_UP, LoopWatch, Watch

log = structlog.get_logger()

DAY_MS = 86_400_000


def main() -> int:
    """`python -m worker`. Exit codes: 0 stopped, 2 wrong configuration, 70 gave up on itself."""
    try:
        environ = environment()
        settings, connections = load_all(environ)
        logs.set_up(settings.log_format, settings.log_level, role="worker")
        return uvloop.run(run(settings, connections, environ))
    except ConfigError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        return 2


async def run(
    settings: Settings, connections: Mapping[str, Connection], environ: Mapping[str, str]
) -> int:
    """Works until SIGTERM or SIGINT; SIGHUP: looks at the configuration. Raises ConfigError."""
    stop, hung_up = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hung_up.set)
    owner = f"{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}"
    redis = open_store(
        settings.redis,
        connections=settings.worker_max_jobs * 4 + 8,
        data_dir=settings.data_dir,
    )
    metrics = Metrics()
    versions = load_versions(connections)
    try:
        if not await _redis_is_safe(redis, stop, settings.redis_wait_replicas):
            return 0
        batches = Batches(
            redis,
            owner,
            lease_ms=int(settings.worker_lease_seconds * 1000),
            trace_ms=int(settings.trace_days * DAY_MS),
        )
        claims = Claims(redis, int(settings.claim_window_days * DAY_MS))
        policy = RetryPolicy(
            settings.retry_base_seconds,
            settings.retry_cap_seconds,
            settings.retry_max_age_days * 86_400,
        )
        folder = settings.data_dir / "archive"
        async with (
            _sampler(settings, redis, metrics) as sampler,
            _archive(settings, folder, owner, metrics) as archive,
            open_routes(connections, versions, Lanes(redis), Budgets(redis), metrics) as routes,
        ):
            by_name = routes.by_name
            pipeline = Pipeline(
                by_name, batches, claims, metrics, policy, sampler=sampler, archive=archive
            )
            desk = Desk(batches, pipeline, metrics)
            lines = Lines(desk, Waiting(redis), routes.lanes, settings.worker_max_jobs)
            version_watch = VersionWatch(connections, by_name, metrics)
            replaying = _replaying(settings, redis, batches, metrics, Mender(by_name))
            reconcilers = Reconcilers(redis, owner, metrics, ArchiveFinder(folder))
            watch = ConfigWatch(settings.folders, environ, connections)
            taking_up = TakingUp(watch, routes, lines, version_watch, reconcilers, metrics, hung_up)
            inlets = InletSign(redis, owner, lambda: _inlets(watch.running))
            await reconcilers.put(connections)
            try:
                return await _work(
                    settings, redis, batches, desk, lines, version_watch, taking_up, replaying,
                    inlets, metrics, stop,
                )  # fmt: skip
            finally:
                await reconcilers.close()
    finally:
        await redis.aclose(close_connection_pool=True)


async def _work(
    settings: Settings,
    redis: Store,
    batches: Batches,
    desk: Desk,
    lines: Lines,
    version_watch: VersionWatch,
    taking_up: TakingUp,
    replaying: Replaying,
    inlets: InletSign,
    metrics: Metrics,
    stop: asyncio.Event,
) -> int:
    bells = Bells(redis, lines.answer, max_jobs=lines.bells_at_once)
    taking_up.widen = bells.widen
    watch = Watch(batches, bells, desk, metrics)
    loop_watch = LoopWatch()
    keeper = DeadKeeper(
        Upkeep(redis, batches.owner, settings.dead_letters_max_bytes),
        metrics,
    )
    async with _face(settings, metrics, loop_watch):
        loop_watch.start()
        starting = [
            asyncio.create_task(watch.run(), name="watch"),
            asyncio.create_task(lines.run(), name="lines"),
            asyncio.create_task(replaying.run(), name="replays"),
            asyncio.create_task(taking_up.run(), name="taking_up"),
        ]
        tasks = [
            *starting,
            asyncio.create_task(desk.keep_leases(), name="leases"),
            asyncio.create_task(loop_watch.turn(), name="loop"),
            asyncio.create_task(version_watch.run(), name="versions"),
            asyncio.create_task(bells.run(), name="bells"),
            asyncio.create_task(keeper.run(), name="dead_keeper"),
            asyncio.create_task(
                SignOfLife(redis, "worker", batches.owner).run(), name="sign_of_life"
            ),
            asyncio.create_task(inlets.run(), name="inlets"),
        ]
        _quiet_gc()
        log.info("worker.started", owner=batches.owner)
        broken = await _until_end(tasks, stop, watch.gave_up)
        log.info("worker.stopping", in_hand=desk.in_hand)
        # The leases are kept until the last batch is out of hand.
        await end(starting)
        await asyncio.gather(
            bells.stop(settings.worker_grace_seconds), lines.stop(settings.worker_grace_seconds)
        )
        await desk.all_returned()
        await end(tasks)
        loop_watch.stop()
    log.info("worker.stopped")
    return GAVE_UP if broken or watch.gave_up.is_set() else 0


def _inlets(running: Mapping[str, Connection]) -> dict[str, str]:
    return {name: each.platform.inlet.inlet_id for name, each in running.items()}


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


async def _redis_is_safe(redis: Store, stop: asyncio.Event, wait_replicas: int) -> bool:
    """Waits for Redis; False when told to stop meanwhile. Raises ConfigError."""
    waiting = ""
    while not stop.is_set():
        try:
            for warning in await require_safe(redis, wait_replicas):
                log.warning("store.weak", reason=warning)
            return True
        except StoreUnavailable as fault:
            if fault.reason != waiting:
                log.warning("store.unavailable", reason=fault.reason, detail=str(fault))
                waiting = fault.reason
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)
    return False


def _replaying(
    settings: Settings, redis: Store, batches: Batches, metrics: Metrics, mender: Mender
) -> Replaying:
    bounds = Bounds(settings.backlog_max_events, settings.memory_share)
    steps = ReplaySteps(redis, batches.owner)
    return Replaying(steps, ReplayRuns(redis), Lanes(redis), batches, bounds, metrics, mender)


@contextlib.asynccontextmanager
async def _sampler(
    settings: Settings, redis: Store, metrics: Metrics
) -> AsyncIterator[Sampler | None]:
    if not settings.sample_events:
        yield None
        return
    keep_ms = int(settings.sample_hours * 3_600_000)
    sampler = Sampler(Samples(redis, settings.sample_events, keep_ms), metrics)
    try:
        yield sampler
    finally:
        await sampler.close()


@contextlib.asynccontextmanager
async def _archive(
    settings: Settings, folder: Path, owner: str, metrics: Metrics
) -> AsyncIterator[ArchiveWriter | None]:
    if not settings.archive_days:
        yield None
        return
    bounds = ArchiveBounds(settings.archive_days, settings.archive_max_bytes)
    archive = ArchiveWriter(folder, owner, bounds, metrics)
    archive.start()
    try:
        yield archive
    finally:
        await archive.close()


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
