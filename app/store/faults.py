"""What Redis' errors mean to the rest of the house: StoreUnavailable, with one word why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    ExecAbortError,
    InvalidResponse,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
    WatchError,
)

from app.core.errors import StoreUnavailable

# Answers that mean "not now": redis-py has no class of its own for them, and inside a script the
# server may put its own words around them.
_NOT_NOW: Final = {
    "OOM": "full",
    "READONLY": "readonly",
    "LOADING": "loading",
    "BUSY": "busy",
    "UNKILLABLE": "busy",
    "MISCONF": "disk",
    "MASTERDOWN": "away",
    "NOREPLICAS": "replicas",
    "UNBLOCKED": "away",
    "NOPERM": "permission",
    # A node of a Redis Cluster speaks so.
    "MOVED": "cluster",
    "ASK": "cluster",
    "TRYAGAIN": "cluster",
    "CROSSSLOT": "cluster",
    "CLUSTERDOWN": "cluster",
}

_WORDS: Final = re.compile(rf"\b(?:{'|'.join(_NOT_NOW)})\b")

# uvloop, of a write to a connection that broke a moment before: no OSError, as asyncio's own.
_CLOSED: Final = "the handler is closed"

# What a person can do about it, where waiting is not enough.
_FIX: Final = {
    "password": "set the user and password in SLUICE_REDIS_URL, or SLUICE_REDIS_PASSWORD_FILE",
    "permission": "give the user what config/redis-acl.conf has; sluice doctor says what it lacks",
    "tls": "look at SLUICE_REDIS_URL (rediss://, the host's name), SLUICE_REDIS_CA_FILE, "
    "SLUICE_REDIS_CERT_FILE, and the certificate of Redis",
    "cluster": "Sluice wants one Redis, not a Cluster",
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
        case NoPermissionError():
            return "permission"
        case AuthenticationError():
            return "password"
        case ConnectionError() | TimeoutError() | OSError():
            return "tls" if "[SSL" in str(fault) else "away"
        case InvalidResponse():
            return "garbled"
        case WatchError() | ExecAbortError():
            # arq's transaction, whose connection broke: where two raced, arq says so by itself.
            return "away"
        case ResponseError():
            return _not_now(_said(fault))
        case _:
            return "away" if isinstance(fault, RuntimeError) and _CLOSED in str(fault) else None


def _said(fault: BaseException) -> str:
    """The server's words, without the command that redis-py puts before them in a pipeline."""
    return str(fault).rpartition("of pipeline caused error: ")[2]


def _not_now(text: str) -> str | None:
    # What Redis 7.0 and later ones make of NOPERM inside a script.
    if "executing the script can't" in text or "ACL failure in script" in text:
        return "permission"
    if "EXEC without MULTI" in text:
        return "away"  # another server, or another connection, than the one that heard the MULTI
    found = _WORDS.search(text)
    return _NOT_NOW[found[0]] if found else None


@contextmanager
def store_faults() -> Iterator[None]:
    """Turns Redis' faults into StoreUnavailable. What is left is a bug."""
    try:
        yield
    except (RedisError, OSError, RuntimeError) as fault:
        reason = reason_of(fault)
        if reason is None:
            raise
        detail, fix = _said(fault)[:300], _FIX.get(reason)
        raise StoreUnavailable(reason, f"{detail}; {fix}" if fix else detail) from fault
