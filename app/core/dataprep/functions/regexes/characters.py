"""Sets of characters of a Java regular expression: `[a-z&&[^aeiou]]`, `\\h`, `\\p{Punct}`.

A set is worked out to ranges of code points, so that any engine can be told it in plain words. A
property of Unicode (`\\p{Lu}`) stays a name: only RE2 knows what belongs to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LAST: Final = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]


class NotWorkedOut(ValueError):
    """A set that would need the members of a Unicode property."""


@dataclass(frozen=True, slots=True)
class Characters:
    """Ranges of code points, in order and apart, and properties as RE2 writes them."""

    ranges: Ranges = ()
    properties: frozenset[str] = frozenset()
    without: bool = False  # all characters but these: only where there are properties

    def __and__(self, other: Characters) -> Characters:
        return ~union((~self.listed(), ~other.listed()))

    def __invert__(self) -> Characters:
        if self.properties:
            return Characters(self.ranges, self.properties, not self.without)
        gaps, start = [], 0
        for first, last in self.ranges:
            if first > start:
                gaps.append((start, first - 1))
            start = last + 1
        return Characters((*gaps, (start, LAST)) if start <= LAST else tuple(gaps))

    def listed(self) -> Characters:
        """The set itself. Raises NotWorkedOut when it has properties."""
        if self.properties:
            raise NotWorkedOut
        return self

    def __str__(self) -> str:
        """Written so that RE2 and Python's `re` read the same set."""
        if self.properties:
            names = "".join(sorted(self.properties))
            return f"[{'^' if self.without else ''}{_written(self.ranges)}{names}]"
        if len(self.ranges) == 1 and self.ranges[0][0] == self.ranges[0][1]:
            return literal(chr(self.ranges[0][0]))
        rest = (~self).ranges
        if not rest:
            return "(?s:.)"
        if len(rest) < len(self.ranges) or not self.ranges:
            return f"[^{_written(rest)}]"
        return f"[{_written(self.ranges)}]"


def union(parts: Iterable[Characters]) -> Characters:
    """What is in any of the sets. Raises NotWorkedOut for `[a\\P{Lu}]`, said no more simply."""
    sets = tuple(parts)
    if len(sets) == 1:
        return sets[0]
    if any(part.without for part in sets):
        raise NotWorkedOut
    ranges = _tidy(one for part in sets for one in part.ranges)
    return Characters(ranges, frozenset().union(*(part.properties for part in sets)))


def _tidy(ranges: Iterable[tuple[int, int]]) -> Ranges:
    tidied: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if tidied and first <= tidied[-1][1] + 1:
            tidied[-1] = (tidied[-1][0], max(last, tidied[-1][1]))
        else:
            tidied.append((first, last))
    return tuple(tidied)


def _written(ranges: Ranges) -> str:
    text = ""
    # Half surrogate pairs are no characters, and UTF-8, which RE2 reads, has none of them.
    for first, last in _without_surrogates(ranges):
        text += literal(chr(first))
        if last > first:
            text += ("-" if last > first + 1 else "") + literal(chr(last))
    return text


def _without_surrogates(ranges: Ranges) -> Iterable[tuple[int, int]]:
    for first, last in ranges:
        if first < 0xD800:
            yield first, min(last, 0xD7FF)
        if last > 0xDFFF:
            yield max(first, 0xE000), last


def literal(character: str) -> str:
    """A character as itself, in and out of a set, for RE2 and for Python's `re`."""
    if character.isascii() and not character.isalnum() and character != "_":
        return "\\" + character if character.isprintable() else f"\\x{ord(character):02x}"
    return character


def of(*pieces: str) -> Characters:
    """`of("az", "_")`: ranges as two characters, single ones as one."""
    return Characters(_tidy((ord(piece[0]), ord(piece[-1])) for piece in pieces))


DIGIT: Final = of("09")
WORD: Final = of("az", "AZ", "09", "_")
SPACE: Final = of("\t\r", " ")
HORIZONTAL: Final = of(*"\t \xa0\u1680\u180e\u202f\u205f\u3000", "\u2000\u200a")
VERTICAL: Final = of("\n\r", *"\x85\u2028\u2029")
# What `.` leaves out, and in the mode (?d).
LINE_ENDS: Final = of(*"\n\r\x85\u2028\u2029")
UNIX_LINE_END: Final = of("\n")

# \d and its like: the letter, and the set; the capital letter is the rest.
SHORT: Final = {
    "d": DIGIT, "w": WORD, "s": SPACE, "h": HORIZONTAL, "v": VERTICAL,
}  # fmt: skip

_PUNCTUATION: Final = of("!/", ":@", "[`", "{~")
_ALNUM: Final = of("az", "AZ", "09")

# \p{…} of Java's Pattern: POSIX classes are ASCII.
_NAMED: Final = {
    "lower": of("az"), "upper": of("AZ"), "ascii": of("\x00\x7f"), "alpha": of("az", "AZ"),
    "digit": DIGIT, "alnum": _ALNUM, "punct": _PUNCTUATION, "graph": of("!~"), "print": of(" ~"),
    "blank": of("\t", " "), "cntrl": of("\x00\x1f", "\x7f"), "xdigit": of("09", "af", "AF"),
    "space": SPACE, "iswhite_space": union((SPACE, HORIZONTAL, VERTICAL)),
}  # fmt: skip

# Java's words for what RE2 calls by its Unicode category.
_CATEGORIES: Final = {
    "alphabetic": ("L", "Nl"), "letter": ("L",), "digit": ("Nd",), "uppercase": ("Lu",),
    "lowercase": ("Ll",), "titlecase": ("Lt",), "punctuation": ("P",), "control": ("Cc",),
    "javalowercase": ("Ll",), "javauppercase": ("Lu",), "javaletter": ("L",),
    "javadigit": ("Nd",), "javaletterordigit": ("L", "Nd"), "javaalphabetic": ("L", "Nl"),
}  # fmt: skip


def named(name: str) -> Characters:
    """The set `\\p{name}`; a name unknown here is left to RE2, which refuses what it does not know.

    `\\p{Lu}`, `\\p{IsLu}`, `\\p{gc=Lu}`, `\\p{IsLatin}`, `\\p{script=Latin}`, `\\p{Alpha}`.
    """
    known = _NAMED.get(name.lower())
    if known is not None:
        return known
    bare = name.partition("=")[2] if "=" in name else name.removeprefix("Is")
    categories = _CATEGORIES.get(bare.lower(), (bare,))
    return Characters(properties=frozenset(f"\\p{{{category}}}" for category in categories))
