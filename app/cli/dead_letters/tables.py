"""What events hold, in one line: they are strangers, so it is shown and never obeyed."""

from __future__ import annotations

from typing import Final

from app.cli.reading import visible

_MOST: Final = 300


def plain(text: object, most: int = _MOST) -> str:
    """One line, cut when it is long."""
    whole = str(text)
    return visible(whole) if len(whole) <= most else visible(whole[:most]) + "…"


def plain_lines(text: str) -> str:
    """A text of several lines, whole."""
    return visible(text, keep="\n\t")


def most_of(counts: dict[str, int], most: int = 3) -> str:
    """`email.sent 12, sms.sent 3, 4 more`."""
    shown = [f"{plain(name, 60) or '-'} {count}" for name, count in list(counts.items())[:most]]
    rest = len(counts) - len(shown)
    return ", ".join(shown + ([f"{rest} more"] if rest else []))
