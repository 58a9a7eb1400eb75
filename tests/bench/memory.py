"""memory: bytes of Redis per event that waits, and per id that is remembered."""

from __future__ import annotations

import asyncio
import functools
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from typing import Final

from arq.connections import ArqRedis, RedisSettings, create_pool

from app.sandbox.customerio.ulid import ulid
from app.store.claims import Claims
from app.store.connect import open_store
from tests.bench import corpus
from tests.bench.corpus import Backlog
from tests.bench.figures import Figure
from tests.bench.plan import Plan
from tests.bench.services import CONNECTION, Server, debian_redis, redis_server, valkey_binary
from tests.bench.stage import Stage

# Events a batch -> the share of the events that is enough to measure with.
_BATCHES: Final = {500: 1.0, 100: 0.4, 1: 0.1}
_GOAL_QUEUED: Final = "<= 300"
_GOAL_ID: Final = "<= 24"
# How long a million ids take to come; fewer come as densely.
_SPREADS: Final = {"300_per_s": 3_333_333, "10_days": 864_000_000}
_CLAIM_EVENTS: Final = 500

_SET_EACH: Final = """
for i = 1, #ARGV do redis.call('SET', 'claim:' .. ARGV[i], '1', 'PX', 864000000) end
"""

Fill = Callable[[Server], Awaitable[None]]


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """Figures of Redis' memory; one round, for they do not vary."""
    plan.say(f"memory: making {plan.queued_events:,} events")
    events = corpus.bodies(plan.queued_events)
    figures: list[Figure] = []
    binaries = [valkey_binary()] + ([debian] if (debian := debian_redis()) else [])
    for binary in binaries:
        figures += _queued(stage, plan, binary, events)
        figures += _remembered(stage, plan, binary)
    if len(binaries) == 1:
        plan.say("memory: no redis-server on this machine, so only Valkey is measured")
    return figures


def _queued(stage: Stage, plan: Plan, binary: str, events: list[bytes]) -> list[Figure]:
    some = events[: len(events) // 5]
    per_job, version = _bytes_each(stage, binary, lambda server: _jobs(server, some), len(some))
    figures = []
    for batch, share in _BATCHES.items():
        part = events[: int(len(events) * share)]
        backlog = Backlog(corpus.pack(part, batch), len(part), 0)
        commit = functools.partial(_commit, backlog)
        value, _ = _bytes_each(stage, binary, commit, len(part))
        plan.say(f"memory: {version}, {batch} a batch: {value:.0f} bytes an event")
        name = f"memory.queued_{batch}.{version.split()[0]}"
        goal = _GOAL_QUEUED if batch == 500 else None
        figures.append(Figure(name, value, "bytes", goal, ("arq job each", per_job), (value,)))
    return figures


def _remembered(stage: Stage, plan: Plan, binary: str) -> list[Figure]:
    count = plan.claim_ids
    each, version = _bytes_each(stage, binary, lambda server: _keys(server, count), count)
    figures = []
    for spread, per_million_ms in _SPREADS.items():
        span_ms = per_million_ms * count // 1_000_000
        began = time.monotonic()
        claim = functools.partial(_claims, count, span_ms)
        value, _ = _bytes_each(stage, binary, claim, count)
        seconds = time.monotonic() - began
        plan.say(f"memory: {version}, ids {spread}: {value:.1f} bytes an id ({seconds:.0f} s)")
        name = f"memory.id_{spread}.{version.split()[0]}"
        figures.append(Figure(name, value, "bytes", _GOAL_ID, ("key each", each), (value,)))
    return figures


def _bytes_each(stage: Stage, binary: str, fill: Fill, count: int) -> tuple[float, str]:
    """(bytes of an empty server's memory that `fill` took, per piece; the server's version)."""
    with redis_server(stage, binary, safe=False) as server:
        before = server.memory()
        asyncio.run(_awaited(fill(server)))
        # Buffers of clients that just left go with the server's next round of housekeeping.
        time.sleep(0.3)
        return (server.memory() - before) / count, server.version


async def _awaited(work: Awaitable[None]) -> None:
    await work


async def _commit(backlog: Backlog, server: Server) -> None:
    await backlog.commit(server.url, ring=False)


async def _jobs(server: Server, events: list[bytes]) -> None:
    redis: ArqRedis = await create_pool(RedisSettings.from_dsn(server.url))
    for at in range(0, len(events), 100):
        await asyncio.gather(*(redis.enqueue_job("work", e) for e in events[at : at + 100]))
    await redis.aclose(close_connection_pool=True)


async def _keys(server: Server, count: int) -> None:
    redis = open_store(server.url)
    stream = _ids(count, count * 1000 // 300)
    while part := list(islice(stream, 5_000)):
        await redis.eval(_SET_EACH, 0, *(event_id for event_id, _ in part))  # type: ignore[misc]
    await redis.aclose(close_connection_pool=True)


async def _claims(count: int, span_ms: int, server: Server) -> None:
    redis = open_store(server.url)
    claims = Claims(redis)
    stream = _ids(count, span_ms)
    batch = 1_000_000  # a number of the length that a system in use has reached
    while part := list(islice(stream, _CLAIM_EVENTS)):
        batch += 1
        await claims.claim(CONNECTION, batch, part)
    await redis.aclose(close_connection_pool=True)


def _ids(count: int, span_ms: int) -> Iterator[tuple[str, int]]:
    """`count` ULIDs as a steady stream makes them in `span_ms`, with their events' timestamps."""
    chance = random.Random(4)
    start = int(time.time() * 1000) - span_ms
    for number in range(count):
        moment = start + number * span_ms // count
        yield ulid(moment, chance.getrandbits(80)), moment // 1000
