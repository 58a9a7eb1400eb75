"""Our end of the watchdog: the process that stops the children when we cannot."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from app.cli.up import watchdog


class Watch:
    """A running watchdog. It inherits `lock`: no second `up` begins before the last child ended."""

    def __init__(self, lock: int) -> None:
        self._process = subprocess.Popen(
            (sys.executable, "-I", str(Path(watchdog.__file__))),
            stdin=subprocess.PIPE,
            pass_fds=(lock,),
            start_new_session=True,
            text=True,
            bufsize=1,
        )

    def tell(self, line: str) -> None:
        """`+ PGID RANK` or `- PGID`."""
        assert self._process.stdin is not None  # PIPE was asked for
        # A watchdog that somebody killed is no reason to stop.
        with suppress(OSError):
            self._process.stdin.write(f"{line}\n")

    def end(self) -> None:
        """All children have ended: it has nothing to do."""
        with suppress(OSError):
            self._process.communicate(timeout=watchdog.GRACE_SECONDS)
