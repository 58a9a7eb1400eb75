"""Parts of a date: `date_part` and `set_date_part` (platform.md section 4.3).

The names are Adobe's, capitals do not count (its example asks for "MM"). "w" is listed twice, for
the week and for the day of the week; it is the week here, "dw" the day. Judgement: weeks are ISO's,
days of the week go from 1, Monday, to 7, as the page has them for the pattern letter `u`; `hh12`
goes from 1 to 12.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from app.core.dataprep.functions.dates.writing import day_of_year
from app.core.dataprep.functions.dates.zones import changed
from app.core.dataprep.values import RowFault

_READ: Final[dict[str, Callable[[datetime], int]]] = {
    "year yyyy yy": lambda d: d.year,
    "quarter qq q": lambda d: (d.month + 2) // 3,
    "month mm m": lambda d: d.month,
    "dayofyear dy y": day_of_year,
    "day dd d": lambda d: d.day,
    "week ww w": lambda d: d.isocalendar().week,
    "weekday dw": lambda d: d.isoweekday(),
    "hour hh hh24": lambda d: d.hour,
    "hh12": lambda d: (d.hour + 11) % 12 + 1,
    "minute mi n": lambda d: d.minute,
    "second ss s": lambda d: d.second,
    "millisecond sss": lambda d: d.microsecond // 1000,
}

_SET: Final = {
    "year yyyy yy": "year", "month mm m": "month", "day dd d": "day", "hour hh": "hour",
    "minute mi n": "minute", "second ss s": "second",
}  # fmt: skip

_READERS: Final = {name: read for names, read in _READ.items() for name in names.split()}
_SETTERS: Final = {name: field for names, field in _SET.items() for name in names.split()}


def part_of(moment: datetime, name: str) -> int:
    """One part as a number. Raises RowFault for a name that is none."""
    read = _READERS.get(name.lower())
    if read is None:
        raise RowFault("no such part of a date")
    return read(moment)


def with_part(moment: datetime, name: str, number: int) -> datetime:
    """The date with one part replaced. Raises RowFault when there is no such date.

    As java.time does it: where the day is beyond the new month's end it becomes its last, 31
    January with month 2 is the 28th or 29th; a day set beyond it is a fault.
    """
    field = _SETTERS.get(name.lower())
    if field is None:
        raise RowFault("no such part of a date")
    new: dict[str, Any] = {"year": moment.year, "month": moment.month, field: number}
    try:
        if field in ("year", "month"):
            new["day"] = min(moment.day, monthrange(new["year"], new["month"])[1])
        return changed(moment, moment.replace(**new))
    except (ValueError, OverflowError):
        raise RowFault("the parts make no date") from None
