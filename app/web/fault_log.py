"""What nobody foresaw, said once per kind: a fault in the hot path must not flood the log."""

from __future__ import annotations

from pathlib import Path
from traceback import walk_tb

import structlog

log = structlog.get_logger(__name__)


class FaultLog:
    """Logs the first exception of each type and place. Never its text: that may quote a body."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()

    def report(self, fault: BaseException) -> None:
        place = [f"{Path(f.f_code.co_filename).name}:{n}" for f, n in walk_tb(fault.__traceback__)]
        kind = (type(fault).__name__, place[-1] if place else "")
        if kind not in self._seen:
            self._seen.add(kind)
            log.error("receiver.faulted", error=kind[0], at=" > ".join(place[-4:]))
