"""Java's date patterns (java.time.format.DateTimeFormatter), as far as events need them.

Letters: y u M d D H h k K m s S n a E z Z X x, quoted text, other characters as they are. A pattern
with a letter beyond these is a fault: better none than a wrong date.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from app.core.dataprep.values import RowFault

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_TOKEN: Final = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z'])", re.DOTALL)

# letter → (number of a date, expression to read it back with)
_NUMBERS: Final[dict[str, Callable[[datetime], int]]] = {
    "M": lambda d: d.month,
    "d": lambda d: d.day,
    "D": lambda d: d.timetuple().tm_yday,
    "H": lambda d: d.hour,
    "k": lambda d: d.hour or 24,
    "h": lambda d: (d.hour + 11) % 12 + 1,
    "K": lambda d: d.hour % 12,
    "m": lambda d: d.minute,
    "s": lambda d: d.second,
}

MAX_PATTERN: Final = 100


@lru_cache(maxsize=256)
def formatter(pattern: str) -> Callable[[datetime], str]:
    """A function that writes a date by the pattern. Raises RowFault for an unknown pattern."""
    pieces = [_writer(letters, text) for letters, text in _tokens(pattern)]
    return lambda moment: "".join([piece(moment) for piece in pieces])


def _tokens(pattern: str) -> list[tuple[str, str]]:
    """(letters, "") or ("", text as it is), in order."""
    if len(pattern) > MAX_PATTERN:
        raise RowFault(f"a date pattern over {MAX_PATTERN} characters")
    tokens = []
    position = 0
    while position < len(pattern):
        found = _TOKEN.match(pattern, position)
        if found is None:
            raise RowFault("a quote of the date pattern is not closed")
        if found[2]:
            tokens.append((found[0], ""))
        else:
            # '' alone is one quote, inside quoted text too.
            quoted = found[1].replace("''", "'") or "'" if found[1] is not None else found[3]
            tokens.append(("", quoted))
        position = found.end()
    return tokens


def _writer(letters: str, text: str) -> Callable[[datetime], str]:
    if text:
        return lambda moment: text
    letter, size = letters[0], len(letters)
    if letter in "yu":
        return (lambda d: f"{d.year % 100:02d}") if size == 2 else (lambda d: f"{d.year:0{size}d}")
    if letter == "M" and size >= 3:
        return lambda d: _MONTHS[d.month - 1][: 3 if size == 3 else None]
    if letter in _NUMBERS:
        number = _NUMBERS[letter]
        return lambda d: f"{number(d):0{size}d}"
    if letter == "S":
        return lambda d: f"{d.microsecond:06d}".ljust(9, "0")[:size].ljust(size, "0")
    if letter == "n":
        return lambda d: f"{d.microsecond * 1000:0{size}d}"
    if letter == "a":
        return lambda d: "AM" if d.hour < 12 else "PM"
    if letter == "E":
        return lambda d: _DAYS[d.weekday()][: 3 if size <= 3 else None]
    if letter in "zZXx":
        return lambda d: _offset(d, letter, size)
    raise RowFault(f"the letter {letter} of the date pattern is not known here")


def _offset(moment: datetime, letter: str, size: int) -> str:
    minutes = round((moment.utcoffset() or timedelta()).total_seconds() / 60)
    if letter == "z":
        return moment.tzname() or "UTC"
    if minutes == 0 and (letter == "X" or (letter == "Z" and size == 5)):
        return "Z"
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    if letter == "Z":
        return {4: f"GMT{sign}{hours:02d}:{rest:02d}"}.get(
            size, f"{sign}{hours:02d}{':' if size == 5 else ''}{rest:02d}"
        )
    if size == 1:
        return f"{sign}{hours:02d}{rest:02d}" if rest else f"{sign}{hours:02d}"
    return f"{sign}{hours:02d}{'' if size in (2, 4) else ':'}{rest:02d}"


@lru_cache(maxsize=256)
def _reader(pattern: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """An expression that reads a date of the pattern, and the letters of its groups."""
    regex, letters = "", []
    for token, text in _tokens(pattern):
        if text:
            regex += re.escape(text)
        else:
            regex += f"({_readable(token)})"
            letters.append(token)
    return re.compile(regex, re.IGNORECASE), tuple(letters)


def _readable(token: str) -> str:
    letter, size = token[0], len(token)
    if letter in "yu":
        return r"\d{2}" if size == 2 else r"\d{4}"
    if letter == "M" and size >= 3:
        return "|".join(name[: 3 if size == 3 else None] for name in _MONTHS)
    if letter in "MdHhkKms":
        return r"\d{2}" if size >= 2 else r"\d{1,2}"
    if letter == "S":
        return rf"\d{{{size}}}"
    if letter == "a":
        return "AM|PM"
    if letter == "E":
        return "|".join(name[: 3 if size <= 3 else None] for name in _DAYS)
    if letter in "ZXx":
        return r"Z|[+-]\d{2}(?::?\d{2})?"
    raise RowFault(f"the letter {letter} of the date pattern cannot be read from text here")


def parse_date(text: str, pattern: str) -> datetime | None:
    """The date in a text of exactly this pattern, in UTC when it names no offset; else None."""
    regex, letters = _reader(pattern)
    found = regex.fullmatch(text.strip()) if len(text) <= MAX_PATTERN else None
    if found is None:
        return None
    parts = {"y": 1970, "M": 1, "d": 1, "H": 0, "m": 0, "s": 0, "f": 0}
    zone, afternoon = UTC, None
    for token, value in zip(letters, found.groups(), strict=True):
        if token[0] in "ZXx":
            zone = _zone(value)
        elif token[0] == "a":
            afternoon = value.upper() == "PM"
        elif token[0] != "E":
            name, number = _part(token, value)
            parts[name] = number
    if afternoon is not None:
        parts["H"] = parts["H"] % 12 + (12 if afternoon else 0)
    try:
        year, month, day, hour, minute, second, micro = parts.values()
        return datetime(year, month, day, hour, minute, second, micro, zone)
    except ValueError:
        return None


def _part(token: str, value: str) -> tuple[str, int]:
    letter, size = token[0], len(token)
    if letter in "yu":
        return "y", int(value) + (2000 if size == 2 else 0)
    if letter == "M" and size >= 3:
        return "M", [name[:3] for name in _MONTHS].index(value[:3].title()) + 1
    if letter == "S":
        return "f", int(value.ljust(6, "0")[:6])
    return {"h": "H", "k": "H", "K": "H"}.get(letter, letter), int(value) % (
        24 if letter == "k" else 100
    )


def _zone(text: str) -> timezone:
    if text.upper() == "Z":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    if minutes >= 24 * 60:
        raise RowFault("an offset of a day or more")
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
