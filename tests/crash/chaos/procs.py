"""What runs below a process, by /proc: who it is, how much memory and how many descriptors."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Found:
    """`role`: the command, as people call it."""

    pid: int
    parent: int
    role: str


@dataclass(frozen=True, slots=True)
class Use:
    """Bytes resident, and open descriptors."""

    memory: int
    descriptors: int


def below(pid: int) -> list[Found]:
    """The process and everything it started, and what that started."""
    everyone = _everyone()
    wanted, found = {pid}, []
    for each in sorted(everyone, key=lambda x: x.pid):
        if each.pid == pid or each.parent in wanted:
            wanted.add(each.pid)
            found.append(each)
    return found


def use_of(pid: int) -> Use | None:
    """None when it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return Use(pages * _PAGE, len(os.listdir(f"/proc/{pid}/fd")))
    except (OSError, IndexError):
        return None


def _everyone() -> list[Found]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError, IndexError):
                # The name in parentheses may hold anything, spaces too.
                stat = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
                if stat[0] != "Z":
                    found.append(Found(int(name), int(stat[1]), _role(int(name))))
    return found


def _role(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    for word in ("serve-receiver-child", "serve-receiver", "worker", "sandbox", "up"):
        if word in words:
            return word
    return "watchdog" if any(w.endswith("watchdog.py") for w in words) else words[0]
