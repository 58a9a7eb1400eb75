"""Reading a date by a Java pattern; which letters there are is told in patterns.py.

Reading is strict: every part must be as wide as its letters, fit its range, and agree with the
others (2021-02-30 and `Mon 2021-02-03` are no dates; Java's own default would make the first one
the 28th). Judgement: capitals do not count, blanks around the text neither, an offset may be
written in any of its forms; what a pattern leaves out is the first: of month, day, hour. Without
a zone a date is UTC.

The expression a pattern becomes never goes back on what it has read, as Java's reader does not, but
for digits that one number takes from the next: so no pattern, however odd, takes long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from app.core.dataprep.functions.dates.patterns import DAYS, MONTHS, QUARTERS, Token, tokens
from app.core.dataprep.functions.dates.writing import NUMBERS
from app.core.dataprep.functions.dates.zones import WHOLE_NAMES, at, zone_read
from app.core.dataprep.values import RowFault

MAX_DATE: Final = 100

_ZONED: Final = "zVOZXx"
_OFFSET: Final = r"Z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?"
_ZONE: Final = (
    "|".join(re.escape(name) for name in sorted(WHOLE_NAMES, key=len, reverse=True))
    + r"|[+-]\d{1,2}(?::?\d{2})?|[A-Z][A-Z0-9_/+:-]*"
)
_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?"
    rf"((?>{_OFFSET}|{_ZONE}))?",
    re.ASCII | re.IGNORECASE,
)

# letter → digits of a number in one letter; with more letters it has as many digits.
_WIDTHS: Final = {
    "w": 2, "W": 1, "D": 3, "d": 2, "F": 1, "H": 2, "k": 2, "h": 2, "K": 2, "m": 2, "s": 2,
    "n": 9, "A": 8, "N": 14, "u": 1, "e": 1, "c": 1, "M": 2, "L": 2, "Q": 1, "q": 1,
}  # fmt: skip

# Letters that a date which has been read must agree with.
_AGREE: Final = frozenset("wWDdFueMLQHkhKms") | {"c", "q"}


def parse_date(text: str, pattern: str) -> datetime | None:
    """The date in a text of exactly this pattern; None when it has none. Raises RowFault for a
    pattern that cannot be read.
    """
    regex, found_by = _reader(pattern)
    found = regex.fullmatch(text.strip()) if len(text) <= MAX_DATE else None
    if found is None:
        return None
    read: dict[str, int] = {}
    zone: tzinfo = UTC
    try:
        for token, part in zip(found_by, found.groups(), strict=True):
            if part is None:  # of an option that is not there
                continue
            if token.letter in _ZONED:
                zone = zone_read(_canonical(part))
            else:
                name = _field(token)
                if read.setdefault(name, _number(token, part)) != _number(token, part):
                    return None
        return _resolved(read, zone)
    except (ValueError, OverflowError, RowFault):
        return None


def parse_iso(text: str) -> datetime | None:
    """RFC 3339 and what comes near it: seconds and zone may be absent, a blank may part them."""
    found = _ISO.fullmatch(text.strip()) if len(text) <= MAX_DATE else None
    if found is None:
        return None
    *parts, fraction, zone = found.groups()
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    micro = int((fraction or "").ljust(6, "0")[:6])
    try:
        where = zone_read(_canonical(zone)) if zone else UTC
        return at(datetime(year, month, day, hour, minute, second, micro, where))
    except (ValueError, OverflowError, RowFault):
        return None


def _canonical(zone: str) -> str:
    """A zone as it is known: short names in capitals, regions as they are."""
    for name in WHOLE_NAMES:
        if name.lower() == zone.lower():
            return name
    return zone if "/" in zone else zone.upper()


# -- from a pattern to an expression ------------------------------------------------------------


@lru_cache(maxsize=256)
def _reader(pattern: str) -> tuple[re.Pattern[str], tuple[Token, ...]]:
    """An expression that reads a date of the pattern, and the tokens of its groups."""
    regex, letters, in_run = "", [], False
    for token in tokens(pattern):
        piece, width = _readable(token)
        if in_run and not (width and width[0] == width[1]):
            regex, in_run = regex + ")", False
        if token.letter:
            letters.append(token)
        if width and width[0] < width[1]:
            # It leaves digits to numbers of fixed width right behind it ("Hmm"), to nothing else.
            regex, in_run = regex + "(?>", True
        regex += piece
    return re.compile(regex + (")" if in_run else ""), re.ASCII | re.IGNORECASE), tuple(letters)


def _readable(token: Token) -> tuple[str, tuple[int, int] | None]:
    """The expression for a token, and how many digits it takes when it is a number."""
    letter, size, text, bracket = token
    if bracket:
        return ("(?>" if bracket == "[" else ")?+"), None
    if text:
        return re.escape(text), None
    words = _words(letter, size)
    if words is not None:
        return f"((?>{words}))", None
    least, most = _digits(letter, size)
    return rf"(\d{{{least},{most}}})", (least, most)


def _words(letter: str, size: int) -> str | None:
    if letter in "zV":
        return rf"{_ZONE}"
    if letter == "O":
        return r"GMT(?:[+-]\d{1,2}(?::?\d{2})?)?"
    if letter in _ZONED:
        return rf"(?:GMT)?(?:{_OFFSET})|GMT"
    if letter in _TEXTS and (size >= 3 or letter in "aEG"):
        return "|".join(_texts(letter, size))
    return None


def _texts(letter: str, size: int) -> list[str]:
    """The words of a letter; their place in the list is their number."""
    words = _TEXTS[letter]
    if letter in "aG":
        return [word.replace(" ", r"\ ") for word in words]
    if letter in "Qq":
        return [f"Q{n}" if size == 3 else str(n) for n in range(1, 5)] if size != 4 else [*words]
    length = {3: 3, 5: 1}.get(max(size, 3))
    return [word[:length] for word in words]


_TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "G": ("Anno Domini", "AD", "A"), "a": ("AM", "PM"), "M": MONTHS, "L": MONTHS, "E": DAYS,
    "e": DAYS, "c": DAYS, "Q": QUARTERS, "q": QUARTERS,
}  # fmt: skip


def _digits(letter: str, size: int) -> tuple[int, int]:
    if letter == "S":
        return size, size
    if letter in "yY" or (letter == "u" and size >= 4):
        return {1: (1, 4), 2: (2, 2), 3: (3, 4)}.get(size, (size, size))
    widest = _WIDTHS[letter]
    if letter == "D" and size == 2:
        return 2, 3
    return (1, widest) if size == 1 else (size, size)


# -- from what was read to a date ---------------------------------------------------------------


def _field(token: Token) -> str:
    """What a token tells: its letter, or the letter that means the same."""
    letter, size, _, _ = token
    if letter == "u":
        return "y" if size >= 4 else "u"
    if letter in "Eec":
        return "e" if letter in "ec" and size < 3 else "u"
    return {"L": "M", "q": "Q"}.get(letter, letter)


def _number(token: Token, part: str) -> int:
    letter, size, _, _ = token
    if letter == "S":
        return int(part.ljust(6, "0")[:6])
    if letter in "yYu" and _field(token) in "yY":
        return int(part) + (2000 if size == 2 else 0)
    if _words(letter, size) is None:
        return int(part)
    words = [word.replace("\\", "").lower() for word in _texts(letter, size)]
    return words.index(part.lower()) + 1


def _resolved(read: Mapping[str, int], zone: tzinfo) -> datetime | None:
    day = _day(read)
    micro = read.get("S", read.get("n", 0) // 1000)
    moment = datetime(
        day.year, day.month, day.day, _hour(read), read.get("m", 0), read.get("s", 0), micro, zone
    )
    if "A" in read:
        moment += timedelta(milliseconds=read["A"])
    if "N" in read:
        moment += timedelta(microseconds=read["N"] // 1000)
    for letter, number in read.items():
        if letter in _AGREE and NUMBERS[letter](moment) != number:
            return None
    if read.get("a", 0) not in (0, 1 + (moment.hour >= 12)):
        return None
    return at(moment)


def _day(read: Mapping[str, int]) -> date:
    year = read.get("y", read.get("Y", 1970))
    if "w" in read and "d" not in read and "D" not in read:
        weekday = read.get("u") or (read.get("e", 2) + 5) % 7 + 1
        return date.fromisocalendar(read.get("Y", year), read["w"], weekday)
    if "D" in read:
        return date(year, 1, 1) + timedelta(days=read["D"] - 1)
    month = read.get("M") or read.get("Q", 1) * 3 - 2
    return date(year, month, read.get("d", 1))


def _hour(read: Mapping[str, int]) -> int:
    if "H" in read:
        return read["H"]
    if "k" in read:
        return read["k"] % 24 if read["k"] else 24
    # Without AM or PM it is morning, as for Java's SimpleDateFormat.
    hour = read["h"] % 12 if read.get("h") else read.get("K", 0)
    return hour + (12 if read.get("a") == 2 else 0)
