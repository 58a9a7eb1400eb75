"""Values without what they say: for those who may see how an event is built, and not of whom."""

from __future__ import annotations

from typing import Any, Final

import orjson

from app.core.dataprep.values import kind_of

_DEEPEST: Final = 60


def masked(value: Any) -> str:
    """A value without what it says: kind and size."""
    if type(value) is str:
        return f"text of {len(value)}"
    if isinstance(value, list | dict):
        return f"{kind_of(value)} of {len(value)}"
    return kind_of(value)


def masked_json(content: bytes | None) -> bytes | None:
    """JSON with the names it has and each value masked; what is none, by its size."""
    if content is None:
        return None
    try:
        return orjson.dumps(_masked(orjson.loads(content), 0))
    except orjson.JSONDecodeError:
        return f"no JSON, {len(content):,} bytes".encode()


def _masked(value: Any, depth: int) -> Any:
    if depth < _DEEPEST and isinstance(value, dict):
        return {key: _masked(each, depth + 1) for key, each in value.items()}
    if depth < _DEEPEST and isinstance(value, list):
        return [_masked(each, depth + 1) for each in value]
    return masked(value)
