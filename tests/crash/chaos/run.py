"""One run of the crash suite: start, break, heal, drain, judge."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from app.sandbox.traffic import shots
from tests.crash.chaos.faults import NOT_PASSED, Faults
from tests.crash.chaos.judge import Verdict, Window, judge
from tests.crash.chaos.leaks import Samples, leaks
from tests.crash.chaos.plan import Fault
from tests.crash.chaos.stage import Stage
from tests.crash.chaos.witnesses import Arrivals, counted_apart, testimonies
from tests.e2e.process import Process
from tests.e2e.system import INLETS, event_id_of

# How long it may take until nothing is in flight any more, once all is whole.
DRAIN_SECONDS: Final = 240.0
FRESH_SECONDS: Final = 15.0
# A process that lived for less has no beginning to compare its end with.
LONG_LIFE_SECONDS: Final = 15.0
# The short form tries fail points again that nobody passed, all in all so often.
MISSED_MOST: Final = 30
STORIES: Final = 10
# Times that a process tells by its log, and ours, may differ so much.
_SLACK_SECONDS: Final = 0.05

# Stopped, killed, or told to stop before it could listen.
_GOOD_ENDS: Final = (0, -9, -15)

Tell = Callable[[str], None]


@dataclass(slots=True)
class Report:
    """What came of a run. `done`: faults by kind; `windows`: when each was."""

    seed: int
    verdict: Verdict = field(default_factory=Verdict)
    done: Counter[str] = field(default_factory=Counter)
    windows: list[Window] = field(default_factory=list)
    skipped: int = 0
    # What `sluice trace` says of the first lost events.
    traces: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        return self.verdict.good

    def as_dict(self) -> dict[str, Any]:
        found = self.verdict
        return {
            "seed": self.seed,
            "seconds": round(self.seconds),
            "faults": sum(self.done.values()),
            "acknowledged": found.acknowledged,
            "delivered": found.delivered,
            "dead": found.dead,
            "duplicates": found.duplicates,
            "repeats": found.repeats,
            "lost": len(found.lost),
            "problems": found.problems,
            "skipped": self.skipped,
            "by_kind": dict(sorted(self.done.items())),
        }


class Run:
    """`whole`: every planned fault is to be done, however long it takes; else none is begun after
    `seconds`."""

    def __init__(self, folder: Path, seed: int, rate: float, tell: Tell) -> None:
        self._stage = Stage(folder)
        self._rate = rate
        self._tell = tell
        self._arrivals = Arrivals(self._stage)
        self._samples = Samples(self._stage)
        self._faults = Faults(self._stage, random.Random(seed))
        self.report = Report(seed)

    async def run(self, plans: Mapping[str, Sequence[Fault]], seconds: float | None) -> Report:
        began = time.monotonic()
        try:
            await self._stage.start()
            async with _beside(self._arrivals.run(), self._samples.run()):
                oracle = self._stage.oracle(self.report.seed, self._rate)
                oracle.start()
                try:
                    await self._flows()
                    await self._break(plans, seconds)
                    await self._end(oracle)
                finally:
                    oracle.kill()
            await self._judge()
        finally:
            await self._stage.stop()
            self.report.seconds = time.monotonic() - began
        return self.report

    async def _flows(self) -> None:
        """Returns when events pass."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while len(self._arrivals.times) < len(INLETS):
            assert time.monotonic() < deadline, "nothing is delivered though nothing is broken"
            await asyncio.sleep(0.05)

    async def _break(self, plans: Mapping[str, Sequence[Fault]], seconds: float | None) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for hand, faults in plans.items():
                group.create_task(self._hand(hand, faults, began, seconds))

    async def _hand(
        self, hand: str, faults: Sequence[Fault], began: float, seconds: float | None
    ) -> None:
        todo, missed = list(faults), 0
        while todo:
            fault = todo.pop(0)
            await asyncio.sleep(max(0.0, began + fault.at - time.monotonic()))
            if seconds is not None and time.monotonic() - began > seconds:
                self.report.skipped += 1
                continue
            if seconds is None:
                await self._stage.standing()
            if await self._do(hand, fault) == NOT_PASSED and seconds is None:
                # Something else was broken that kept everyone from passing: later, then.
                todo.append(fault)
                missed += 1
                assert missed < MISSED_MOST, f"nobody passes the fail point: {fault}"

    async def _do(self, hand: str, fault: Fault) -> str:
        started = time.time()
        came = await self._faults.do(fault.kind, fault.with_)
        window = Window(fault.kind, started - _SLACK_SECONDS, time.time() + _SLACK_SECONDS)
        self.report.windows.append(window)
        if came != NOT_PASSED:
            self.report.done[fault.kind] += 1
        self._tell(f"{hand:<12} {fault}: {came}".rstrip(": "))
        return came

    async def _end(self, oracle: Process) -> None:
        """All is whole: what was begun is answered, what was acknowledged is worked off."""
        self._tell("healing")
        began = time.time()
        await self._stage.heal()
        self._stage.order("finish")
        try:
            if code := await oracle.ended(DRAIN_SECONDS):
                self._problem(f"the oracle ended with {code}: {oracle.log[-500:]}")
        except AssertionError:
            self._problem("webhooks are not acknowledged although all is whole")
        await self._drained()
        self.report.windows.append(Window("healing", began, time.time()))
        await self._fresh()
        await self._samples.quiet()

    async def _drained(self) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        while True:
            balance = await self._stage.system.balance()
            left = {row.connection: row.in_flight for row in balance.totals() if row.in_flight}
            if not left:
                return
            if time.monotonic() > deadline:
                self._problem(f"still in flight although all is whole: {left}")
                return
            await asyncio.sleep(0.1)

    async def _fresh(self) -> None:
        """One more event, which must pass within seconds."""
        system = self._stage.system
        now_ms = time.time_ns() // 1_000_000
        [shot] = shots(now_ms, 1, now_ms=lambda: now_ms)
        deadline = time.monotonic() + FRESH_SECONDS
        status, _ = await system.post(shot.body)
        wanted = event_id_of(shot.body)
        with (self._stage.folder / "oracle.log").open("a") as log:
            for fact in "SA" if status == 200 else "S":
                log.write(f"{fact} {time.time():.6f} example event {wanted}\n")
        while wanted not in self._arrivals.of("example"):
            if time.monotonic() > deadline:
                self._problem(f"a fresh event (answered {status}) did not pass")
                return
            await asyncio.sleep(0.1)
        await self._drained()

    async def _judge(self) -> None:
        self._tell("judging")
        checked = await self._stage.system.sluice("ledger", "--check", "--json")
        witnesses = await testimonies(self._stage, self._arrivals, checked.json)
        verdict = judge(witnesses, self.report.windows)
        verdict.problems = [
            *self.report.verdict.problems,
            *verdict.problems,
            *(f"ledger: {fault}" for fault in checked.json["faults"]),
            *await counted_apart(self._stage, self._arrivals),
            *leaks(list(self._samples.lives.values()), LONG_LIFE_SECONDS),
            *self._ended_badly(),
        ]
        self.report.verdict = verdict
        for lost in verdict.lost[:STORIES]:
            told = await self._stage.system.sluice("trace", lost.split()[1])
            self.report.traces[lost] = told.out + told.err

    def _ended_badly(self) -> list[str]:
        """Nobody may end by itself: whatever was broken, waiting is what helps."""
        return [
            f"{end.name} ended with {end.code}: {end.text}"
            for end in self._stage.ends
            if end.code not in _GOOD_ENDS and "already running" not in end.text
        ]

    def _problem(self, text: str) -> None:
        self._tell(f"PROBLEM {text}")
        self.report.verdict.problems.append(text)


def line(report: Report) -> str:
    return orjson.dumps(report.as_dict()).decode()


@asynccontextmanager
async def _beside(*work: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
