"""Writing a date by a Java pattern; which letters there are is told in patterns.py.

Texts are English, as on Adobe's page. One letter means the shortest form; what more letters mean is
Java's: `M` 7, `MM` 07, `MMM` Jul, `MMMM` July, `MMMMM` J; `Q` 3, `QQQ` Q3, `QQQQ` 3rd quarter.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from app.core.dataprep.functions.dates.patterns import DAYS, MONTHS, QUARTERS, Token, tokens
from app.core.dataprep.functions.dates.zones import ABBREVIATIONS, zone_id

Writer = Callable[[datetime], str]


def day_of_year(moment: datetime) -> int:
    return moment.toordinal() - moment.replace(month=1, day=1).toordinal() + 1


def week_of_month(moment: datetime) -> int:
    """ISO's: the first week with four days of the month is 1, the days before it are 0."""
    start = (moment.day - moment.isoweekday()) % 7
    return (7 + (7 - start if start > 3 else -start) + moment.day - 1) // 7


def _seconds_of_day(moment: datetime) -> int:
    return (moment.hour * 60 + moment.minute) * 60 + moment.second


def _sunday_first(moment: datetime) -> int:
    return moment.isoweekday() % 7 + 1


# Numbers, written with as many digits as there are letters, at least.
NUMBERS: Final[dict[str, Callable[[datetime], int]]] = {
    "w": lambda d: d.isocalendar().week,
    "W": week_of_month,
    "D": day_of_year,
    "d": lambda d: d.day,
    "F": lambda d: (d.day - 1) // 7 + 1,
    "H": lambda d: d.hour,
    "k": lambda d: d.hour or 24,
    "h": lambda d: (d.hour + 11) % 12 + 1,
    "K": lambda d: d.hour % 12,
    "m": lambda d: d.minute,
    "s": lambda d: d.second,
    "n": lambda d: d.microsecond * 1000,
    "A": lambda d: _seconds_of_day(d) * 1000 + d.microsecond // 1000,
    "N": lambda d: _seconds_of_day(d) * 1_000_000_000 + d.microsecond * 1000,
    "u": lambda d: d.isoweekday(),
    # Java's letters of the week as a place counts it: from Sunday in the United States.
    "e": _sunday_first,
    "c": _sunday_first,
    "M": lambda d: d.month,
    "L": lambda d: d.month,
    "Q": lambda d: (d.month + 2) // 3,
    "q": lambda d: (d.month + 2) // 3,
}


@lru_cache(maxsize=256)
def formatter(pattern: str) -> Writer:
    """A function that writes a date by the pattern. Raises RowFault for an unknown pattern."""
    # What stands in [ ] is written: a date with zone has everything.
    pieces = [_writer(token) for token in tokens(pattern) if not token.bracket]
    return lambda moment: "".join([piece(moment) for piece in pieces])


def _writer(token: Token) -> Writer:
    letter, size, text, _ = token
    if text:
        return lambda moment: text
    if letter in _SPECIAL:
        return _SPECIAL[letter](letter, size)
    if size >= 3 and letter in "MLQqec":
        return _named(letter, size)
    number = NUMBERS[letter]
    return lambda d: f"{number(d):0{size}d}"


def _era(_letter: str, size: int) -> Writer:
    text = "A" if size == 5 else "Anno Domini" if size == 4 else "AD"
    return lambda moment: text


def _year(letter: str, size: int) -> Writer:
    if letter == "u" and size < 4:
        return lambda d: f"{d.isoweekday():0{size}d}"
    year = _week_year if letter == "Y" else _calendar_year
    if size == 2:
        return lambda d: f"{year(d) % 100:02d}"
    return lambda d: f"{year(d):0{size}d}"


def _week_year(moment: datetime) -> int:
    return moment.isocalendar().year


def _calendar_year(moment: datetime) -> int:
    return moment.year


def _named(letter: str, size: int) -> Writer:
    if letter in "Qq":
        if size == 4:
            return lambda d: QUARTERS[(d.month - 1) // 3]
        return lambda d: f"{'Q' if size == 3 else ''}{(d.month + 2) // 3}"
    if letter in "ec":
        return _weekday(letter, size)
    length = _length(size)
    return lambda d: MONTHS[d.month - 1][:length]


def _weekday(_letter: str, size: int) -> Writer:
    length = _length(max(size, 3))
    return lambda d: DAYS[d.weekday()][:length]


def _length(size: int) -> int | None:
    return {3: 3, 5: 1}.get(size)


def _halves(_letter: str, _size: int) -> Writer:
    return lambda d: "AM" if d.hour < 12 else "PM"


def _fraction(_letter: str, size: int) -> Writer:
    return lambda d: f"{d.microsecond:06d}"[:size].ljust(size, "0")


def _zone_id(_letter: str, _size: int) -> Writer:
    return zone_id


def _zone_name(_letter: str, size: int) -> Writer:
    def name(moment: datetime) -> str:
        short = moment.tzname() or ""
        known = ABBREVIATIONS.get(short)
        if known is None:
            return short if short.isalpha() else "GMT" + _offset(moment, ":")
        return known[1] if size >= 4 else short

    return name


def _gmt_offset(_letter: str, size: int) -> Writer:
    """`GMT+8`, or `GMT+08:00` with four letters."""

    def shown(moment: datetime) -> str:
        minutes = offset_minutes(moment)
        if not minutes:
            return "GMT"
        if size >= 4:
            return "GMT" + _offset(moment, ":")
        sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
        return f"GMT{sign}{hours}" + (f":{rest:02d}" if rest else "")

    return shown


def _offset_of(letter: str, size: int) -> Writer:
    if letter == "Z":
        return _offset_z(size)
    between = ":" if size in (3, 5) else ""

    def shown(moment: datetime) -> str:
        minutes = offset_minutes(moment)
        if not minutes and letter == "X":
            return "Z"
        text = _offset(moment, between)
        return text[:3] if size == 1 and minutes % 60 == 0 else text

    return shown


def _offset_z(size: int) -> Writer:
    if size == 4:
        return lambda d: "GMT" + _offset(d, ":") if offset_minutes(d) else "GMT"
    if size >= 5:
        return lambda d: _offset(d, ":") if offset_minutes(d) else "Z"
    return lambda d: _offset(d, "")


def offset_minutes(moment: datetime) -> int:
    """Minutes east of Greenwich; seconds, which only old local times have, are cut off."""
    seconds = int((moment.utcoffset() or timedelta()).total_seconds())
    return seconds // 60 if seconds >= 0 else -(-seconds // 60)


def _offset(moment: datetime, between: str) -> str:
    minutes = offset_minutes(moment)
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}{between}{rest:02d}"


_SPECIAL: Final[dict[str, Callable[[str, int], Writer]]] = {
    "G": _era,
    "y": _year,
    "u": _year,
    "Y": _year,
    "E": _weekday,
    "a": _halves,
    "S": _fraction,
    "V": _zone_id,
    "z": _zone_name,
    "O": _gmt_offset,
    "Z": _offset_of,
    "X": _offset_of,
    "x": _offset_of,
}
