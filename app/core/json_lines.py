"""JSON as people read it, line by line, each line knowing its place: so that one can be marked.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

import orjson

_INDENT: Final = "  "
# As paths are written: /a/b/0 (JSON Pointer), a.b[0], a.b.0.
_STEPS: Final = re.compile(r"[^/.\[\]]+")
# Names in a mapping row's source; those of functions are no places of the event, and do no harm.
_NAMES: Final = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\[\d+\])*")
# Below this the text is one line: nobody reads on, and Python's stack is finite.
_DEEPEST: Final = 60

Place = tuple[str, ...]


class Line(NamedTuple):
    """`place`: the keys and positions that lead to what the line begins."""

    text: str
    place: Place
    marked: bool = False


def lines_of(content: bytes | None, marks: Collection[Place] = ()) -> list[Line]:
    """Indented JSON; whatever is none, as it is. What is at a place in `marks` is marked, and when
    it is not there, what would hold it."""
    if content is None:
        return []
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        text = content.decode("utf-8", "backslashreplace")
        return [Line(line, ()) for line in text.split("\n")]
    lines = list(_lines(document, (), "", ""))
    places = {line.place for line in lines}
    wanted = {_nearest(mark, places) for mark in marks} - {()}
    return [line._replace(marked=line.place in wanted) for line in lines]


def place_of(path: str) -> Place:
    """`/a/b/0`, `a.b[0]` and `a.b.0` are one place."""
    return tuple(_STEPS.findall(path))


def sources_of(row: str) -> list[Place]:
    """What a mapping row, as text (`#3 EXPRESSION lower(data.x) -> a.b`), reads of the event."""
    source = row.partition(" -> ")[0].split(" ", 2)[-1]
    return [place_of(name) for name in _NAMES.findall(source)]


def _nearest(mark: Place, places: Collection[Place]) -> Place:
    while mark and mark not in places:
        mark = mark[:-1]
    return mark


def _lines(value: Any, place: Place, before: str, after: str) -> Iterator[Line]:
    """`before`: indent and key; `after`: a comma, or nothing."""
    indent = _INDENT * len(place)
    inner: list[tuple[str, str, Any]]
    if len(place) == _DEEPEST and isinstance(value, dict | list) and value:
        yield Line(f"{before}... {len(value)} deeper{after}", place)
        return
    if isinstance(value, dict) and value:
        inner = [(key, f"{_dumps(key)}: ", each) for key, each in value.items()]
        start, end = "{", "}"
    elif isinstance(value, list) and value:
        inner = [(str(at), "", each) for at, each in enumerate(value)]
        start, end = "[", "]"
    else:
        yield Line(before + _dumps(value) + after, place)
        return
    yield Line(before + start, place)
    for at, (step, key, each) in enumerate(inner, 1):
        comma = "," if at < len(inner) else ""
        yield from _lines(each, (*place, step), indent + _INDENT + key, comma)
    yield Line(indent + end + after, ())


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()
