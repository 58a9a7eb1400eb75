"""What design.md section 7 says of arq 0.28, checked: an upgrade that changes it must be noticed.

None of it can lose an event, since arq carries batch ids only; but our shell leans on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix
from arq.worker import Retry, Worker, func

from app.store import keys
from tests.conftest import RedisServer


def worker_of(store: ArqRedis, *functions: Any, **options: Any) -> Worker:
    return Worker(
        functions=list(functions),
        redis_pool=store,
        queue_name=keys.ARQ_QUEUE,
        handle_signals=False,
        burst=True,
        poll_delay=0.01,
        keep_result=0,
        job_serializer=store.job_serializer,
        job_deserializer=store.job_deserializer,
        **options,
    )


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  # arq has no event for it
            await asyncio.sleep(0.005)


async def queued(store: ArqRedis) -> int:
    return int(await store.zcard(keys.ARQ_QUEUE))


async def test_any_exception_but_retry_deletes_the_job(store: ArqRedis) -> None:
    runs: list[str] = []

    async def fails(ctx: dict[Any, Any]) -> None:
        runs.append("fails")
        raise ValueError

    async def retries(ctx: dict[Any, Any]) -> None:
        runs.append("retries")
        if runs.count("retries") < 3:
            raise Retry

    await store.enqueue_job("fails")
    await store.enqueue_job("retries")
    await worker_of(store, func(fails, name="fails"), func(retries, name="retries")).async_run()
    assert (runs.count("fails"), runs.count("retries"), await queued(store)) == (1, 3, 0)


async def test_an_unknown_function_and_an_undecodable_payload_delete_the_job(
    store: ArqRedis,
) -> None:
    async def known(ctx: dict[Any, Any]) -> None: ...

    await store.enqueue_job("of_a_newer_release", _job_id="newer")
    await store.enqueue_job("known", _job_id="broken")
    await store.set(job_key_prefix + "broken", b"\xffnonsense", px=60_000)
    await worker_of(store, func(known, name="known")).async_run()
    assert await queued(store) == 0
    assert not await store.exists(job_key_prefix + "newer", job_key_prefix + "broken")


async def test_past_max_tries_the_function_is_not_even_called(store: ArqRedis) -> None:
    runs: list[int] = []

    async def retries(ctx: dict[Any, Any]) -> None:
        runs.append(ctx["job_try"])
        raise Retry

    await store.enqueue_job("retries")
    await worker_of(store, func(retries, name="retries"), max_tries=2).async_run()
    assert (runs, await queued(store)) == ([1, 2], 0)


async def test_a_job_time_out_deletes_the_job(store: ArqRedis) -> None:
    async def hangs(ctx: dict[Any, Any]) -> None:
        await asyncio.Event().wait()

    await store.enqueue_job("hangs")
    await worker_of(store, func(hangs, name="hangs", timeout=0.05)).async_run()
    assert await queued(store) == 0


async def test_an_id_that_is_queued_cannot_be_enqueued_again(store: ArqRedis) -> None:
    assert await store.enqueue_job("work", _job_id="same")
    assert await store.enqueue_job("work", _job_id="same") is None
    assert await queued(store) == 1


async def test_a_job_in_progress_elsewhere_is_passed_over_and_stays_queued(
    store: ArqRedis,
) -> None:
    """As a killed worker leaves it: hence every ringing has a job id of its own."""
    runs: list[str] = []

    async def work(ctx: dict[Any, Any], name: str) -> None:
        runs.append(name)

    await store.enqueue_job("work", "old", _job_id="batch@1")
    await store.set(in_progress_key_prefix + "batch@1", b"1", px=60_000)
    await store.enqueue_job("work", "again", _job_id="batch@2")
    worker = worker_of(store, func(work, name="work"))
    running = asyncio.create_task(worker.async_run())
    await until(lambda: bool(runs))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert runs == ["again"]


async def test_cancelling_a_worker_leaves_its_job_queued(store: ArqRedis) -> None:
    started = asyncio.Event()

    async def hangs(ctx: dict[Any, Any]) -> None:
        started.set()
        await asyncio.Event().wait()

    await store.enqueue_job("hangs")
    worker = worker_of(store, func(hangs, name="hangs"))
    running = asyncio.create_task(worker.async_run())
    await started.wait()
    for task in worker.tasks.values():
        task.cancel()
    await asyncio.gather(*worker.tasks.values(), return_exceptions=True)
    assert await queued(store) == 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_lost_connection_ends_the_worker(
    own_redis: RedisServer, own_store: ArqRedis
) -> None:
    """Bells.run is there because of this."""

    async def work(ctx: dict[Any, Any]) -> None: ...

    worker = worker_of(own_store, func(work, name="work"))
    worker.burst = False
    running = asyncio.create_task(worker.async_run())
    await own_store.ping()
    own_redis.kill()
    with pytest.raises(Exception, match=r"onnect|refused|closed"):
        await asyncio.wait_for(running, 20)


async def test_a_full_server_leaves_the_worker_idle_and_silent(
    own_redis: RedisServer, own_store: ArqRedis
) -> None:
    """Watch.pulse is there because of this: arq takes the refusal for "started elsewhere"."""
    runs: list[int] = []

    async def work(ctx: dict[Any, Any]) -> None:
        runs.append(1)

    worker = worker_of(own_store, func(work, name="work"))
    worker.burst = False
    running = asyncio.create_task(worker.async_run())
    # Once an hour it writes its health key, which does raise: let that be over.
    await until(lambda: worker._last_health_check_log is not None)
    await own_store.enqueue_job("work", _defer_by=1)
    await own_store.config_set("maxmemory", 1)
    await asyncio.sleep(1.3)  # some thirty polls: nothing happens, which nothing can tell us
    assert not running.done()
    assert runs == []
    await own_store.config_set("maxmemory", 0)
    await until(lambda: bool(runs))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
