"""What the driver can do to the stage. Each fault is a function of its kind's name in plan.py,
returns when it is over and healed, and says in a few words what came of it.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from tests.crash.chaos import provoking
from tests.crash.chaos.points import BY_NAME
from tests.crash.chaos.stage import Stage

NOT_PASSED: Final = "not passed"
# A named point that nobody passes by then is left alone.
POINT_SECONDS: Final = 10.0
# Nor is Platform waited for that nobody asks.
_MET_SECONDS: Final = 2.0
# So much memory is no longer free for what is in use already.
_FULL: Final = "1mb"


class Faults:
    """All faults of one run. `chance` is for what the plan leaves open: which of several."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self._stage = stage
        self._chance = chance
        self._locks: dict[str, asyncio.Lock] = {}

    async def do(self, kind: str, with_: Mapping[str, Any]) -> str:
        act: Callable[..., Awaitable[str]] = getattr(self, kind)
        return await act(**with_)

    # --- processes ---

    async def kill_receiver_child(self) -> str:
        return self._kill("serve-receiver-child")

    async def kill_receiver(self) -> str:
        return self._kill("serve-receiver")

    async def orphan_receiver(self, seconds: float) -> str:
        """Its children cannot notice for a while that their parent is gone."""
        children = self._stage.running("serve-receiver-child")
        for pid in children:
            self._stage.kill(pid, signal.SIGSTOP)
        said = self._kill("serve-receiver")
        await asyncio.sleep(seconds)
        for pid in children:
            self._stage.kill(pid, signal.SIGCONT)
        return said

    async def kill_supervisor(self) -> str:
        return self._kill("up")

    async def kill_worker(self, ours: bool) -> str:
        if not ours:
            return self._kill("worker")
        self._stage.worker.send(signal.SIGKILL)
        return "the stage's own"

    async def kill_at(self, point: str, passage: int) -> str:
        found = BY_NAME[point]
        traps = self._stage.traps
        before = traps.hits(found)
        traps.arm(found, passage)
        try:
            async with provoking.provoked(self._stage, found.need):
                sprung = await traps.sprung(found, before, POINT_SECONDS)
        finally:
            traps.disarm(found)
        return "killed" if sprung else NOT_PASSED

    async def freeze_worker(self, seconds: float) -> str:
        """Longer than its lease: it wakes up to find its batches with somebody else."""
        frozen = self._stage.worker.pid
        assert frozen is not None
        self._stage.kill(frozen, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._stage.kill(frozen, signal.SIGCONT)
        return ""

    async def stop_worker(self) -> str:
        self._stage.worker.terminate()
        return ""

    async def roll_receiver(self) -> str:
        return self._kill("serve-receiver", signal.SIGHUP)

    async def remap(self) -> str:
        return provoking.remap(self._stage)

    # --- what lies between them ---

    async def cut(self, proxy: str, seconds: float) -> str:
        async with self._alone(proxy):
            found = self._stage.proxies[proxy]
            count = found.cut(refuse=True)
            await asyncio.sleep(seconds)
            found.flow()
        return f"{count} connections"

    async def delay(self, proxy: str, seconds: float, ms: int) -> str:
        async with self._alone(proxy):
            self._stage.proxies[proxy].delay_seconds = ms / 1000
            await asyncio.sleep(seconds)
            self._stage.proxies[proxy].flow()
        return ""

    async def hold(self, proxy: str, seconds: float) -> str:
        async with self._alone(proxy):
            self._stage.proxies[proxy].hold()
            await asyncio.sleep(seconds)
            self._stage.proxies[proxy].flow()
        return ""

    async def lose_answers(self, proxy: str, count: int) -> str:
        async with self._alone(proxy):
            self._stage.proxies[proxy].lose_answers(count)
            await asyncio.sleep(1)
            self._stage.proxies[proxy].flow()
        return ""

    # --- Redis ---

    async def kill_redis(self, seconds: float) -> str:
        async with self._alone("redis"):
            self._stage.redis.kill()
            await asyncio.sleep(seconds)
            await asyncio.to_thread(self._stage.redis.start)
        return ""

    async def tear(self, how: str, seconds: float) -> str:
        """A power cut. Nobody has read an answer to what was asked since `safe`, so none of it was
        promised to anybody; how much of it the disk keeps is chance."""
        stage = self._stage
        async with self._alone("redis"):
            proxy = stage.proxies["redis"]
            proxy.hold_answers()
            safe = stage.redis.tail()
            await asyncio.sleep(seconds)
            stage.redis.kill()
            proxy.cut(refuse=True)
            lost = stage.redis.tear(safe, how, self._chance)
            mended = stage.redis.repairs
            await asyncio.to_thread(stage.redis.start)
            proxy.flow()
        return f"{lost} bytes, {stage.redis.repairs - mended} repairs"

    async def fill_redis(self, seconds: float) -> str:
        async with self._alone("redis"), self._stage.store() as store:
            await store.config_set("maxmemory", _FULL)
            await asyncio.sleep(seconds)
            await store.config_set("maxmemory", 0)
        return ""

    async def redis_clock(self, jump: int, seconds: float) -> str:
        if not self._stage.redis.clock_moves:
            return "left out: no faketime"
        async with self._alone("redis"):
            self._stage.redis.set_clock(jump)
            await asyncio.sleep(seconds)
            self._stage.redis.set_clock(0)
        return ""

    async def clock(self, of: str, jump: int, seconds: float) -> str:
        file = self._stage.clocks / of
        file.write_text(str(jump))
        await asyncio.sleep(seconds)
        file.unlink(missing_ok=True)
        return ""

    # --- Platform and Customer.io ---

    async def platform(self, rules: Sequence[Mapping[str, Any]], seconds: float) -> str:
        """The lanes are open at its beginning, and opened again at its end, as by who mended it."""
        system = self._stage.system
        await self._open_lanes()
        made = (await system.ask("/faults", "POST", list(rules)))["faults"]
        await asyncio.sleep(seconds)
        hits = await self._met(made[-1]["id"])
        for rule in made:
            await system.ask(f"/faults?id={rule['id']}", "DELETE")
        await self._open_lanes()
        return f"met {hits} times"

    async def _open_lanes(self) -> None:
        async with self._alone("redis"):
            await self._stage.open_lanes()

    async def _met(self, number: int) -> int:
        """How often a rule was met; it is waited for once, within reason."""
        deadline = time.monotonic() + _MET_SECONDS
        while True:
            found = (await self._stage.system.ask("/faults"))["faults"]
            hits = sum(rule["hits"] for rule in found if rule["id"] == number)
            if hits or time.monotonic() > deadline:
                return hits
            await asyncio.sleep(0.05)

    async def storm(self, connection: str) -> str:
        self._stage.order(f"storm {connection}")
        return ""

    def _kill(self, role: str, number: signal.Signals = signal.SIGKILL) -> str:
        found = self._stage.running(role)
        if not found:
            return "nobody there"
        pid = self._chance.choice(found)
        self._stage.kill(pid, number)
        return f"pid {pid}"

    @asynccontextmanager
    async def _alone(self, what: str) -> AsyncIterator[None]:
        """One fault at a time for each thing."""
        async with self._locks.setdefault(what, asyncio.Lock()):
            yield
