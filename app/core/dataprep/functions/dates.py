"""Date functions (platform.md sections 4.3 and 4.4). Dates are aware datetimes, UTC unless said.

Judgement: null gives null. `now` and `timestamp` are not here: core has no clock, and a record
must come out the same when its event is sent again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.core.dataprep.functions.date_patterns import formatter, parse_date
from app.core.dataprep.values import RowFault, Value, as_integer, as_text, kind_of

# The forms tried when none is given, the first match winning (platform.md section 4.4).
DEFAULT_PATTERNS: Final = (
    "yyyy-MM-dd HH:mm:ssZ", "yyyy-MM-dd HH:mm:ss.SSSZ", "yyyy-MM-dd HH:mm:ss.SSS",
    "yyyy-MM-dd'T'HH:mm:ss.SSSX", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd", "yyyy/MM/dd",
    "yyyy.MM.dd", "yyyy-MMM-dd", "yyyyMMdd", "MM-dd-yyyy", "MMddyyyy", "M/dd/yyyy", "dd.M.yyyy",
    "M/dd/yyyy hh:mm:ss a", "dd.M.yyyy hh:mm:ss a", "dd.MMM.yyyy", "dd-MMM-yyyy",
    # Not in that list, but in the examples of the function page.
    "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.SSS",
)  # fmt: skip

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def dformat(milliseconds: Value, pattern: Value) -> Value:
    """Milliseconds since 1970 as text in UTC, by a Java pattern."""
    if milliseconds is None:
        return None
    if type(milliseconds) is int and type(pattern) is str:
        return _dformat(milliseconds, pattern)
    return _dformat(as_integer(milliseconds), as_text(pattern))


@lru_cache(maxsize=4096)
def _dformat(milliseconds: int, pattern: str) -> str:
    # Remembered: events of one second are many, and Customer.io's clock has that grain.
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise RowFault("a time beyond the year 9999") from None
    return formatter(pattern)(moment)


def format_date(moment: Value, pattern: Value) -> Value:
    """`format`: a date as text, by a Java pattern."""
    return None if moment is None else formatter(as_text(pattern))(_date(moment))


def date(text: Value, pattern: Value = None, default: Value = None) -> Value:
    """A text as a date: by the pattern, or the first of the default ones that fits.

    What does not fit gives the default date, or a fault when there is none.
    """
    if text is None:
        return None if default is None else _date(default)
    if isinstance(text, datetime):
        return text
    for candidate in DEFAULT_PATTERNS if pattern is None else (as_text(pattern),):
        moment = parse_date(as_text(text), candidate)
        if moment is not None:
            return moment
    if default is None:
        raise RowFault("the text is no date of the pattern")
    return _date(default)


def zone_date_to_utc(moment: Value) -> Value:
    """The same moment in UTC."""
    return None if moment is None else _date(moment).astimezone(UTC)


def zone_date_to_zone(moment: Value, zone: Value) -> Value:
    """The same moment in a time zone such as `Europe/Berlin`."""
    return None if moment is None else _date(moment).astimezone(_zone(as_text(zone)))


def make_date_time(
    year: Value, month: Value, day: Value, hour: Value, minute: Value, second: Value,
    nanosecond: Value, zone: Value,
) -> Value:  # fmt: skip
    """A date of its parts; fractions below a microsecond are cut off."""
    y, mo, d, h, mi, s = (as_integer(part) for part in (year, month, day, hour, minute, second))
    micro = as_integer(nanosecond) // 1000
    try:
        return datetime(y, mo, d, h, mi, s, micro, _zone(as_text(zone)))
    except (ValueError, OverflowError):
        raise RowFault("the parts make no date") from None


def date_part(part: Value, moment: Value) -> Value:
    """One part of a date as a number; the part's names are those of platform.md section 4.3."""
    if moment is None:
        return None
    read = _PARTS.get(as_text(part)) or _PARTS.get(as_text(part).lower())
    if read is None:
        raise RowFault("no such part of a date")
    return read(_date(moment))


def set_date_part(part: Value, value: Value, moment: Value) -> Value:
    """The date with one part replaced: year, month, day, hour, minute or second."""
    if moment is None:
        return None
    name = _SETTABLE.get(as_text(part).lower())
    if name is None:
        raise RowFault("no such part of a date")
    changed: dict[str, Any] = {name: as_integer(value)}
    try:
        return _date(moment).replace(**changed)
    except (ValueError, OverflowError):
        raise RowFault("the parts make no date") from None


def _date(value: Value) -> datetime:
    if isinstance(value, datetime):
        return value
    if type(value) is str:
        found = date(value)
        if isinstance(found, datetime):
            return found
    raise RowFault(f"{kind_of(value)} where a date is needed")


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    # The time zone data is read once a name: a table like any other, not input of the event.
    if not re.fullmatch(r"[A-Za-z0-9_+/-]{1,64}", name):
        raise RowFault("no such time zone")
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise RowFault("no such time zone") from None


def _parts() -> dict[str, Callable[[datetime], int]]:
    names: dict[str, Callable[[datetime], int]] = {
        "year yyyy yy": lambda d: d.year,
        "quarter qq q": lambda d: (d.month + 2) // 3,
        "month mm m": lambda d: d.month,
        "dayofyear dy y": lambda d: d.timetuple().tm_yday,
        "day dd d": lambda d: d.day,
        "week ww w": lambda d: d.isocalendar().week,
        # Sunday is 1, as in SQL where these names come from (judgement).
        "weekday dw": lambda d: d.isoweekday() % 7 + 1,
        "hour hh hh24": lambda d: d.hour,
        "hh12": lambda d: (d.hour + 11) % 12 + 1,
        "minute mi n": lambda d: d.minute,
        "second ss s": lambda d: d.second,
        "millisecond SSS": lambda d: d.microsecond // 1000,
    }
    return {name: read for line, read in names.items() for name in line.split()}


_PARTS: Final = _parts()

_SETTABLE: Final = {
    spelling: name
    for name, spellings in {
        "year": "year yyyy yy",
        "month": "month mm m",
        "day": "day dd d",
        "hour": "hour hh",
        "minute": "minute mi n",
        "second": "second ss s",
    }.items()
    for spelling in spellings.split()
}

FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "dformat": dformat,
    "format": format_date,
    "date": date,
    "zone_date_to_utc": zone_date_to_utc,
    "zone_date_to_zone": zone_date_to_zone,
    "make_date_time": make_date_time,
    "make_timestamp": make_date_time,
    "date_part": date_part,
    "set_date_part": set_date_part,
}
