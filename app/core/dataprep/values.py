"""What values may be, and how one kind is read as another.

A value is what JSON knows, plus an aware `datetime` between date functions. Nothing here may put
a value of an event into the text of a fault: those texts reach logs.

Adobe documents little of this (platform.md section 4.4: the words for booleans, number to string);
the language's ancestor is Commons JEXL on Java. What goes beyond is marked as judgement.
"""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime
from typing import Any, Final

import orjson

# JSON-like data of any shape: narrowing it is what this module is for.
Value = Any

# XDM's long, and what a double still tells apart (platform.md section 5.1).
MAX_INTEGER: Final = 2**53

# What a function may make of its arguments: more than any event holds (Platform takes requests of
# 1 MB, section 2.7), and few enough that a mapping cannot eat the worker's memory.
MAX_TEXT: Final = 1_000_000
MAX_ITEMS: Final = 100_000

# An event comes as one request, whose size the receiver bounds well below this.
_MAX_EVENT: Final = 16 * MAX_TEXT

# orjson writes 254 levels, Python's own stack ends not far above.
MAX_DEPTH: Final = 100

# Adobe's words for booleans (platform.md section 4.4).
TRUE_WORDS: Final = frozenset({"y", "yes", "Y", "YES", "on", "ON", "true", "TRUE"})
FALSE_WORDS: Final = frozenset({"n", "N", "no", "NO", "off", "OFF", "false", "FALSE"})

_KINDS: Final = {
    dict: "an object", list: "an array", str: "a string", bool: "a boolean", int: "a number",
    float: "a number", type(None): "null", datetime: "a date",
}  # fmt: skip


class RowFault(Exception):
    """One row cannot be computed for one event. The text is ours and names kinds, not values."""


class Occasion:
    """What a function may know besides its arguments: the event it runs for and its moment.

    `received_ms`: milliseconds since 1970 at which the event was received; it is stored with the
    event, so that a record made again is the same record. One Occasion for one run of a set.
    """

    __slots__ = ("_calls", "_seed", "_source", "received_ms")

    def __init__(self, source: dict[str, Value], received_ms: int) -> None:
        self.received_ms = received_ms
        self._source = source
        self._seed = b""
        self._calls = 0

    def number(self) -> int:
        """1 at the first call, 2 at the second: what tells two calls for one event apart."""
        self._calls += 1
        return self._calls

    def seed(self) -> bytes:
        """32 bytes of the event and its moment; nobody else's, and the same on every try."""
        if not self._seed:
            text = f"{self.received_ms} {_json(self._source, _MAX_EVENT)}"
            self._seed = hashlib.sha256(text.encode()).digest()
        return self._seed


def kind_of(value: Value) -> str:
    """A person's word for the kind of a value."""
    return _KINDS.get(type(value), "a value of another kind")


def clean(value: Value, depth: int = 0) -> Value:
    """A copy without nulls and empties (platform.md section 2.8); None when nothing is left.

    Raises RowFault for what JSON or XDM cannot hold: NaN, infinities, integers over 2^53, over
    100 levels.
    """
    kind = type(value)
    if kind is str:
        return value or None
    if kind is dict or kind is list:
        if depth >= MAX_DEPTH:
            raise RowFault(f"nested deeper than {MAX_DEPTH} levels")
        if kind is list:
            left = [kept for child in value if (kept := clean(child, depth + 1)) is not None]
            return left or None
        return {
            name: kept
            for name, child in value.items()
            if (kept := clean(child, depth + 1)) is not None
        } or None
    if value is None or kind is bool:
        return value
    return _clean_other(value)


def _clean_other(value: Value) -> Value:
    if isinstance(value, int):
        if -MAX_INTEGER <= value <= MAX_INTEGER:
            return value
        raise RowFault("an integer beyond 2^53, which XDM cannot hold")
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise RowFault("a number that is not finite, which JSON cannot hold")
    if isinstance(value, datetime):
        return show_date(value)
    raise RowFault(f"{kind_of(value)} cannot be written to a record")


def show_date(moment: datetime) -> str:
    """RFC 3339 with the date's own offset: `2019-10-23T11:24:00Z`, `2019-10-17T11:55:12-07:00`.

    Seconds always, a fraction only when there is one, of three digits or six. RFC 3339 has no
    seconds in an offset: a date from before time zones is shown in UTC. Raises RowFault.
    """
    try:
        offset = moment.utcoffset()
        if offset is not None and offset.seconds % 60:
            moment = moment.astimezone(UTC)
        fraction = moment.microsecond
        fine = "microseconds" if fraction % 1000 else "milliseconds" if fraction else "seconds"
        text = moment.isoformat(timespec=fine)
    except (OverflowError, ValueError):
        raise RowFault("a date outside the years 1 to 9999") from None
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def as_text(value: Value) -> str:
    """A value as a string: null is "", booleans `true`/`false`, objects and arrays JSON.

    Judgement: Adobe documents only number to string (platform.md section 4.4). A number with a
    fraction is written as Java writes a double: `1.0`, `0.1`, from 10^7 on `1.0E7`.
    """
    if type(value) is str:
        return value
    if value is None:
        return ""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return _whole(value)
    if type(value) is float:
        return _fraction(value)
    if isinstance(value, datetime):
        return show_date(value)
    return _json(value)


def bounded(text: str, most: int = MAX_TEXT) -> str:
    """The text a function made. Raises RowFault when it is over 1,000,000 characters."""
    if len(text) > most:
        raise RowFault(f"a text over {most} characters")
    return text


def _whole(number: int) -> str:
    try:
        return str(number)
    except ValueError:  # Python writes no more than 4,300 digits.
        raise RowFault("a number with too many digits") from None


def _fraction(number: float) -> str:
    """As Java's Double.toString, in the shortest digits that are still this number."""
    size = abs(number)
    if 1e-3 <= size < 1e7 or size == 0:
        return repr(number)
    if not math.isfinite(number):
        return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"
    mantissa, _, exponent = repr(size).partition("e")
    whole, _, rest = mantissa.partition(".")
    digits = (whole + rest).lstrip("0")
    place = len(whole) - (len(whole + rest) - len(digits)) + int(exponent or 0)
    digits = digits.rstrip("0")
    return f"{'-' if number < 0 else ''}{digits[0]}.{digits[1:] or '0'}E{place - 1}"


_JSON: Final = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def _json(value: Value, most: int = MAX_TEXT) -> str:
    _measured(value, most)
    try:
        return bounded(orjson.dumps(value, default=_date_in, option=_JSON).decode(), most)
    except orjson.JSONEncodeError:
        # Over 254 levels, integers over 64 bits, half a surrogate pair.
        raise RowFault(f"{kind_of(value)} that JSON cannot hold") from None


def _measured(value: Value, most: int) -> None:
    """Raises RowFault for what would take more characters, before any of them is written.

    One array may hold the same large text a thousand times; and orjson crashes beyond some GB.
    """
    left, waiting = most, [value]
    while waiting:
        part = waiting.pop()
        if type(part) is str or type(part) is list:
            left -= len(part)
        elif type(part) is dict:
            left -= len(part) + sum(map(len, part))
        left -= 1
        if left < 0:
            raise RowFault(f"a text over {most} characters")
        if type(part) is list:
            waiting += part
        elif type(part) is dict:
            waiting += part.values()


def _date_in(value: Value) -> str:
    if isinstance(value, datetime):
        return show_date(value)
    raise TypeError


def as_number(value: Value) -> int | float:
    """A value as a number: numeric strings count, booleans, null and the rest raise RowFault.

    Judgement: JEXL would read true as 1 and "" as 0; a mapping that counts with these is a mistake.
    """
    if type(value) is int or type(value) is float:
        return value
    if type(value) is str:
        number = _number_in(value)
        if number is not None:
            return number
        raise RowFault("a string that is no number")
    raise RowFault(f"{kind_of(value)} where a number is needed")


# Longer digits are no quantity, and int() of very long ones is slow or refused.
_MAX_DIGITS: Final = 400


def _number_in(text: str) -> int | float | None:
    """`5`, ` -1.5e3 `: what Java reads too; not `1_000`, `Infinity`, or digits of other scripts."""
    if len(text) > _MAX_DIGITS or "_" in text or not text.isascii():
        return None
    for read in (int, float):
        try:
            number = read(text)
        except (ValueError, OverflowError):
            continue
        return number if isinstance(number, int) or math.isfinite(number) else None
    return None


def as_integer(value: Value) -> int:
    """A value as a whole number; fractions are cut off. Raises RowFault."""
    number = as_number(value)
    if isinstance(number, float) and not math.isfinite(number):
        raise RowFault("a number that is not finite")
    return int(number)


def truthy(value: Value) -> bool:
    """Is a value true in a condition? Null, false, 0, NaN, "" and Adobe's words for false are not.

    Judgement: any other string is true (JEXL: but for "" and "false"), as are dates, and objects
    and arrays that are not empty.
    """
    if type(value) is str:
        return bool(value) and value not in FALSE_WORDS
    if type(value) is float:
        return value == value and value != 0
    return bool(value)
