"""`python -m app` and the `sluice` script: logs are set up, the command runs, faults become a line.

Exit codes: 0 done, 1 the answer is no, 2 wrong use or configuration.
"""

from __future__ import annotations

import sys

from app.cli import cli
from app.core.errors import ConfigError, SluiceError
from app.logs import set_up
from app.settings import Settings, environment, load_settings

NO = 1
WRONG_USE = 2
INTERRUPTED = 130

# In the logs a process goes by what it is, not by how it was called.
_ROLES = {
    "serve-receiver": "receiver",
    "serve-receiver-child": "receiver",
    "serve-console": "console",
}


def main() -> None:
    """Runs one command and exits with its code."""
    sys.exit(_run())


def _run() -> int:
    settings = _settings()
    command = _command(sys.argv[1:])
    set_up(settings.log_format, settings.log_level, _ROLES.get(command, command))
    try:
        # Typer exits by itself, with the command's code.
        cli(prog_name="sluice")
    except ConfigError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        return WRONG_USE
    except SluiceError as error:
        print(f"sluice: {error}", file=sys.stderr)
        return NO
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _command(words: list[str]) -> str:
    """The noun, behind what is said to all of them."""
    at = 2 if words[:1] == ["--console"] else 0
    return next((word for word in words[at:] if not word.startswith("-")), "")


def _settings() -> Settings:
    """For the logs only: what is wrong with the settings is for the command to say."""
    try:
        return load_settings(environment())
    except ConfigError:
        return Settings()


if __name__ == "__main__":
    main()
