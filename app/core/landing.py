"""Do the columns meet? Accepted by Platform's edge, against landed in the lake or refused later.

Pure: counts per hour in, a verdict per hour out. A streaming flow has one run per hour, and data is
up to an hour under way (platform.md sections 2.7 and 6.1): so what is missing in one hour may be
too much in one of the next, and is looked for there before it is called short. At the turn of an
hour a record may also land in the hour before the one in which we read Platform's answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

HOUR_SECONDS: Final = 3600


class Verdict(StrEnum):
    """What is to be said of an hour. Of several hours the last in this order that occurs."""

    MEETS = "meets"
    MORE = "more"  # more landed than we know to have sent
    NOT_DUE = "not_due"
    UNSEEN = "unseen"  # nobody has looked at Platform since it was due
    LATE = "late"
    MISSING = "run_missing"
    UNFOUND = "unfound"  # refused later, and in no file that says which; of all hours together
    SHORT = "short"

    @property
    def alarming(self) -> bool:
        """Whether `sluice ledger --check` says no."""
        return self in (Verdict.MISSING, Verdict.UNFOUND, Verdict.SHORT)


@dataclass(frozen=True, slots=True)
class Hour:
    """`accepted` by the edge in this hour; `landed` and `failed` by the runs that began in it;
    `runs`: how many there were; `finished`: whether all of them are over."""

    hour: int
    accepted: int = 0
    landed: int = 0
    failed: int = 0
    runs: int = 0
    finished: bool = True


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds after the end of an hour: when what is not there is late, and when it is missing."""

    late_after: float
    missing_after: float


class Judged(NamedTuple):
    """`events`: too few, or (MORE) too many."""

    verdict: Verdict
    events: int = 0

    @property
    def words(self) -> str:
        """For people."""
        match self.verdict:
            case Verdict.MEETS:
                return "meets"
            case Verdict.MORE:
                return f"{self.events:,} more than we sent"
            case Verdict.NOT_DUE:
                return f"{self.events:,} not due yet"
            case Verdict.UNSEEN:
                return f"{self.events:,} open, Platform not asked since"
            case Verdict.LATE:
                return f"{self.events:,} late"
            case Verdict.MISSING:
                return f"run missing, {self.events:,} open"
            case Verdict.UNFOUND:
                return f"{self.events:,} refused later, in no file that says which"
            case Verdict.SHORT:
                return f"short by {self.events:,}"


def judge(
    hours: Sequence[Hour], now: float, seen: float | None, patience: Patience
) -> list[Judged]:
    """A verdict per hour, in the order of `hours`, which is ascending.

    `now`: Unix seconds. `seen`: those of the last complete look at Platform, None = never: what was
    not there then is no news of what is there now.
    """
    left = _matched({h.hour: h.landed + h.failed - h.accepted for h in hours}, patience)
    return [_verdict(hour, left[hour.hour], now, seen, patience) for hour in hours]


def worst(judged: Sequence[Judged]) -> Judged:
    """One verdict for all of them: the worst, with what all of its kind come to."""
    if not judged:
        return Judged(Verdict.MEETS)
    order = list(Verdict)
    first = max((each.verdict for each in judged), key=order.index)
    return Judged(first, sum(each.events for each in judged if each.verdict is first))


def _matched(over: Mapping[int, int], patience: Patience) -> dict[int, int]:
    """What is too much (positive) or too little per hour, once neighbours have made up for it."""
    left = dict(over)
    reach = max(1, math.ceil(patience.late_after / HOUR_SECONDS))
    for hour in sorted(left):
        for other in (hour - 1, *range(hour + 1, hour + reach + 1)):
            if left[hour] >= 0:
                break
            spare = min(max(0, left.get(other, 0)), -left[hour])
            if spare:
                left[hour] += spare
                left[other] -= spare
    return left


def _verdict(hour: Hour, over: int, now: float, seen: float | None, patience: Patience) -> Judged:
    if over >= 0:
        return Judged(Verdict.MORE, over) if over else Judged(Verdict.MEETS)
    short, end = -over, (hour.hour + 1) * HOUR_SECONDS
    if now < end + patience.late_after:
        return Judged(Verdict.NOT_DUE, short)
    if seen is None or seen < end + patience.late_after:
        return Judged(Verdict.UNSEEN, short)
    if hour.runs and hour.finished:
        return Judged(Verdict.SHORT, short)
    if seen < end + patience.missing_after:
        return Judged(Verdict.LATE, short)
    return Judged(Verdict.SHORT if hour.runs else Verdict.MISSING, short)
