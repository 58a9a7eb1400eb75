"""`python -m tests.bench.programs.plain_arq REDIS_URL FRAMES EVENTS MAX_JOBS`: one job per event.

What one would write first: the receiver enqueues the body, the job parses and maps it. Nothing is
delivered. As many events as asked for are enqueued, then arq's own worker drains them; prints the
rate between the first job's start and the last one's end.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, cast

import uvloop
from arq import create_pool
from arq.connections import ArqRedis, RedisSettings
from arq.worker import Worker, func

from app.core.batch import decode
from app.core.event import parse_event
from tests.bench.corpus import read_frames
from tests.bench.programs.mapping import compiled

# Jobs enqueued side by side.
_AT_ONCE = 100


async def fill(redis: ArqRedis, frames: Path, events: int) -> None:
    """Enqueues the first `events` bodies."""
    bodies: list[bytes] = []
    for frame in read_frames(frames):
        bodies += decode(frame).bodies
        if len(bodies) >= events:
            break
    for at in range(0, events, _AT_ONCE):
        part = bodies[at : min(at + _AT_ONCE, events)]
        await asyncio.gather(*(redis.enqueue_job("work", body) for body in part))


async def drain(redis: ArqRedis, events: int, max_jobs: int) -> float:
    """Jobs per second."""
    transform = compiled()[0].transform
    times: list[float] = []

    async def work(_ctx: dict[Any, Any], body: bytes) -> None:
        if not times:
            times.append(time.perf_counter())
        transform(parse_event(body).document)
        times.append(time.perf_counter())

    worker = Worker(
        functions=[func(cast(Any, work), name="work", keep_result=0)],
        redis_pool=redis,
        burst=True,
        handle_signals=False,
        max_jobs=max_jobs,
        poll_delay=0.01,
        keep_result=0,
        log_results=False,
    )
    await worker.async_run()
    if len(times) != events + 1:
        raise RuntimeError(f"{len(times) - 1} of {events} jobs ran")
    return events / (times[-1] - times[0])


async def run(url: str, frames: str, events: str, max_jobs: str) -> None:
    redis = await create_pool(RedisSettings.from_dsn(url))
    await fill(redis, Path(frames), int(events))
    print(json.dumps({"rate": await drain(redis, int(events), int(max_jobs))}))
    await redis.aclose()


if __name__ == "__main__":
    uvloop.run(run(*sys.argv[1:]))
