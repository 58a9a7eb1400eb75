"""The plan: which faults, in which order, with what parameters. Pure: the same seed, the same plan.

Two hands break things at the same time: one kills and stops processes, the other spoils what lies
between them. Each waits until one fault of its own is over before the next.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.crash.chaos.points import BY_NAME, POINTS, Need
from tests.crash.chaos.redis import TEARS
from tests.e2e.system import INLETS

HANDS: Final = ("processes", "surroundings")
_PROXIES: Final = ("receiver", "redis", "platform")
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Fault:
    """`at`: seconds from the start at which it begins, or later if the one before it takes longer.
    `with_`: parameters of the function of this name in faults.py."""

    number: int
    at: float
    kind: str
    with_: Mapping[str, Any]

    def __str__(self) -> str:
        words = " ".join(f"{name}={value}" for name, value in self.with_.items())
        return f"{self.number:4} {self.at:7.1f} s  {self.kind} {words}".rstrip()


_Draw = Callable[[random.Random], dict[str, Any]]


def _seconds(low: float, high: float) -> _Draw:
    return lambda chance: {"seconds": round(chance.uniform(low, high), 2)}


def _nothing(_chance: random.Random) -> dict[str, Any]:
    return {}


def _proxy(low: float, high: float) -> _Draw:
    return lambda chance: {"proxy": chance.choice(_PROXIES), **_seconds(low, high)(chance)}


def _point(chance: random.Random) -> dict[str, Any]:
    point = chance.choice(POINTS)
    return {"point": point.name, "passage": _passage(point.need, chance, 20)}


def _platform(chance: random.Random) -> dict[str, Any]:
    rules = _all_of(chance.choice(RULES))
    if chance.random() < 0.3 and "scope" not in rules[-1]:
        rules[0]["inlet"] = INLETS[chance.choice(list(INLETS))]["id"]
    return {"rules": rules, "seconds": round(chance.uniform(0.5, 4), 2)}


def _all_of(rules: Mapping[str, Any] | tuple[Mapping[str, Any], ...]) -> list[dict[str, Any]]:
    return [dict(rule) for rule in (rules if isinstance(rules, tuple) else (rules,))]


# What Platform, or its token service, can be made to do. Those that refuse a message for good
# are few: each makes a dead letter, and rightly.
RULES: Final[tuple[Mapping[str, Any] | tuple[Mapping[str, Any], ...], ...]] = (
    {"status": 401},
    {"status": 403},
    {"blocked": True},
    {"status": 413, "share": 0.2},
    {"status": 429},
    {"status": 429, "retry_after": 1, "share": 0.5},
    {"status": 500},
    {"status": 500, "share": 0.5},
    {"status": 503},
    {"status": 503, "retry_after": 2},
    {"status": 504, "share": 0.5},
    {"partial": 0.3, "partial_status": 503},
    {"partial": 0.3, "partial_status": 500},
    {"partial": 0.02, "partial_status": 400},
    {"short_answer": True, "share": 0.5},
    {"garbage": True, "share": 0.5},
    {"hang": True},
    {"hang": True, "share": 0.1},
    {"latency_ms": 1500},
    {"latency_ms": 300},
    {"cut": "before", "share": 0.5},
    {"cut": "after", "share": 0.5},
    {"expired_token": True},
    ({"expired_token": True}, {"status": 500, "scope": "ims"}),
    ({"expired_token": True}, {"status": 401, "scope": "ims"}),
)

# kind -> (how often, beside the others of its hand; parameters)
_PROCESSES: Final[Mapping[str, tuple[float, _Draw]]] = {
    "kill_receiver_child": (3, _nothing),
    "kill_receiver": (1.5, _nothing),
    "orphan_receiver": (0.7, lambda chance: {"seconds": round(chance.uniform(0.5, 2), 2)}),
    "kill_worker": (3, lambda chance: {"ours": chance.random() < 0.5}),
    "kill_supervisor": (1, _nothing),
    "kill_at": (6, _point),
    "freeze_worker": (1, lambda chance: {"seconds": round(chance.uniform(2.5, 5), 2)}),
    "stop_worker": (1, _nothing),
    "roll_receiver": (1, _nothing),
    "remap": (1, _nothing),
}
_SURROUNDINGS: Final[Mapping[str, tuple[float, _Draw]]] = {
    "cut": (2, _proxy(0.0, 1.5)),
    "delay": (1, lambda chance: {**_proxy(0.5, 3)(chance), "ms": chance.choice((5, 30, 150))}),
    "hold": (1, _proxy(0.5, 3.5)),
    "lose_answers": (2, lambda c: {"proxy": c.choice(_PROXIES), "count": c.randint(1, 8)}),
    "kill_redis": (2, _seconds(0, 1.5)),
    "tear": (3, lambda c: {"how": c.choice(TEARS), "seconds": round(c.uniform(0.05, 0.4), 2)}),
    "fill_redis": (1, _seconds(1, 3)),
    "redis_clock": (1, lambda c: {"jump": _jump(c), **_seconds(0.5, 3)(c)}),
    "clock": (1, lambda c: {"of": c.choice(("receiver", "worker")), "jump": _jump(c),
                            **_seconds(1, 4)(c)}),
    "platform": (8, _platform),
    "storm": (1, lambda chance: {"connection": chance.choice(list(INLETS))}),
}  # fmt: skip
_OF_HAND: Final = dict(zip(HANDS, (_PROCESSES, _SURROUNDINGS), strict=True))
KINDS: Final = (*_PROCESSES, *_SURROUNDINGS)


def _jump(chance: random.Random) -> int:
    """Hours, either way."""
    return chance.choice((-1, 1)) * chance.randint(600, 6 * _HOUR)


def plan(seed: int, seconds: float) -> dict[str, list[Fault]]:
    """By hand. The last third kills no process of ours, so that a leak has time to show."""
    return {
        hand: list(_hand(seed, hand, seconds * (2 / 3 if hand == "processes" else 1)))
        for hand in HANDS
    }


def _hand(seed: int, hand: str, seconds: float) -> Iterator[Fault]:
    chance = random.Random(f"{seed} {hand}")
    kinds = _OF_HAND[hand]
    weights = [weight for weight, _ in kinds.values()]
    at, number = 2.0, 0
    while at < seconds:
        [kind] = chance.choices(list(kinds), weights)
        number += 1
        yield Fault(number, round(at, 1), kind, kinds[kind][1](chance))
        at += chance.uniform(1.5, 6)


def _passage(need: Need, chance: random.Random, most: int) -> int:
    """What has to be provoked is not waited for twice."""
    return chance.randint(1, most) if need is Need.TRAFFIC else 1


# What the short form does in each way; Platform's rules are all there by themselves.
_WAYS: Final[Mapping[str, list[dict[str, str]]]] = {
    "cut": [{"proxy": proxy} for proxy in _PROXIES],
    "lose_answers": [{"proxy": proxy} for proxy in _PROXIES],
    "tear": [{"how": how} for how in TEARS],
    "platform": [],
}
# Each fail point is one, and the supervisor has one of its own.
_NOT_AGAIN: Final = ("kill_at", "kill_supervisor")


def every(seed: int) -> dict[str, list[Fault]]:
    """The short form: each fail point once, and each other fault, every rule of Platform's too."""
    chance = random.Random(seed)
    points = [
        ("kill_at", {"point": p.name, "passage": _passage(p.need, chance, 3)}) for p in POINTS
    ]
    killing = [
        (kind, draw(chance)) for kind, (_, draw) in _PROCESSES.items() if kind not in _NOT_AGAIN
    ]
    rules = [("platform", {"rules": _all_of(rule), "seconds": 0.3}) for rule in RULES]
    spoiling = [
        (kind, draw(chance)) for kind, (_, draw) in _SURROUNDINGS.items() if kind not in _WAYS
    ]
    spoiling += [(kind, {**_SURROUNDINGS[kind][1](chance), **way})
                 for kind, ways in _WAYS.items() for way in ways]  # fmt: skip
    for _, with_ in spoiling:
        if "seconds" in with_:
            with_["seconds"] = min(with_["seconds"], 1.0)
    # Without a supervisor there is little to break for a while: its end comes last.
    last = [fault for fault in points if BY_NAME[fault[1]["point"]].need is Need.DEAD_WORKER]
    found = {}
    for hand, faults in zip(HANDS, (points + killing, rules + spoiling), strict=True):
        chance.shuffle(faults)
        faults.sort(key=lambda fault: fault in last)
        found[hand] = [Fault(n, 0.0, *fault) for n, fault in enumerate(faults, 1)]
    return found
