"""The worker, with a flaw: an event marked as poison ends the process on the spot."""

from __future__ import annotations

import os
import sys

from app.core.event import Event
from worker.main import main
from worker.route import Remarks, Route

POISON = b"this event is poison"

_message = Route.message


def _fatal_message(
    self: Route, event: Event, body: bytes, received_ms: int, now: float, remarks: Remarks
) -> bytes:
    if POISON in body:
        os._exit(9)
    return _message(self, event, body, received_ms, now, remarks)


if __name__ == "__main__":
    Route.message = _fatal_message  # type: ignore[method-assign]  # the flaw
    sys.exit(main())
