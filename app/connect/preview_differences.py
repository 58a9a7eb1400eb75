"""What Platform makes of a mapping set's examples, held against what we make of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

from app.core.json_diff import patch_between
from app.core.recipe.steps import ABSENT, value_at

_SHOWN: Final = 5
_LONGEST: Final = 80


class _Place(NamedTuple):
    """A path that differs; the first example there, from 1, and both values in it."""

    example: int
    ours: Any
    theirs: Any


def remarks_on(pairs: Sequence[tuple[Any, Any]]) -> list[str]:
    """For people. `pairs`: the record that we make of each example, and the one of Platform's."""
    first: dict[str, _Place] = {}
    times: dict[str, int] = {}
    for number, (ours, theirs) in enumerate(pairs, 1):
        for change in patch_between(ours, theirs):
            path = change["path"]
            place = _Place(number, _at(ours, path), _at(theirs, path))
            first.setdefault(path, place)
            times[path] = times.get(path, 0) + 1
    if not first:
        return [f"Platform's preview makes the same of all {len(pairs)} examples"]
    found = [_told(path, place, times[path], len(pairs)) for path, place in first.items()]
    more = len(found) - _SHOWN
    beyond = [f"Platform's preview differs from ours in {more} more places"] if more > 0 else []
    return [*found[:_SHOWN], *beyond]


def _told(pointer: str, place: _Place, times: int, examples: int) -> str:
    path = pointer.strip("/").replace("/", ".") or "the record"
    return (
        f"Platform's preview differs from ours at {path} in {times} of {examples} examples: of "
        f"example {place.example} we make {_shown(place.ours)}, Platform {_shown(place.theirs)}"
    )


def _at(record: Any, pointer: str) -> Any:
    return value_at(record, pointer) if pointer else record


def _shown(value: Any) -> str:
    if value is ABSENT:
        return "nothing"
    try:
        text = orjson.dumps(value).decode()
    except TypeError:
        # A whole number of more than 64 bits.
        text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
