"""The one log of `sluice up`: every line of every child, behind its role."""

from __future__ import annotations

from typing import Final, TextIO

# ANSI foreground colours that read on dark and light ground.
_COLORS: Final = {
    "redis": 35,
    "sandbox": 36,
    "receiver": 32,
    "worker": 34,
    "console": 31,
    "sluice": 33,
}
_WIDTH: Final = 8


class Screen:
    """Writes whole lines, one at a time."""

    def __init__(self, stream: TextIO, colored: bool) -> None:
        self._stream = stream
        self._colored = colored

    def line(self, role: str, text: str) -> None:
        """One line of `role`'s log."""
        mark = f"{role:<{_WIDTH}} |"
        if self._colored:
            mark = f"\033[{_COLORS.get(role, 37)}m{mark}\033[0m"
        self.plain(f"{mark} {text}")

    def plain(self, text: str) -> None:
        """Text without a role."""
        self._stream.write(f"{text}\n")
        self._stream.flush()


class Lines:
    """Cuts a child's output into lines, however it comes, and hands them to the screen."""

    def __init__(self, screen: Screen, role: str) -> None:
        self._screen = screen
        self._role = role
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """What the child wrote; an unfinished line waits."""
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        for line in whole:
            self._screen.line(self._role, line.decode(errors="replace").rstrip("\r"))

    def end(self) -> None:
        """The child closed its output."""
        if self._rest:
            self.feed(b"\n")
