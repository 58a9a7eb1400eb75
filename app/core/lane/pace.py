"""How fast a lane may send, learned from refusals: CUBIC (RFC 9438), for a rate.

After a refusal the rate falls to nine tenths, comes back near the rate that was refused, stays
there for long, and only then tries more, ever faster: so a steady limit is met closely and is
bumped into seldom, and one that was lifted is found within a minute. AIMD (Chiu and Jain 1989)
would bump as often and sit lower.

Three things differ from RFC 9438. The cubic's time to the plateau is fixed instead of growing with
the size of the window: a rate has no round trips to count. The curve moves on only while more than
half of the rate is in use (as RFC 7661 asks), so an idle lane learns nothing. And a curve that has
passed its peak by as much as it had fallen below it doubles from there on: the refusals had nothing
to do with the lane's speed, or the limit was lifted, and a backlog waits.
"""

from __future__ import annotations

from typing import Final, NamedTuple

# Slow start, as in TCP (RFC 9438 section 4.10): a lane that was never refused begins with a tenth
# of its limit and doubles each second in which that is not enough.
_FIRST_SHARE: Final = 0.1
_DOUBLING_SECONDS: Final = 1.0
# What is left of the rate after a refusal. RFC 9438 has 0.7, for networks that queue and drop.
_KEPT: Final = 0.9
# While it doubles the limit may have been passed by nearly twice.
_KEPT_FIRST: Final = 0.5
# Seconds from a refusal to the plateau: a refusal in thirty seconds or so, in steady state.
_PLATEAU_SECONDS: Final = 15.0
# By now the cubic is as far above the peak as it began below it.
_PASSED_SECONDS: Final = 2 * _PLATEAU_SECONDS
_LIFTED_DOUBLING_SECONDS: Final = 2.0
# 2.0**1024 overflows; far below that the limit has taken over.
_MOST_DOUBLINGS: Final = 60.0
# Refused again within so much growth: it was not the last step that was too much.
_AGAIN_SECONDS: Final = 1.0
_HOLD_SECONDS: Final = 0.1
_HOLD_MOST_SECONDS: Final = 5.0
_SLOWEST: Final = 1.0


class Pace(NamedTuple):
    """What is known of a lane's limit.

    `peak`: messages/s that were refused, 0 = never refused. `low`: where the rate fell to.
    `grown`: seconds since in which the rate was in use. `streak`: refusals that
    followed each other closely. `version`: number of refusals that changed it.
    """

    peak: float = 0.0
    low: float = 0.0
    grown: float = 0.0
    streak: int = 0
    version: int = 0


class Cut(NamedTuple):
    """The pace after a refusal, and the seconds in which nothing at all is sent."""

    pace: Pace
    hold_seconds: float


FRESH: Final = Pace()


def messages_per_second(pace: Pace, limit: float) -> float:
    """The rate allowed now; `limit`: the configured one, which is never passed."""
    if pace.peak <= 0:
        first = max(_SLOWEST, limit * _FIRST_SHARE)
        return min(limit, _doubled(first, pace.grown / _DOUBLING_SECONDS))
    left = 1.0 - min(pace.grown, _PASSED_SECONDS) / _PLATEAU_SECONDS
    rate = max(_SLOWEST, pace.peak - (pace.peak - pace.low) * left**3)
    passed = max(0.0, pace.grown - _PASSED_SECONDS)
    return min(limit, _doubled(rate, passed / _LIFTED_DOUBLING_SECONDS))


def cut(pace: Pace, limit: float) -> Cut:
    """What follows from a request that was refused as one too many."""
    rate = messages_per_second(pace, limit)
    if pace.peak <= 0 or pace.grown > _PASSED_SECONDS:
        slower = Pace(rate, rate * _KEPT_FIRST, 0.0, 0, pace.version + 1)
        return Cut(slower, _HOLD_SECONDS)
    streak = pace.streak + 1 if pace.grown < _AGAIN_SECONDS else 0
    # Refused below the last peak: the limit has come down, or another lane wants its part of it.
    # RFC 9438 section 4.7, fast convergence.
    peak = rate if rate >= pace.peak else rate * (1 + _KEPT) / 2
    low = max(_SLOWEST, rate * _KEPT ** (1 + streak))
    hold = min(_HOLD_MOST_SECONDS, _HOLD_SECONDS * 2.0 ** min(streak, 30))
    return Cut(Pace(max(peak, low), low, 0.0, streak, pace.version + 1), hold)


def _doubled(rate: float, times: float) -> float:
    return float(rate * 2.0 ** min(times, _MOST_DOUBLINGS))
