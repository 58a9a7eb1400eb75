"""The verdict, from three witnesses: the oracle's log, what the sandbox received, dead letters.

Our own ledger is no witness; it is held against them in the end.
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.core.dead_letter import DeadLetter
from app.sandbox.traffic import ShotKind
from tests.crash.chaos.oracle import Facts, name_of

# An answer of Platform's that makes a dead letter by right: it spoke of one message alone.
_KILLING: Final = {400: "contract", 413: "too_large"}
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Window:
    """A fault, from its beginning to its end in Unix seconds."""

    kind: str
    began: float
    ended: float


@dataclass(slots=True)
class Evidence:
    """All that is known of one connection. `arrivals`: id -> Unix seconds of each copy; `row`: its
    line in `sluice ledger`."""

    facts: Facts
    arrivals: Mapping[str, Sequence[float]]
    letters: Sequence[DeadLetter]
    row: Mapping[str, Any]
    # What still lies in an open batch: late, which is another fault than lost.
    waiting: frozenset[bytes] = frozenset()


@dataclass(slots=True)
class Verdict:
    """`lost`: "connection id" of acknowledged events that are nowhere. `problems`: in words,
    whatever else is not as it must be."""

    acknowledged: int = 0
    delivered: int = 0
    dead: int = 0
    duplicates: int = 0
    repeats: int = 0
    lost: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.lost and not self.problems


def judge(witnesses: Mapping[str, Evidence], windows: Iterable[Window]) -> Verdict:
    verdict = Verdict()
    spans = sorted((window.began, window.ended) for window in windows)
    for connection, testimony in witnesses.items():
        _count(verdict, connection, testimony)
        problems = [
            *_nowhere_from(testimony),
            *_wrongly_dead(testimony),
            *_ledger_lies(testimony),
            *_unexplained(testimony, spans),
        ]
        verdict.problems += [f"{connection}: {problem}" for problem in problems]
    return verdict


def _count(verdict: Verdict, connection: str, known: Evidence) -> None:
    facts = known.facts
    dead = {_name(letter) for letter in known.letters}
    waiting = {_name_of_body(body) for body in known.waiting}
    missing = (facts.events | facts.garbage) - known.arrivals.keys() - dead - waiting
    verdict.lost += [f"{connection} {name}" for name in sorted(missing)]
    verdict.acknowledged += len(facts.acknowledged)
    verdict.delivered += len(known.arrivals)
    verdict.dead += len(known.letters)
    verdict.duplicates += int(known.row["duplicates"])
    verdict.repeats += sum(map(len, known.arrivals.values())) - len(known.arrivals)


def _name(letter: DeadLetter) -> str:
    """As the oracle names it."""
    unreadable = letter.summary.failure == "unreadable"
    return name_of(ShotKind.GARBAGE if unreadable else ShotKind.EVENT, letter.body)


def _name_of_body(body: bytes) -> str:
    """Of what nobody has judged yet: an event that can be read, or a body by its digest."""
    try:
        return name_of(ShotKind.EVENT, body)
    except (ValueError, KeyError, TypeError):
        return name_of(ShotKind.GARBAGE, body)


def _nowhere_from(known: Evidence) -> list[str]:
    """What nobody sent."""
    strange = known.arrivals.keys() - known.facts.sent.keys()
    return [f"was never sent, and yet delivered: {name}" for name in sorted(strange)[:_SHOWN]]


def _wrongly_dead(known: Evidence) -> list[str]:
    found = []
    for letter in known.letters:
        summary, name = letter.summary, _name(letter)
        status = letter.history[-1].status if letter.history else 0
        garbage = summary.failure == "unreadable"
        if name not in known.facts.sent or garbage != name.startswith("digest-"):
            found.append(f"a dead letter of what was never sent: {summary.number} {name}")
        elif not garbage and summary.failure != _KILLING.get(status):
            found.append(
                f"no reason to die: {name}, {summary.failure} {summary.code}, status {status}"
            )
    return found[:_SHOWN]


def _ledger_lies(known: Evidence) -> list[str]:
    """The ledger's columns against what was found without it."""
    row, dead = known.row, {_name(letter) for letter in known.letters}
    copies = sum(map(len, known.facts.acknowledged.values()))
    wanted = {
        # Delivered, and no answer came; sent again, and refused for good: it is booked as dead.
        "delivered": len(known.arrivals.keys() - dead),
        "dead": len(known.letters),
        "in_flight": 0,
        "difference": 0,
    }
    found = [
        f"the ledger says {row[name]} {name}, and there are {number}"
        for name, number in wanted.items()
        if row[name] != number
    ]
    if row["received"] < copies:
        found.append(f"the ledger received {row['received']}, and {copies} were acknowledged")
    return found


def _unexplained(known: Evidence, spans: Sequence[tuple[float, float]]) -> list[str]:
    """Events that came again although nothing was broken while they were on their way."""
    found = []
    for name, times in known.arrivals.items():
        sent = known.facts.sent.get(name, 0.0)
        if len(times) > 1 and not _overlaps(spans, sent, max(times)):
            found.append(f"came {len(times)} times and met no fault: {name}")
    return found[:_SHOWN]


def _overlaps(spans: Sequence[tuple[float, float]], began: float, ended: float) -> bool:
    last = bisect.bisect_right(spans, (ended, float("inf")))
    return any(fault_ended >= began for _, fault_ended in spans[:last])


def by_class(letters: Iterable[DeadLetter]) -> dict[str, int]:
    return dict(Counter(letter.summary.failure for letter in letters))
