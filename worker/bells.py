"""The arq shell: hears bells, and stays alive whatever arq or Redis do.

What arq does to a job can lose nothing (design.md section 7): a job is only a list of batch ids,
and the sweep rings again for what was not answered.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import structlog
from arq.connections import ArqRedis
from arq.worker import Worker, func

from app.store.bells import JOB
from worker.ending import end

log = structlog.get_logger()

# The default of half a second would be the larger part of an event's way through Sluice.
POLL_SECONDS: Final = 0.01

# arq re-reads ids that are in progress on every poll, and those of dead workers for as long as
# their in-progress keys live: enough room that they can't hide the rest.
READ_LIMIT: Final = 1_000

# Longer than any batch takes: a time-out of arq's deletes the job and cancels the work.
JOB_SECONDS: Final = 900

_BACK_OFF_MOST: Final = 5.0


class _Hearing(Worker):
    """arq's worker, which also counts its polls: after `allow_pick_jobs` is off, the poll that is
    under way may still start jobs. One started unseen would leave its batches to their leases."""

    polls = 0

    async def _poll_iteration(self) -> None:
        await super()._poll_iteration()
        self.polls += 1

    async def heard_out(self, seconds: float) -> None:
        """Waits until no poll is under way that could start a job; at most `seconds`."""
        seen = self.polls
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._polls_on(seen):  # noqa: ASYNC110  # arq has no event for it
                    await asyncio.sleep(POLL_SECONDS)

    def _polls_on(self, seen: int) -> bool:
        return self.main_task is not None and not self.main_task.done() and self.polls == seen


class Bells:
    """Runs arq's worker, and a new one whenever it breaks."""

    def __init__(
        self,
        redis: ArqRedis,
        answer: Callable[[Sequence[str]], Awaitable[None]],
        *,
        max_jobs: int,
    ) -> None:
        self._redis = redis
        self._answer = answer
        self._max_jobs = max_jobs
        self._worker: _Hearing | None = None
        self._stopping = False
        self._paused = False
        self._left: set[asyncio.Future[Any]] = set()

    async def run(self) -> None:
        """Until `stop`. A broken arq worker is replaced, with a pause that grows."""
        pause = 0.1
        broken = False
        while not self._stopping:
            self._worker = worker = self._new_worker()
            try:
                await worker.async_run()
            except asyncio.CancelledError:
                if asyncio.current_task() is None or self._cancelled_from_outside():
                    raise
                log.info("bells.replaced")
            except Exception as fault:  # RedisError, OSError, or whatever arq lets through
                if not broken:
                    log.warning("bells.broken", error=type(fault).__name__, reason=str(fault)[:200])
                broken = True
                await asyncio.sleep(pause)
                pause = min(_BACK_OFF_MOST, pause * 2)
            else:
                broken = False
            self._leave(worker)
            if broken and await self._answers():
                log.info("bells.mended")
                broken, pause = False, 0.1

    def pause(self) -> None:
        """No new bells are heard: Redis takes no writes, so no job could start."""
        self._paused = True
        self._apply()

    def resume(self) -> None:
        self._paused = False
        self._apply()

    def replace(self) -> None:
        """Ends arq's worker, so that `run` makes a new one. Work in hand goes on."""
        if self._worker is not None and self._worker.main_task is not None:
            self._worker.main_task.cancel()

    def widen(self, max_jobs: int) -> None:
        """From now on at least so many bells are heard at a time."""
        if max_jobs > self._max_jobs:
            self._max_jobs = max_jobs
            self.replace()

    async def stop(self, grace_seconds: float) -> None:
        """Hears nothing new, lets work in hand finish, and cancels what is left after the grace."""
        self._stopping = True
        self._apply()
        if self._worker is not None:
            await self._worker.heard_out(grace_seconds)
        tasks = {*self._left, *(self._worker.tasks.values() if self._worker else ())}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace_seconds)
            await end(late)
        if self._worker is not None and self._worker.main_task is not None:
            await end([self._worker.main_task])

    def _apply(self) -> None:
        if self._worker is not None:
            self._worker.allow_pick_jobs = not (self._paused or self._stopping)

    def _new_worker(self) -> _Hearing:
        async def work(ctx: dict[Any, Any], batch_ids: list[str]) -> None:
            await self._answer(batch_ids)

        worker = _Hearing(
            functions=[func(work, name=JOB, keep_result=0, timeout=JOB_SECONDS)],
            redis_pool=self._redis,
            queue_name=self._redis.default_queue_name,
            handle_signals=False,
            max_jobs=self._max_jobs,
            poll_delay=POLL_SECONDS,
            queue_read_limit=READ_LIMIT,
            keep_result=0,
            log_results=False,
            job_serializer=self._redis.job_serializer,
            job_deserializer=self._redis.job_deserializer,
        )
        worker.allow_pick_jobs = not (self._paused or self._stopping)
        return worker

    def _leave(self, worker: Worker) -> None:
        """Jobs of a replaced worker run on; their own end may fail with Redis, which is no news."""
        for task in worker.tasks.values():
            if task.done():
                task.cancelled() or task.exception()
                continue
            self._left.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Future[Any]) -> None:
        self._left.discard(task)
        if not task.cancelled():
            task.exception()

    def _cancelled_from_outside(self) -> bool:
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0

    async def _answers(self) -> bool:
        try:
            await self._redis.ping()
        except Exception:  # whatever it is, it is not mended
            return False
        return True
