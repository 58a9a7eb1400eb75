"""`sluice work`: becomes the worker. Not imported: app knows nothing of worker (design.md 5)."""

from __future__ import annotations

import os
import sys


def work() -> None:
    """Take events from the queue and deliver them, until SIGTERM or Ctrl-C."""
    os.execv(sys.executable, [sys.executable, "-m", "worker"])
