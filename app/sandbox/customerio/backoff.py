"""When a webhook is tried again. Pure. Waits are seconds of real time, before any scaling."""

from __future__ import annotations

from typing import Final

# customerio.md section 9: these statuses hold the stream for an hour before the first retry.
HOLDING: Final = frozenset({400, 401, 402, 403, 404, 405, 410, 429, 500, 502, 521})
# So do these errors.
EOF: Final = "EOF"
MISBEHAVING: Final = "server misbehaving"
REFUSED: Final = "connect: connection refused"
RESET: Final = "read: connection reset by peer"
BAD_CERTIFICATE: Final = "tls: failed to verify certificate: x509:"
HOLDING_ERRORS: Final = frozenset({EOF, MISBEHAVING, REFUSED, RESET, BAD_CERTIFICATE})
HOLD_S: Final = 3600.0
# So long an event is tried, and blocks those behind it.
PATIENCE_S: Final = 7 * 86_400.0
# The steps are not documented ("exponential"): these are ours.
FIRST_STEP_S: Final = 30.0
LONGEST_STEP_S: Final = 6 * 3600.0

_QUICK_FIRST_S: Final = 0.1
_QUICK_LONGEST_S: Final = 5.0


def vendor_wait(tries: int, status: int, error: str = "") -> float:
    """What Customer.io waits after try number `tries` (from 1).

    `status` 0: no answer, for the reason in `error`; a time-out is none that holds for an hour.
    """
    if tries == 1 and (status in HOLDING or error in HOLDING_ERRORS):
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
