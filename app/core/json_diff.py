"""The JSON patch (RFC 6902) that makes one document of another. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from app.core.json_patch import OPERATIONS_MAX

_DEEPEST: Final = 60


def patch_between(before: Any, after: Any) -> list[dict[str, Any]]:
    """Operations that name only what differs; [] when nothing does. A list whose length changed is
    replaced whole."""
    found = list(_between(before, after, "", 0))
    if len(found) > OPERATIONS_MAX:
        return [{"op": "replace", "path": "", "value": after}]
    return found


def _between(before: Any, after: Any, path: str, depth: int) -> Iterator[dict[str, Any]]:
    if depth < _DEEPEST and isinstance(before, dict) and isinstance(after, dict):
        yield from _objects(before, after, path, depth)
    elif depth < _DEEPEST and _lists_of_a_length(before, after):
        for at, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _between(one, other, f"{path}/{at}", depth + 1)
    # Python takes true for 1, and 1 for 1.0.
    elif type(before) is not type(after) or before != after:
        yield {"op": "replace", "path": path, "value": after}


def _objects(
    before: dict[str, Any], after: dict[str, Any], path: str, depth: int
) -> Iterator[dict[str, Any]]:
    for key in (key for key in before if key not in after):
        yield {"op": "remove", "path": f"{path}/{_token(key)}"}
    for key, value in after.items():
        here = f"{path}/{_token(key)}"
        if key in before:
            yield from _between(before[key], value, here, depth + 1)
        else:
            yield {"op": "add", "path": here, "value": value}


def _lists_of_a_length(before: Any, after: Any) -> bool:
    return isinstance(before, list) and isinstance(after, list) and len(before) == len(after)


def _token(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
