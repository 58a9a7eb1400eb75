"""Faults on demand: the rules, and what they do to a request.

A rule says when (`scope`, `inlet`, `share`, `duration_seconds`) and what. `latency_ms` may stand
alone or beside one of: status, hang, cut, garbage, blocked, expired_token, partial, short_answer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Side = Literal["collection", "ims"]

_ACTIONS: Final = (
    "status",
    "hang",
    "cut",
    "garbage",
    "blocked",
    "expired_token",
    "partial",
    "short_answer",
)
# What has a meaning only where messages are taken in.
_COLLECTION_ONLY: Final = frozenset({"expired_token", "partial", "short_answer"})


class Rule(BaseModel):
    """One fault, as it is posted to /faults.

    status         answer this instead; `retry_after` (seconds) goes with it
    hang           never answer, until the rule ends; then the connection is cut
    cut            cut the connection: "before" the messages are taken in, or "after" (answer lost)
    garbage        take the messages in, then answer with a body that is no JSON
    blocked        403 with an empty body, as for an address that is not allowed
    expired_token  on authenticated inlets, tokens fetched before the rule was made are over
    partial        this share of a request's messages is refused, with `partial_status`
    short_answer   a 207 leaves out the entry of one message that was taken
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scope: Literal["collection", "ims", "both"] = "collection"
    inlet: str | None = None
    share: float = Field(1.0, ge=0.0, le=1.0)
    duration_seconds: float | None = Field(None, gt=0.0)
    latency_ms: float = Field(0.0, ge=0.0)
    status: int | None = Field(None, ge=300, le=599)
    retry_after: int | None = Field(None, ge=0)
    hang: bool = False
    cut: Literal["before", "after"] | None = None
    garbage: bool = False
    blocked: bool = False
    expired_token: bool = False
    partial: float | None = Field(None, gt=0.0, le=1.0)
    partial_status: int = Field(503, ge=400, le=599)
    short_answer: bool = False

    @model_validator(mode="after")
    def _one_effect(self) -> Self:
        actions = [name for name in _ACTIONS if getattr(self, name)]
        if len(actions) > 1:
            raise ValueError(f"one of {', '.join(actions)}, not several; post one rule each")
        if not actions and not self.latency_ms:
            raise ValueError(f"nothing to do: give latency_ms or one of {', '.join(_ACTIONS)}")
        if self.scope != "collection" and _COLLECTION_ONLY.intersection(actions):
            raise ValueError(f"{actions[0]} is for scope collection only")
        return self

    @property
    def acts(self) -> bool:
        """Whether it does more than delay."""
        return any(getattr(self, name) for name in _ACTIONS)


@dataclass(slots=True)
class Active:
    """A posted rule. `made` and `ends`: Unix seconds; `hits`: requests it was applied to."""

    number: int
    rule: Rule
    made: float
    ends: float | None
    hits: int = 0
    lifted: asyncio.Event = field(default_factory=asyncio.Event)

    def as_dict(self, now: float) -> dict[str, Any]:
        left = None if self.ends is None else round(self.ends - now, 3)
        shown = self.rule.model_dump(exclude_defaults=True)
        return {"id": self.number, "hits": self.hits, "seconds_left": left, "rule": shown}


@dataclass(frozen=True, slots=True)
class Hit:
    """What befalls one request: seconds of delay, then what `active` says, if any."""

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
        self._numbers = count(1)

    def add(self, rule: Rule) -> Active:
        now = self._clock()
        ends = now + rule.duration_seconds if rule.duration_seconds is not None else None
        active = Active(next(self._numbers), rule, now, ends)
        self._active[active.number] = active
        return active

    def remove(self, number: int | None = None) -> int:
        """End one rule, or all; requests that hang on them go on. How many were ended."""
        numbers = [number] if number is not None else list(self._active)
        ended = [self._active.pop(n) for n in numbers if n in self._active]
        for active in ended:
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

    def meet(self, side: Side, inlet_id: str | None) -> Hit:
        """Draw what befalls a request. Delays add up; the first action drawn is the one."""
        if not self._active:
            return NO_HIT
        latency = 0.0
        for active in self.in_force():
            rule = active.rule
            if rule.scope not in (side, "both") or rule.inlet not in (None, inlet_id):
                continue
            if rule.share < 1.0 and self._chance.random() >= rule.share:
                continue
            active.hits += 1
            latency += rule.latency_ms / 1000
            if rule.acts:
                return Hit(latency, active)
        return Hit(latency)

    async def hang(self, active: Active) -> None:
        """Returns when the rule ended, by itself or because it was removed."""
        left = None if active.ends is None else max(0.0, active.ends - self._clock())
        try:
            await asyncio.wait_for(active.lifted.wait(), left)
        except TimeoutError:
            return
