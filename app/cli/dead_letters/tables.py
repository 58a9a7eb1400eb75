"""Events are strangers: what they hold is shown, and never obeyed.

Control characters could rewrite a terminal, and markup is rich's; both stay text here.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_MOST: Final = 300
# Cc control, Cf format (right-to-left overrides), Cs surrogate, Zl and Zp line breaks.
_HIDDEN: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def plain(text: object, most: int = _MOST) -> str:
    """One line without control characters, cut when it is long."""
    shown = "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(each) in _HIDDEN else each
        for each in str(text)[: most + 1]
    )
    return shown if len(shown) <= most else shown[:most] + "…"


def plain_lines(text: str) -> str:
    """The same for a text of several lines, whole."""
    return "\n".join(plain(line, len(line)) for line in text.split("\n"))


def most_of(counts: dict[str, int], most: int = 3) -> str:
    """`email.sent 12, sms.sent 3, 4 more`."""
    shown = [f"{plain(name, 60) or '-'} {count}" for name, count in list(counts.items())[:most]]
    rest = len(counts) - len(shown)
    return ", ".join(shown + ([f"{rest} more"] if rest else []))
