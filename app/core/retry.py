"""When to try again, and when to stop. Pure: chance and time are arguments.

Exponential backoff with full jitter, after "Exponential Backoff And Jitter" on the AWS
Architecture Blog: a uniform draw between nothing and the exponential bound, which spreads
clients better than a fixed step with a little noise.
"""

from __future__ import annotations

import math
from typing import Final

DEFAULT_BASE_SECONDS: Final = 2.0
DEFAULT_CAP_SECONDS: Final = 3600.0
# As long as Customer.io itself would have tried (customerio.md section 9).
DEFAULT_MAX_AGE_SECONDS: Final = 7 * 86400.0
# Tries of a message that Platform itself stumbles over each time (status 500) while others get
# through: two hours or so with the defaults. Platform answers so, too, when a schema is missing or
# does not match (platform.md section 2.6), and its retries must have an end.
MOST_FAULTS: Final = 12
# From how many such tries on its neighbours are separated from it.
SUSPECT_FAULTS: Final = 2


def delay(
    attempt: int,
    jitter: float,
    base: float = DEFAULT_BASE_SECONDS,
    cap: float = DEFAULT_CAP_SECONDS,
    retry_after: float | None = None,
) -> float:
    """Seconds to wait after attempt number `attempt` (1 = the first one failed).

    `jitter`: a uniform draw from 0..1. `retry_after`: seconds the other side asked for; never
    less than that, up to `cap`, and spread above it so that not everyone comes back at once.
    """
    chance = min(max(jitter, 0.0), 1.0)
    # 2.0**1024 overflows; far below that the cap has taken over.
    bound = min(cap, base * 2.0 ** min(max(attempt - 1, 0), 62))
    if retry_after is None or not math.isfinite(retry_after) or retry_after <= 0:
        return chance * bound
    floor = min(retry_after, cap)
    return max(chance * bound, floor + chance * min(base, cap))


def expired(first_received_ms: int, now_ms: int, max_age: float = DEFAULT_MAX_AGE_SECONDS) -> bool:
    """Whether an event received at `first_received_ms` is too old to try again.

    Times in Unix milliseconds, `max_age` in seconds. A clock that went back expires nothing.
    """
    return now_ms - first_received_ms >= max_age * 1000
