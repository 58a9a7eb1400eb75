"""What is wrong with a mapping set, said so that a person finds the place.

A problem names the row as it is written in the file and, where one place is at fault, the
character: `pointed()` shows the text with a caret under it.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Place = Literal["source", "destination", "row", "set"]

# How much of a long text stands around the place.
_WINDOW: Final = 100

# One character each, so that the caret stays under its place.
_SHOWN: Final = {"\t": "→", "\n": "↵", "\r": "↵"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. `row` counts from 1, 0 is the set itself; `column` counts characters from 1.

    `text` is the row's source or destination as written, `label` the row in a line:
    `#12 EXPRESSION lower(a.b) -> c.d`.
    """

    row: int
    place: Place
    column: int | None
    message: str
    text: str = ""
    label: str = ""

    def __str__(self) -> str:
        line = f"{self.label}: {self.message}" if self.label else self.message
        if self.column is None:
            return line
        return f"{line} (character {self.column} of its {self.place})"

    def pointed(self) -> str:
        """The text and, in a second line, a caret under the place; "" when there is no place.

        Of a long text about 100 characters around it.
        """
        if self.column is None or not self.text:
            return ""
        at = min(max(self.column - 1, 0), len(self.text))
        start = max(0, min(at - _WINDOW // 2, len(self.text) - _WINDOW))
        end = min(len(self.text), start + _WINDOW)
        shown = "".join(map(_shown, self.text[start:end]))
        before = "…" if start else ""
        after = "…" if end < len(self.text) else ""
        indent = len(before) + sum(map(_width, self.text[start:at]))
        return f"{before}{shown}{after}\n{' ' * indent}^"


def one_line(text: str, limit: int) -> str:
    """A text in one line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean x?` where a known word is close to this one, else ""."""
    words = {each.lower(): each for each in known}
    found = difflib.get_close_matches(word.lower()[:100], words, n=1, cutoff=0.75)
    return f"; did you mean {words[found[0]]}?" if found else ""


def _shown(character: str) -> str:
    if character in _SHOWN:
        return _SHOWN[character]
    return character if character.isprintable() else "·"


def _width(character: str) -> int:
    """Columns that a character takes on a terminal."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
