"""Time zones: names, abbreviations and offsets (platform.md section 4.3), and Java's rules where
clocks are put forward or back.

An abbreviation is one fixed offset. The page's example shows it: 11:55:12 PST on an October day,
when Pacific time was PDT, is 19:55:12 UTC, that is, PST is eight hours behind in summer too. Where
one stands for several places the best known counts: CST is North America's, IST India's, BST
Britain's (judgement).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from app.core.dataprep.values import RowFault

# Abbreviation → minutes east of Greenwich, and the whole name that `zzzz` writes.
ABBREVIATIONS: Final = {
    "UTC": (0, "Coordinated Universal Time"), "GMT": (0, "Greenwich Mean Time"),
    "UT": (0, "Coordinated Universal Time"), "Z": (0, "Coordinated Universal Time"),
    "HST": (-600, "Hawaii-Aleutian Standard Time"), "AKST": (-540, "Alaska Standard Time"),
    "AKDT": (-480, "Alaska Daylight Time"), "PST": (-480, "Pacific Standard Time"),
    "PDT": (-420, "Pacific Daylight Time"), "MST": (-420, "Mountain Standard Time"),
    "MDT": (-360, "Mountain Daylight Time"), "CST": (-360, "Central Standard Time"),
    "CDT": (-300, "Central Daylight Time"), "EST": (-300, "Eastern Standard Time"),
    "EDT": (-240, "Eastern Daylight Time"), "AST": (-240, "Atlantic Standard Time"),
    "ADT": (-180, "Atlantic Daylight Time"), "NST": (-210, "Newfoundland Standard Time"),
    "NDT": (-150, "Newfoundland Daylight Time"), "BRT": (-180, "Brasilia Standard Time"),
    "ART": (-180, "Argentina Standard Time"), "WET": (0, "Western European Standard Time"),
    "WEST": (60, "Western European Summer Time"), "BST": (60, "British Summer Time"),
    "CET": (60, "Central European Standard Time"), "CEST": (120, "Central European Summer Time"),
    "EET": (120, "Eastern European Standard Time"), "EEST": (180, "Eastern European Summer Time"),
    "SAST": (120, "South Africa Standard Time"), "MSK": (180, "Moscow Standard Time"),
    "IST": (330, "India Standard Time"), "PKT": (300, "Pakistan Standard Time"),
    "SGT": (480, "Singapore Standard Time"), "HKT": (480, "Hong Kong Standard Time"),
    "AWST": (480, "Australian Western Standard Time"), "JST": (540, "Japan Standard Time"),
    "KST": (540, "Korean Standard Time"), "ACST": (570, "Australian Central Standard Time"),
    "ACDT": (630, "Australian Central Daylight Time"),
    "AEST": (600, "Australian Eastern Standard Time"),
    "AEDT": (660, "Australian Eastern Daylight Time"),
    "NZST": (720, "New Zealand Standard Time"), "NZDT": (780, "New Zealand Daylight Time"),
}  # fmt: skip

WHOLE_NAMES: Final = {whole: short for short, (_, whole) in reversed(ABBREVIATIONS.items())}

_OFFSET: Final = re.compile(
    r"(?:(?:UTC|GMT|UT)(?=[+-]))?([+-])(\d{1,2})(?::?(\d{2})(?::?(\d{2}))?)?", re.ASCII
)
_REGION: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}", re.ASCII)
_MAX_NAME: Final = 64


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """A zone given to a function: `Europe/Paris`, `+08:00`, `GMT+8`, `PST`. Raises RowFault."""
    found = offset(name) or (UTC if name in ("Z", "UTC", "GMT", "UT") else None)
    return found or _region(name) or _abbreviated(name) or _unknown()


@lru_cache(maxsize=256)
def zone_read(name: str) -> tzinfo:
    """A zone read from a text, where `CET` is an abbreviation before it is a region."""
    short = WHOLE_NAMES.get(name, name)
    return offset(short) or _abbreviated(short) or _region(short) or _unknown()


def offset(text: str) -> tzinfo | None:
    """`+2`, `+0200`, `-08:00`, `GMT+8`; None when it is none, RowFault beyond 18 hours (Java)."""
    if text in ("Z", "z"):
        return UTC
    found = _OFFSET.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    if minutes > 59 or seconds > 59 or hours * 3600 + minutes * 60 + seconds > 18 * 3600:
        raise RowFault("an offset of over 18 hours")
    ahead = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-ahead if found[1] == "-" else ahead) if ahead else UTC


def _abbreviated(name: str) -> tzinfo | None:
    known = ABBREVIATIONS.get(name.upper())
    if known is None:
        return None
    return timezone(timedelta(minutes=known[0]), name.upper()) if known[0] else UTC


def _region(name: str) -> tzinfo | None:
    # The time zone data is read once a name: a table like any other, not input of the event.
    if len(name) > _MAX_NAME or not _REGION.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None


def _unknown() -> tzinfo:
    raise RowFault("no such time zone")


def at(local: datetime) -> datetime:
    """A local time of its zone as Java understands it.

    In a gap, when clocks go forward, it is later by the gap's length; in an overlap, when they go
    back, it is the first of the two (java.time.ZonedDateTime.of). Raises RowFault.
    """
    return moved(moved(local, UTC), local.tzinfo or UTC)


def moved(moment: datetime, to: tzinfo) -> datetime:
    """The same moment in another zone. Raises RowFault beyond the years 1 to 9999."""
    try:
        return moment.astimezone(to)
    except (OverflowError, ValueError):
        raise RowFault("a date outside the years 1 to 9999") from None


def changed(moment: datetime, local: datetime) -> datetime:
    """A date put to another local time of its zone: in an overlap it keeps its offset (Java)."""
    for fold in (0, 1):
        candidate = local.replace(fold=fold)
        if candidate.utcoffset() == moment.utcoffset() and at(candidate) == candidate:
            return candidate
    return at(local.replace(fold=0))


def zone_id(moment: datetime) -> str:
    """`America/Los_Angeles`, `PST`, `-08:00`, `UTC`."""
    key = getattr(moment.tzinfo, "key", None)
    if isinstance(key, str):
        return key
    name = moment.tzname() or "UTC"
    return name if name in ABBREVIATIONS else name.removeprefix("UTC") or "UTC"
