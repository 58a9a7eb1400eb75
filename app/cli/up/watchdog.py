"""Ends the children of `sluice up` when it dies without a word: SIGKILL, a crash.

Run as a script, with nothing but the standard library, in a session of its own. stdin is a pipe
from `sluice up`: `+ PGID RANK` for a child that began, `- PGID` for one that ended. When it closes,
whoever is left is asked to stop, lowest rank first (Redis is last), and then made to.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

GRACE_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.05


def main() -> None:
    """Reads until the pipe closes, then stops what is left."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    stop_all(left(sys.stdin))


def left(lines: Iterable[str]) -> list[int]:
    """The process groups that began and did not end, in stopping order."""
    alive: dict[int, int] = {}
    for line in lines:
        match line.split():
            case ["+", group, rank]:
                alive[int(group)] = int(rank)
            case ["-", group]:
                alive.pop(int(group), None)
    return sorted(alive, key=lambda group: alive[group])


def stop_all(groups: list[int], grace_seconds: float = GRACE_SECONDS) -> None:
    """SIGTERM, and SIGKILL when that was not enough, to one group after the other."""
    for group in groups:
        _signal(group, signal.SIGTERM)
        deadline = time.monotonic() + grace_seconds
        while _alive(group) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        _signal(group, signal.SIGKILL)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    return True


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(OSError):
        os.killpg(group, number)


if __name__ == "__main__":
    main()
