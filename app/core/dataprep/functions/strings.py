"""String functions (platform.md section 4.3).

Null semantics, judgement unless said otherwise: a null text gives null, and so does a null count; a
null among the other texts counts as "". A number or boolean is read as its text.

Places are counted from 0 (documented by the examples of `instr` and `substr`) and in characters;
Java counts UTF-16 units, which differ beyond the basic plane (emoji), where half a character would
be no JSON. No result is over 1,000,000 characters, no array over 100,000 items.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from app.core.dataprep.functions.regexes import pattern
from app.core.dataprep.values import (
    MAX_ITEMS,
    MAX_TEXT,
    RowFault,
    Value,
    as_integer,
    as_text,
    bounded,
    kind_of,
)

# Comparisons of one character that `instr` may make.
_MAX_LOOKING: Final = 100_000_000


def concat(*texts: Value) -> str:
    """Texts put together; a null is skipped. Documented for strings; numbers by judgement."""
    try:
        joined = "".join(texts) if len(texts) < 16 else _joined("", texts)
    except TypeError:
        joined = _joined("", texts)
    return bounded(joined)


def _joined(separator: str, parts: tuple[Value, ...] | list[Value]) -> str:
    """The parts as texts with a separator between; measured before it is made."""
    texts = [as_text(part) for part in parts if part is not None]
    if sum(map(len, texts)) + len(separator) * len(texts) > MAX_TEXT:
        raise RowFault(f"a text over {MAX_TEXT} characters")
    return separator.join(texts)


def _of_text(change: Callable[[str], str]) -> Callable[[Value], str | None]:
    """A function of one string as a function of one value: null stays null."""

    def changed(text: Value) -> str | None:
        return None if text is None else change(as_text(text))

    return changed


def explode(text: Value, regex: Value = ",") -> Value:
    """The parts of a text around a regular expression, by default a comma (documented).

    All parts, empty ones too (documented at `split`: use explode when all are wanted). Special
    characters need a backslash (documented). A null expression is the default one (judgement).
    """
    if text is None:
        return None
    compiled = pattern("," if regex is None else as_text(regex))
    parts = as_text(text).split(compiled.plain) if compiled.plain else None
    return _counted(compiled.split(as_text(text)) if parts is None else parts)


def split(text: Value, separators: Value) -> Value:
    """The parts of a text around any of the separators' characters (documented).

    Empty parts are left out ("returns only non-null indexes"): separators side by side part once,
    as in StringUtils.split of Apache Commons. Judgement: without separators it is one part.
    """
    if text is None:
        return None
    between = set(as_text(separators))
    if not between:
        return [as_text(text)]
    if len(between) == 1:
        return _counted([part for part in as_text(text).split(between.pop()) if part])
    cut = re.split(f"[{re.escape(''.join(sorted(between)))}]", as_text(text))
    return _counted([part for part in cut if part])


def join(separator: Value, items: Value) -> str | None:
    """An array's items as one text. Judgement: nulls among them are skipped, null for null."""
    if items is None:
        return None
    if type(items) is not list:
        raise RowFault(f"{kind_of(items)} where an array is needed")
    return _joined(as_text(separator), items)


def instr(text: Value, part: Value, start: Value = 0, nth: Value = 1) -> int | None:
    """The place, from 0 (documented), of the nth occurrence at or after `start`.

    Judgement: -1 when there is none, as Java's indexOf; occurrences may overlap.
    """
    if text is None or start is None or nth is None:
        return None
    whole, wanted = as_text(text), as_text(part)
    position = max(as_integer(start), 0) - 1
    times = min(max(as_integer(nth), 1), len(whole) + 1)
    if times * max(len(wanted), 1) > _MAX_LOOKING:
        raise RowFault("too many occurrences of too long a text to count")
    for _ in range(times):
        position = whole.find(wanted, position + 1)
        if position < 0:
            return -1
    return position


def replacestr(text: Value, find: Value, replacement: Value) -> str | None:
    """Every occurrence of a text, which is no regular expression, replaced.

    Judgement: of two overlapping ones the first; null or "" to look for changes nothing, a null
    replacement removes.
    """
    if text is None:
        return None
    whole, old, new = as_text(text), as_text(find), as_text(replacement)
    if not old:
        return whole
    if len(new) > len(old) and len(whole) * len(new) > MAX_TEXT:
        grown = len(whole) + whole.count(old) * (len(new) - len(old))
        if grown > MAX_TEXT:
            raise RowFault(f"a text over {MAX_TEXT} characters")
    return whole.replace(old, new)


def substr(text: Value, start: Value, length: Value = -1) -> str | None:
    """`length` characters from `start`, counted from 0 (documented by the example).

    Judgement: what lies outside the text is empty; without a length, the rest.
    """
    if text is None or start is None or length is None:
        return None
    first, count = max(as_integer(start), 0), as_integer(length)
    return as_text(text)[first : first + count] if count >= 0 else as_text(text)[first:]


def lpad(text: Value, size: Value, padding: Value) -> str | None:
    """Filled on the left up to `size` characters; null or empty padding is a space (documented).

    "This string can be null" says the page of the text, not what comes of it; judgement: null.
    """
    return None if text is None or size is None else _filler(text, size, padding) + as_text(text)


def rpad(text: Value, size: Value, padding: Value) -> str | None:
    """Filled on the right, else as `lpad`."""
    return None if text is None or size is None else as_text(text) + _filler(text, size, padding)


def _filler(text: Value, size: Value, padding: Value) -> str:
    wanted = as_integer(size)
    if wanted > MAX_TEXT:
        raise RowFault(f"a text over {MAX_TEXT} characters")
    missing, fill = max(wanted - len(as_text(text)), 0), as_text(padding) or " "
    return (fill * (missing // len(fill) + 1))[:missing]


def left(text: Value, count: Value) -> str | None:
    """The first characters; none for a count below 0 (judgement)."""
    return None if text is None or count is None else as_text(text)[: max(as_integer(count), 0)]


def right(text: Value, count: Value) -> str | None:
    """The last characters; none for a count below 0 (judgement)."""
    if text is None or count is None:
        return None
    return as_text(text)[max(len(as_text(text)) - max(as_integer(count), 0), 0) :]


def equals(text: Value, other: Value) -> bool:
    """`a.equals(b)`: are both the same text, capitals told apart (documented)?

    Judgement: other kinds are compared as their texts; null equals null only.
    """
    if text is None or other is None:
        return text is other
    return as_text(text) == as_text(other)


def equals_ignore_case(text: Value, other: Value) -> bool:
    """`a.equalsIgnoreCase(b)`: as equals, capitals not told apart; as Java, ß is not SS."""
    if text is None or other is None:
        return text is other
    one, two = as_text(text), as_text(other)
    return len(one) == len(two) and (one.lower() == two.lower() or one.upper() == two.upper())


def _counted(parts: list[str]) -> list[str]:
    if len(parts) > MAX_ITEMS:
        raise RowFault(f"an array over {MAX_ITEMS} items")
    return parts


# What is whitespace to `trim`: Unicode's, the no-break space among it (judgement).
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
}
