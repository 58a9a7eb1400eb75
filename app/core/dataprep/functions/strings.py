"""String and regular expression functions (platform.md section 4.3).

Null semantics, judgement unless said otherwise: a function of one string gives null for null; a
number or boolean is read as its text. A null among the other arguments counts as absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from app.core.dataprep.values import RowFault, Value, as_integer, as_text, kind_of

# A text this long meets no regular expression: backtracking is bounded by the input's length.
MAX_REGEX_INPUT: Final = 4096
MAX_PADDING: Final = 10_000


def concat(*parts: Value) -> str:
    """Texts put together; a null is skipped. Documented for strings; numbers by judgement."""
    try:
        return "".join(parts)
    except TypeError:
        return "".join(map(as_text, parts))


def _of_text(change: Callable[[str], str]) -> Callable[[Value], Value]:
    """A function of one string as a function of one value: null stays null."""

    def changed(text: Value) -> Value:
        return None if text is None else change(as_text(text))

    return changed


def explode(text: Value, regex: Value = ",") -> Value:
    """Parts of a text around a regular expression (comma unless given); null gives null."""
    return None if text is None else pattern(as_text(regex)).split(_bounded(text))


def split(text: Value, separators: Value) -> Value:
    """Parts of a text around any of the separators' characters; null gives null."""
    if text is None:
        return None
    if not as_text(separators):
        return [as_text(text)]
    return re.split("[" + re.escape(as_text(separators)) + "]", as_text(text))


def join(separator: Value, items: Value) -> Value:
    """An array's items as one text; nulls among them are skipped, null for null."""
    if items is None:
        return None
    return as_text(separator).join(as_text(item) for item in _array(items) if item is not None)


def instr(text: Value, part: Value, start: Value = 0, nth: Value = 1) -> Value:
    """Index, from 0 (documented), of the nth occurrence at or after `start`; else -1."""
    if text is None:
        return None
    position = max(as_integer(start), 0) - 1
    for _ in range(min(max(as_integer(nth), 1), len(as_text(text)) + 1)):
        position = as_text(text).find(as_text(part), position + 1)
        if position < 0:
            return -1
    return position


def replacestr(text: Value, find: Value, replacement: Value) -> Value:
    """Every occurrence replaced; a null replacement removes."""
    if text is None or not as_text(find):
        return text
    return as_text(text).replace(as_text(find), as_text(replacement))


def substr(text: Value, start: Value, length: Value = None) -> Value:
    """`length` characters from `start`, counted from 0; outside the text is empty."""
    if text is None:
        return None
    first = max(as_integer(start), 0)
    if length is None:
        return as_text(text)[first:]
    return as_text(text)[first : first + max(as_integer(length), 0)]


def lpad(text: Value, size: Value, padding: Value) -> Value:
    """Filled on the left up to `size` characters; null or empty padding is a space (documented)."""
    return None if text is None else _filler(text, size, padding) + as_text(text)


def rpad(text: Value, size: Value, padding: Value) -> Value:
    """Filled on the right up to `size` characters; null or empty padding is a space."""
    return None if text is None else as_text(text) + _filler(text, size, padding)


def left(text: Value, count: Value) -> Value:
    """The first characters."""
    return None if text is None else as_text(text)[: max(as_integer(count), 0)]


def right(text: Value, count: Value) -> Value:
    """The last characters."""
    if text is None:
        return None
    return as_text(text)[max(len(as_text(text)) - max(as_integer(count), 0), 0) :]


def equals(text: Value, other: Value) -> bool:
    """`a.equals(b)`: equal as texts; null equals null only."""
    if text is None or other is None:
        return text is other
    return as_text(text) == as_text(other)


def equals_ignore_case(text: Value, other: Value) -> bool:
    """`a.equalsIgnoreCase(b)`."""
    if text is None or other is None:
        return text is other
    return as_text(text).casefold() == as_text(other).casefold()


@lru_cache(maxsize=512)
def pattern(regex: str) -> re.Pattern[str]:
    """A compiled regular expression. Raises RowFault when Python cannot read it."""
    try:
        return re.compile(regex)
    except (re.error, OverflowError, RecursionError):
        raise RowFault("the regular expression cannot be read") from None


def matches_regex(text: Value, regex: Value) -> bool:
    """Does the whole text match? Null does not."""
    if text is None:
        return False
    return pattern(as_text(regex)).fullmatch(_bounded(text)) is not None


def matcher(regex: str) -> Callable[[Value], bool]:
    """`matches_regex` for a regular expression known beforehand. Raises RowFault."""
    fullmatch = pattern(regex).fullmatch

    def matches(text: Value) -> bool:
        if type(text) is str and len(text) <= MAX_REGEX_INPUT:
            return fullmatch(text) is not None
        return text is not None and fullmatch(_bounded(text)) is not None

    return matches


def extract_regex(text: Value, regex: Value) -> Value:
    """The first match's groups, the whole match first; an empty array when there is none."""
    if text is None:
        return None
    found = pattern(as_text(regex)).search(_bounded(text))
    return [] if found is None else [found[0], *found.groups()]


def _array(value: Value) -> list[Value]:
    if type(value) is not list:
        raise RowFault(f"{kind_of(value)} where an array is needed")
    return value


def _bounded(text: Value) -> str:
    found = text if type(text) is str else as_text(text)
    if len(found) > MAX_REGEX_INPUT:
        raise RowFault(f"a text over {MAX_REGEX_INPUT} characters before a regular expression")
    return found


def _filler(text: Value, size: Value, padding: Value) -> str:
    missing = as_integer(size) - len(as_text(text))
    if missing > MAX_PADDING:
        raise RowFault(f"padding over {MAX_PADDING} characters")
    fill = as_text(padding) or " "
    return (fill * max(missing, 0))[: max(missing, 0)]


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "concat": concat,
    "lower": _of_text(str.lower),
    "lcase": _of_text(str.lower),
    "upper": _of_text(str.upper),
    "ucase": _of_text(str.upper),
    "trim": _of_text(str.strip),
    "ltrim": _of_text(str.lstrip),
    "rtrim": _of_text(str.rstrip),
    "explode": explode,
    "split": split,
    "join": join,
    "instr": instr,
    "replacestr": replacestr,
    "substr": substr,
    "lpad": lpad,
    "rpad": rpad,
    "left": left,
    "right": right,
    "equals": equals,
    "equalsIgnoreCase": equals_ignore_case,
    "matches_regex": matches_regex,
    "extract_regex": extract_regex,
}
