"""Date functions (platform.md sections 4.3 and 4.4). Dates are aware datetimes.

A date keeps the zone it was written with; without one it is UTC. Fractions below a microsecond
(Java knows nanoseconds) are cut off where they are read: here and in reading.py.

Null semantics: the third argument of `date` stands for a null date (documented). Judgement: any
null among the other arguments gives null, and an empty text is a null date.

`now` and `timestamp` are in special.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from app.core.dataprep.functions.dates.parts import part_of, with_part
from app.core.dataprep.functions.dates.reading import parse_date, parse_iso
from app.core.dataprep.functions.dates.writing import formatter
from app.core.dataprep.functions.dates.zones import at, moved, zone
from app.core.dataprep.values import RowFault, Value, as_integer, as_text, kind_of

__all__ = ["DEFAULT_PATTERNS", "FUNCTIONS", "date", "formatter"]

# The forms tried when none is given, the first match winning (platform.md section 4.4). The
# function page's examples read others too (`2019-10-23 11:24`, `2016-11-09T11:44:44.797`,
# `2019-10-17T11:55:12 PST`): those are tried after these, by `parse_iso`.
DEFAULT_PATTERNS: Final = (
    "yyyy-MM-dd HH:mm:ssZ", "yyyy-MM-dd HH:mm:ss.SSSZ", "yyyy-MM-dd HH:mm:ss.SSS",
    "yyyy-MM-dd'T'HH:mm:ss.SSSX", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd", "yyyy/MM/dd",
    "yyyy.MM.dd", "yyyy-MMM-dd", "yyyyMMdd", "MM-dd-yyyy", "MMddyyyy", "M/dd/yyyy", "dd.M.yyyy",
    "M/dd/yyyy hh:mm:ss a", "dd.M.yyyy hh:mm:ss a", "dd.MMM.yyyy", "dd-MMM-yyyy",
)  # fmt: skip

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_NANOSECONDS: Final = 999_999_999


def dformat(milliseconds: Value, format_: Value) -> str | None:
    """Milliseconds since 1970 as text in UTC, by a Java pattern (documented)."""
    if milliseconds is None or format_ is None:
        return None
    if type(milliseconds) is int and type(format_) is str:
        return _dformat(milliseconds, format_)
    return _dformat(as_integer(milliseconds), as_text(format_))


@lru_cache(maxsize=4096)
def _dformat(milliseconds: int, pattern: str) -> str:
    # Remembered: events of one second are many, and Customer.io's clock has that grain.
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise RowFault("a date outside the years 1 to 9999") from None
    return formatter(pattern)(moment)


def format_date(date: Value, format_: Value) -> str | None:
    """`format`: a date as text in its own zone, by a Java pattern."""
    if date is None or format_ is None:
        return None
    return formatter(as_text(format_))(_date(date))


def date(text: Value, format_: Value = None, default: Value = None) -> Value:
    """A text as a date: by the pattern, or the first of the default ones that fits.

    Adobe's API has the default date "if the expression evaluates to a null date": it stands for a
    text that is null or empty, and (judgement) for one that does not fit; without a default that
    is a fault. A date stays as it is.
    """
    if text is None or text == "":
        return None if default is None else _date(default)
    if isinstance(text, datetime):
        return text
    found = _read(as_text(text), None if format_ is None else as_text(format_))
    if found is not None:
        return found
    if default is None:
        raise RowFault("the text is no date of the pattern")
    return _date(default)


def _read(text: str, pattern: str | None) -> datetime | None:
    if pattern is not None:
        return parse_date(text, pattern)
    for candidate in DEFAULT_PATTERNS:
        moment = parse_date(text, candidate)
        if moment is not None:
            return moment
    return parse_iso(text)


def zone_date_to_utc(date: Value) -> Value:
    """The same moment in UTC."""
    return None if date is None else moved(_date(date), UTC)


def zone_date_to_zone(date: Value, zone_: Value) -> Value:
    """The same moment in a time zone such as `Europe/Berlin`, `GMT+8`, `PST`.

    The page's output shows the new zone's hour with a Z, which would be another moment; here it
    has the zone's offset.
    """
    if date is None or zone_ is None:
        return None
    return moved(_date(date), zone(as_text(zone_)))


def make_date_time(
    year: Value, month: Value, day: Value, hour: Value, minute: Value, second: Value,
    nanosecond: Value, zone_: Value,
) -> Value:  # fmt: skip
    """A date of its parts in a zone; fractions below a microsecond are cut off."""
    parts = (year, month, day, hour, minute, second, nanosecond)
    if zone_ is None or None in parts:
        return None
    y, mo, d, h, mi, s, nanos = (as_integer(part) for part in parts)
    if not 0 <= nanos <= _MAX_NANOSECONDS:
        raise RowFault("the parts make no date")
    where = zone(as_text(zone_))
    try:
        made = datetime(y, mo, d, h, mi, s, nanos // 1000, where)
    except (ValueError, OverflowError):
        raise RowFault("the parts make no date") from None
    return at(made)


def date_part(part: Value, date: Value) -> int | None:
    """One part of a date as a number; its names and meanings are told in parts.py."""
    return None if date is None or part is None else part_of(_date(date), as_text(part))


def set_date_part(part: Value, value: Value, date: Value) -> Value:
    """The date with one part replaced: year, month, day, hour, minute or second."""
    if date is None or part is None or value is None:
        return None
    return with_part(_date(date), as_text(part), as_integer(value))


def _date(value: Value) -> datetime:
    """A date, or a text in one of the default forms ("in a standard format", documented)."""
    if isinstance(value, datetime):
        return value
    if type(value) is str:
        found = _read(value, None)
        if found is not None:
            return found
        raise RowFault("the text is no date of the pattern")
    raise RowFault(f"{kind_of(value)} where a date is needed")


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
