"""What comes of it if all goes on as in the last minutes: when the backlog is gone, or memory full.

Straight lines, on purpose: an operator can check them, and a lane that opens changes everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

# Less history than this is no trend.
LEAST_SECONDS: Final = 10.0

# A line that meets its goal later than this says nothing.
_HORIZON_SECONDS: Final = 7 * 86_400.0


class Sample(NamedTuple):
    """Counters at one moment. `at`: seconds; counts of events since the beginning; bytes."""

    at: float
    received: int
    done: int
    backlog: int
    memory: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """`collecting`: too little history for a trend. Rates in events/s.

    `clears_seconds`: until the backlog is gone, None when it does not shrink. `full_seconds`: until
    memory reaches its limit, None when it does not grow, or has none.
    """

    collecting: bool = True
    received_rate: float = 0.0
    done_rate: float = 0.0
    clears_seconds: float | None = None
    full_seconds: float | None = None


def forecast(samples: Sequence[Sample], window_seconds: float, memory_limit: int) -> Forecast:
    """From the last `window_seconds` of `samples`, which are in order of time.

    `memory_limit`: bytes at which webhooks are refused; 0 = none.
    """
    if not samples:
        return Forecast()
    last = samples[-1]
    first = next(sample for sample in samples if last.at - sample.at <= window_seconds)
    seconds = last.at - first.at
    if seconds < LEAST_SECONDS:
        return Forecast()
    growth = (last.memory - first.memory) / seconds
    return Forecast(
        collecting=False,
        received_rate=max(0.0, (last.received - first.received) / seconds),
        done_rate=max(0.0, (last.done - first.done) / seconds),
        clears_seconds=_until(last.backlog, (first.backlog - last.backlog) / seconds),
        full_seconds=_until(memory_limit - last.memory, growth) if memory_limit else None,
    )


def _until(way: float, speed: float) -> float | None:
    if way <= 0:
        return 0.0
    if speed <= 0 or way / speed > _HORIZON_SECONDS:
        return None
    return way / speed
