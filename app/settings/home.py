"""Where things lie when nobody says: the checkout, or the installed package; and a running system.

`sluice up` writes `run.json` into its data folder and holds a lock beside it while it lives, so
that a command in another terminal finds Redis, keys and addresses by itself.
"""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import Any, Final

RUN_FILE: Final = "run.json"
LOCK_FILE: Final = "up.lock"

_PACKAGE: Final = Path(__file__).resolve().parents[1]


def checkout() -> Path | None:
    """The folder of the source tree this code runs from, or None when it was installed."""
    root = _PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "config").is_dir() else None


def default_config_dir() -> Path:
    """`config/` of the checkout, or the copy that the wheel carries."""
    root = checkout()
    return _relative(root / "config") if root else _PACKAGE / "_config"


def default_data_dir() -> Path:
    """`var/` of the checkout, or of the current folder."""
    root = checkout()
    return _relative(root / "var") if root else Path("var")


def running(data_dir: Path) -> dict[str, Any] | None:
    """What the live `sluice up` of `data_dir` wrote into run.json, or None when none lives.

    Shape: `{"pid": int, "environment": {NAME: text}, "addresses": {role: url}}`.
    """
    try:
        with (data_dir / LOCK_FILE).open("rb") as lock:
            if _free(lock.fileno()):
                return None
        found = json.loads((data_dir / RUN_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _relative(path: Path) -> Path:
    """`path` as seen from the current folder when it lies below: shorter in every message."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path
