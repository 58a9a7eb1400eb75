"""When a webhook is tried again. Pure. Waits are seconds of real time, before any scaling."""

from __future__ import annotations

from typing import Final

# customerio.md section 9: these statuses hold the stream for an hour before the first retry.
HOLDING: Final = frozenset({400, 401, 402, 403, 404, 405, 410, 429, 500, 502, 521})
HOLD_S: Final = 3600.0
# The steps are not documented ("exponential"): these are ours.
FIRST_STEP_S: Final = 30.0
LONGEST_STEP_S: Final = 6 * 3600.0

_QUICK_FIRST_S: Final = 0.1
_QUICK_LONGEST_S: Final = 5.0


def vendor_wait(tries: int, status: int, broken: bool) -> float:
    """What Customer.io waits after try number `tries` (from 1).

    `status` 0: no answer; `broken`: the connection was refused or lost, which holds for an hour
    while a time-out does not.
    """
    if tries == 1 and (status in HOLDING or broken):
        return HOLD_S
    return float(min(FIRST_STEP_S * 2 ** min(tries - 1, 20), LONGEST_STEP_S))


def quick_wait(tries: int, retry_after: float | None) -> float:
    """What the concurrent sender waits: Retry-After within bounds, else short doubling steps."""
    if retry_after is not None:
        return min(max(retry_after, 0.0), _QUICK_LONGEST_S)
    return float(min(_QUICK_FIRST_S * 2 ** min(tries - 1, 10), _QUICK_LONGEST_S))


def worth_another(status: int) -> bool:
    """Whether the concurrent sender tries again: no answer, throttled, or a fault over there."""
    return status == 0 or status == 429 or status >= 500
