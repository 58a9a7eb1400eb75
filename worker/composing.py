"""The parts of a worker, made and joined."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.settings import Connection, Settings
from app.settings.watching import ConfigWatch
from app.store.batches import Batches
from app.store.budgets import Budgets
from app.store.claims import Claims
from app.store.connect import Store
from app.store.inlets import InletSign
from app.store.lanes import Lanes
from app.store.replay_runs import ReplayRuns
from app.store.replay_steps import ReplaySteps
from app.store.samples import Samples
from app.store.waiting import Waiting
from worker.archive import ArchiveBounds, ArchiveFinder, ArchiveWriter
from worker.desk import Desk
from worker.lines import Lines
from worker.mending import Mender
from worker.metrics import Metrics
from worker.pipeline import Pipeline, RetryPolicy
from worker.reconcile import Reconcilers
from worker.replaying import Bounds, Replaying
from worker.route import Version
from worker.routes import open_routes
from worker.sampling import Sampler
from worker.taking_up import TakingUp
from worker.version_watch import VersionWatch

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs while the worker works."""

    redis: Store
    batches: Batches
    desk: Desk
    lines: Lines
    version_watch: VersionWatch
    taking_up: TakingUp
    replaying: Replaying
    inlets: InletSign
    metrics: Metrics


@contextlib.asynccontextmanager
async def composed(
    settings: Settings,
    connections: Mapping[str, Connection],
    versions: Mapping[str, Version],
    environ: Mapping[str, str],
    redis: Store,
    hung_up: asyncio.Event,
) -> AsyncIterator[Parts]:
    """Makes all parts, and closes at the end what has to be. `hung_up`: look at the configuration
    at once."""
    owner = f"{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}"
    metrics = Metrics()
    folder = settings.data_dir / "archive"
    async with (
        _sampler(settings, redis, metrics) as sampler,
        _archive(settings, folder, owner, metrics) as archive,
        open_routes(connections, versions, Lanes(redis), Budgets(redis), metrics) as routes,
    ):
        batches, by_name = _batches(settings, redis, owner), routes.by_name
        claims = Claims(redis, int(settings.claim_window_days * DAY_MS))
        pipeline = Pipeline(
            by_name, batches, claims, metrics, _policy(settings), sampler=sampler, archive=archive
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
            yield Parts(
                redis, batches, desk, lines, version_watch, taking_up, replaying, inlets, metrics
            )
        finally:
            await reconcilers.close()


def _inlets(running: Mapping[str, Connection]) -> dict[str, str]:
    return {name: each.platform.inlet.inlet_id for name, each in running.items()}


def _batches(settings: Settings, redis: Store, owner: str) -> Batches:
    return Batches(
        redis,
        owner,
        lease_ms=int(settings.worker_lease_seconds * 1000),
        trace_ms=int(settings.trace_days * DAY_MS),
    )


def _policy(settings: Settings) -> RetryPolicy:
    return RetryPolicy(
        settings.retry_base_seconds,
        settings.retry_cap_seconds,
        settings.retry_max_age_days * 86_400,
    )


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
