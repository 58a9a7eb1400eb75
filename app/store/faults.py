"""What Redis' errors mean to the rest of the house: StoreUnavailable, with one word why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
)

from app.core.errors import StoreUnavailable

# Beginnings of answers that mean "not now": redis-py has no class of its own for them, and inside
# a script the server may put its own words around them.
_NOT_NOW: Final = {
    "OOM": "full",
    "READONLY": "readonly",
    "LOADING": "loading",
    "BUSY": "busy",
    "MISCONF": "disk",
    "MASTERDOWN": "away",
    "CLUSTERDOWN": "away",
    "NOREPLICAS": "disk",
    "UNBLOCKED": "away",
}


def reason_of(fault: BaseException) -> str | None:
    """One word for a fault that passes by itself or by an operator's hand; None for a bug."""
    match fault:
        case BusyLoadingError():
            return "loading"
        case ReadOnlyError():
            return "readonly"
        case OutOfMemoryError():
            return "full"
        case ConnectionError() | TimeoutError() | OSError():
            return "away"
        case ResponseError():
            return next((why for word, why in _NOT_NOW.items() if word in str(fault)), None)
        case _:
            return None


@contextmanager
def store_faults() -> Iterator[None]:
    """Turns Redis' faults into StoreUnavailable. What is left is a bug."""
    try:
        yield
    except (RedisError, OSError) as fault:
        reason = reason_of(fault)
        if reason is None:
            raise
        raise StoreUnavailable(reason, str(fault)[:200]) from fault
