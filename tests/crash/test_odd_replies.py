"""Redis answers oddly while all runs: at the commit, at each step of a worker, inside arq."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.sandbox.customerio import backoff
from app.sandbox.traffic import generate
from tests.crash.conftest import HARMLESS, Load, nothing_is_lost
from tests.e2e.process import until
from tests.e2e.system import System
from tests.resp_proxy import CUT_AFTER, CUT_BEFORE, GARBAGE, HALF, Answer, RespProxy, error

pytestmark = [pytest.mark.crash, pytest.mark.timeout(180)]

IN_HAND = 1_000
# The others: tests/store/test_odd_replies.py, test_redis_trouble.py.
ERRORS = {
    "readonly": "READONLY You can't write against a read only replica.",
    "cluster": "MOVED 3999 127.0.0.1:6381",
    "busy": "BUSY Redis is busy running a script. You can only call SCRIPT KILL",
    "password": "NOAUTH Authentication required.",
    "permission": "NOPERM this user has no permissions to run the 'set' command",
}
# What a worker does, and what arq does for it, each at the mercy of every answer.
STEPS = (
    *("commit", "take", "claim", "mark", "settle", "sweep", "keep", "lane_gate", "lane_lease"),
    *("zrangebyscore", "watch", "multi", "exec", "zadd", "zscore", "get", "exists", "set", "zrem"),
)
SERVED: list[Answer] = [
    *(error(text) for text in ERRORS.values()),
    *(GARBAGE, HALF, CUT_BEFORE, CUT_AFTER, Answer(late=0.2), Answer(late=4.0)),
]
# At the second call of a step, the fourth, the seventh, the eleventh ...: so the rare are hit, too.
TURNS = {1 + n * (n + 1) // 2 for n in range(1, 9)}


@pytest.fixture(autouse=True)
def _eager_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    """Does not wait for the 5 seconds of Retry-After: there are many refusals here."""
    monkeypatch.setattr(backoff, "_QUICK_LONGEST_S", 0.3)


@asynccontextmanager
async def proxied(folder: Path) -> AsyncIterator[tuple[System, RespProxy]]:
    """A system that reaches its Redis through a proxy; the test reaches it directly."""
    proxy = RespProxy(f"{folder}/redis.sock")
    environ = {"SLUICE_REDIS_URL": proxy.url, "SLUICE_WORKER_LEASE_SECONDS": "2"}
    system = System(folder, environ=environ)
    async with proxy.running():
        try:
            await system.start()
            yield system, proxy
        finally:
            await system.stop()


async def test_every_error_is_waited_out_and_said_once(tmp_path: Path) -> None:
    async with proxied(tmp_path) as (system, proxy):
        worker = system.workers[0]
        extra = generate(30, len(ERRORS))
        for turn, (reason, text) in enumerate(ERRORS.items(), start=1):
            load = Load(system, seed=30 + turn, count=500)
            await load.reached(100)
            answer = error(text)
            proxy.choose = lambda name, answer=answer: answer  # type: ignore[misc]
            said = await worker.logged("store.unavailable", turn)
            status, retry_after = await system.post(next(extra))
            proxy.heal()
            assert (said["reason"], status, int(retry_after) > 0) == (reason, 503, True)
            await worker.logged("store.available", turn)
            sent = await load.finished()
            assert set(sent.answers) <= HARMLESS
            system.acknowledged |= sent.ids

        await nothing_is_lost(system, sent, most_repeats=IN_HAND)
        assert worker.alive
        assert len(worker.lines("worker.started")) == 1
        assert len(worker.lines("store.unavailable")) == len(ERRORS)
        assert not worker.lines("batch.stumbled")
        assert not system.receiver.lines("receiver.faulted")


async def test_any_command_may_be_answered_with_anything(tmp_path: Path) -> None:
    async with proxied(tmp_path) as (system, proxy):
        chance = random.Random(32)

        calls: Counter[str] = Counter()

        def choose(name: str) -> Answer | None:
            calls[name] += 1
            return chance.choice(SERVED) if name in STEPS and calls[name] in TURNS else None

        load = Load(system, seed=32, count=1_500)
        await load.reached(100)
        proxy.choose = choose
        await load.reached(1_200)
        # Each step that a batch goes through, and arq's own, is hit.
        steps = {"commit", "take", "claim", "settle", "exec", "zrangebyscore"}
        await until(lambda: steps <= proxy.answered.keys(), "each step's odd reply", 60)
        proxy.heal()
        sent = await load.finished()

        assert set(sent.answers) <= HARMLESS
        await nothing_is_lost(system, sent, most_repeats=IN_HAND)
        assert system.workers[0].alive
        assert not system.workers[0].lines("batch.stumbled")
        assert not system.receiver.lines("receiver.faulted")


async def test_scripts_are_forgotten_in_the_middle_of_the_work(tmp_path: Path) -> None:
    async with proxied(tmp_path) as (system, _):
        load = Load(system, seed=33, count=2_000)
        for turn in range(1, 10):
            await load.reached(200 * turn)
            async with system.store() as store:
                await store.script_flush()
        sent = await load.finished()

        await nothing_is_lost(system, sent, most_repeats=0)
        assert set(sent.answers) == {"200"}
