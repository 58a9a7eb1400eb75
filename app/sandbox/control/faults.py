"""Faults on demand: the rules now in force, and whom each one hits."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from app.sandbox.control.rule import Rule, Side


@dataclass(slots=True)
class Active:
    """A posted rule. `made` and `ends`: Unix seconds; `hits`: what it was applied to."""

    number: int
    rule: Rule
    made: float
    ends: float | None
    hits: int = 0
    passed: int = 0
    lifted: asyncio.Event = field(default_factory=asyncio.Event)

    def as_dict(self, now: float) -> dict[str, Any]:
        left = None if self.ends is None else round(self.ends - now, 3)
        shown = self.rule.model_dump(exclude_defaults=True)
        return {"id": self.number, "hits": self.hits, "seconds_left": left, "rule": shown}


@dataclass(frozen=True, slots=True)
class Hit:
    """What befalls one request or message: seconds of delay, then what `active` says, if any."""

    latency_s: float = 0.0
    active: Active | None = None

    @property
    def rule(self) -> Rule | None:
        return self.active.rule if self.active is not None else None


NO_HIT: Final = Hit()


class Faults:
    """The rules now in force."""

    def __init__(self, clock: Callable[[], float], chance: random.Random) -> None:
        self._clock = clock
        self._chance = chance
        self._active: dict[int, Active] = {}
        self._spent: dict[int, Active] = {}
        self._numbers = count(1)

    def add(self, rule: Rule) -> Active:
        now = self._clock()
        ends = now + rule.duration_seconds if rule.duration_seconds is not None else None
        active = Active(next(self._numbers), rule, now, ends)
        self._active[active.number] = active
        return active

    def remove(self, number: int | None = None) -> int:
        """End one rule, or all; requests that hang on them go on. How many were ended."""
        there = self._active | self._spent
        numbers = [number] if number is not None else list(there)
        ended = [there[n] for n in numbers if n in there]
        for active in ended:
            self._spent.pop(active.number, None)
            self._active.pop(active.number, None)
            active.lifted.set()
        return len(ended)

    def in_force(self) -> Iterator[Active]:
        """In the order they were posted; those that are over are dropped."""
        now = self._clock()
        for active in list(self._active.values()):
            if active.ends is not None and now >= active.ends:
                self.remove(active.number)
            else:
                yield active

    def meet(self, side: Side, inlet_id: str | None, method: str = "", path: str = "") -> Hit:
        """Draw what befalls a request, or (side "lake") an accepted message.

        Delays add up; the first action drawn is the one.
        """
        if not self._active:
            return NO_HIT
        latency = 0.0
        for active in self.in_force():
            rule = active.rule
            if not rule.covers(side) or rule.on_runs or rule.inlet not in (None, inlet_id):
                continue
            if not rule.calls(method, path):
                continue
            if rule.share < 1.0 and self._chance.random() >= rule.share:
                continue
            if active.passed < rule.skip:
                active.passed += 1
                continue
            active.hits += 1
            if active.hits == rule.times:
                # What hangs on it goes on hanging until the rule is removed or its time is over.
                self._spent[active.number] = self._active.pop(active.number)
            latency += rule.latency_ms / 1000
            if rule.acts:
                return Hit(latency, active)
        return Hit(latency)

    def over_run(self, run_id: str, inlet_ids: Collection[str]) -> Iterator[Rule]:
        """The rules about how a run shows; a share hits the same runs whenever it is asked."""
        for active in self.in_force():
            rule = active.rule
            if not rule.on_runs or (rule.inlet is not None and rule.inlet not in inlet_ids):
                continue
            if random.Random(f"{active.number} {run_id}").random() < rule.share:
                active.hits += 1
                yield rule

    async def hang(self, active: Active) -> None:
        """Returns when the rule ended, by itself or because it was removed."""
        left = None if active.ends is None else max(0.0, active.ends - self._clock())
        try:
            await asyncio.wait_for(active.lifted.wait(), left)
        except TimeoutError:
            return
