"""Java's date patterns (java.time.format.DateTimeFormatter), cut into tokens.

The letters are those of Adobe's data-handling page, with Java's `x n N A e c` beside them. Where
the page mixes Java's two formatters, judgement:
* `u` to `uuu` is the day of the week from Monday, as the page says (SimpleDateFormat's meaning);
  from four letters on it is the year, for which `uuuu` is written everywhere else.
* `S` is the fraction of the second, so that `SSS` are milliseconds in both.
* `Y`, `w` and `W` count ISO weeks, from Monday; the page says so of `Y`.

A pattern with any other letter is a fault: better none than a wrong date.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from app.core.dataprep.values import RowFault

MAX_PATTERN: Final = 100

LETTERS: Final = frozenset("GyYuMLwWDdFEecaHkKhmsSnNAzZXxVOQq")

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
QUARTERS: Final = ("1st quarter", "2nd quarter", "3rd quarter", "4th quarter")

_TOKEN: Final = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|(.)", re.DOTALL)


class Token(NamedTuple):
    """A letter and how often it stands there, or a text as it is; `[` and `]` around options."""

    letter: str = ""
    size: int = 0
    text: str = ""
    bracket: str = ""


def tokens(pattern: str) -> list[Token]:
    """A pattern in its parts. Raises RowFault."""
    if len(pattern) > MAX_PATTERN:
        raise RowFault(f"a date pattern over {MAX_PATTERN} characters")
    found, open_brackets = [], 0
    for token in map(_token, _TOKEN.finditer(pattern)):
        if token.bracket:
            open_brackets += 1 if token.bracket == "[" else -1
            if open_brackets < 0:
                raise RowFault("the date pattern has a ] without its [")
        found.append(token)
    if open_brackets:
        raise RowFault("the date pattern has a [ without its ]")
    return found


def _token(found: re.Match[str]) -> Token:
    quoted, letter, other = found.groups()
    if quoted is not None:
        # '' alone is one quote, inside quoted text too.
        return Token(text=quoted.replace("''", "'") or "'")
    if letter:
        if letter not in LETTERS:
            raise RowFault(f"the letter {letter} of the date pattern is not known here")
        return Token(letter, len(found[0]))
    if other == "'":
        raise RowFault("a quote of the date pattern is not closed")
    if other in "[]":
        return Token(bracket=other)
    if other in "{}#":
        raise RowFault(f"the {other} of the date pattern must stand in quotes")
    return Token(text=other)
