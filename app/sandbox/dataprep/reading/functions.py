"""The functions of the subset, as help/data-prep/functions.md describes them; null gives null."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any, Final

# The one pattern of dformat that is read.
MOMENT: Final = "yyyy-MM-dd'T'HH:mm:ss.SSSX"


class Fault(Exception):
    """A row cannot be computed for this event; the text has no value of the event in it."""


def text(value: Any) -> str:
    """As Java and JSON write a value; null is no text at all."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def number(value: Any) -> float | None:
    """Raises Fault for what is no number."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    try:
        return float(value if isinstance(value, str) else "no number")
    except ValueError:
        raise Fault("no number") from None


def _object(value: Any) -> dict[str, Any]:
    if value is not None and not isinstance(value, dict):
        raise Fault("no object")
    return value or {}


def _of_text(function: Callable[[str], str]) -> Callable[..., str | None]:
    """A charset that is named is UTF-8."""
    return lambda value, *_charset: None if value is None else function(text(value))


def _pairs(*flat: Any) -> dict[str, Any]:
    return {text(key): value for key, value in zip(flat[::2], flat[1::2], strict=True)}


def _add_to_map(*maps: Any) -> dict[str, Any]:
    """Of repeated keys the first persists."""
    return {key: value for each in reversed(maps) for key, value in _object(each).items()}


def _map_get_values(given: Any, keys: Any) -> Any:
    """The value of one key, those of several (the page's text; its sample shows a pair)."""
    found = _object(given)
    return [found.get(key) for key in keys] if isinstance(keys, list) else found.get(text(keys))


def _arrays_to_object(*given: Any) -> list[dict[str, Any]]:
    rows = zip_longest(*[column or [] for column in given[1::2]])
    return [dict(zip(given[::2], row, strict=True)) for row in rows]


def _json_to_object(value: Any) -> Any:
    try:
        return None if value is None else json.loads(text(value))
    except ValueError:
        raise Fault("no JSON") from None


def _dformat(ms: Any, _pattern: str) -> str | None:
    at = number(ms)
    if at is None:
        return None
    try:
        moment = datetime.fromtimestamp(int(at) // 1000, UTC).replace(tzinfo=None)
    except (OverflowError, ValueError, OSError):
        raise Fault("no date") from None
    return f"{moment.isoformat(timespec='seconds')}.{int(at) % 1000:03}Z"


def _decode(key: Any, *options: Any) -> Any:
    """The value of a key, or the default that stands at the end."""
    found = dict(zip(options[::2], options[1::2], strict=False))
    return found.get(key, options[-1] if len(options) % 2 else None)


def _groups(value: Any, pattern: str) -> list[str | None]:
    """The whole match, then its groups."""
    found = None if value is None else re.search(pattern, text(value))
    return [] if found is None else [found[0], *found.groups()]


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "add_to_map": _add_to_map,
    "arrays_to_object": _arrays_to_object,
    "coalesce": lambda *given: next((each for each in given if each is not None), None),
    "concat": lambda *given: "".join(map(text, given)),
    "decode": _decode,
    "dformat": _dformat,
    "extract_regex": _groups,
    "get": lambda given, key: _object(given).get(key),
    "get_keys": lambda given: list(_object(given)),
    "is_empty": lambda value: value in (None, "", [], {}),
    "json_to_object": _json_to_object,
    "lower": _of_text(str.lower),
    "map_get_values": _map_get_values,
    "matches_regex": lambda value, pattern: bool(re.fullmatch(pattern, text(value))),
    "nullify": lambda: None,
    "object_to_map": lambda *given: _object(given[0]) if len(given) == 1 else _pairs(*given),
    "sha256": _of_text(lambda value: hashlib.sha256(value.encode()).hexdigest()),
    "to_array": lambda nulls, *given: [each for each in given if nulls or each is not None],
    "to_map": _pairs,
    "to_object": _pairs,
    "trim": _of_text(str.strip),
}
