"""The receiver of production, but for its patience with slow or idle clients: 0.25 s."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from app.__main__ import main
from app.settings import Settings
from app.web.config import ReceiverConfig

SECONDS: Final = 0.25

# The package has the function under the module's name.
command = importlib.import_module("app.cli.serve_receiver")
_usual = command.receiver_config


def _impatient(settings: Settings) -> ReceiverConfig:
    return replace(_usual(settings), header_deadline_seconds=SECONDS, body_deadline_seconds=SECONDS)


def _child(listening_fd: int, control_fd: int) -> Sequence[str]:
    program = [sys.executable, "-m", __spec__.name, "serve-receiver-child"]
    return [*program, str(listening_fd), str(control_fd)]


if __name__ == "__main__":
    command.receiver_config = _impatient
    command._child_command = _child
    main()
