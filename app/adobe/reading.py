"""Values out of Adobe's documents, whatever is in their place. Nothing here raises.

Counts come as numbers, as texts, or not at all; lists may be missing; a number that is no count is
none (platform.md sections 2.5 and 6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# Beyond this nothing is a count or a time any more.
_MOST: Final = 1 << 53


def at(document: Any, *keys: str) -> Any:
    """What lies under these keys; None where the way ends."""
    for key in keys:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def items(value: Any) -> list[Any]:
    """The value if it is a list, else none of it."""
    return value if isinstance(value, list) else []


def count(value: Any) -> int | None:
    """A count or a time: not negative, from a number or a text of digits. None = there is none."""
    if isinstance(value, str) and value.isascii() and value.strip().isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < _MOST else None


def text(value: Any) -> str:
    """The value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def texts(value: Any) -> tuple[str, ...]:
    """The texts in the value if it is a list, else none."""
    return tuple(each for each in items(value) if isinstance(each, str))
