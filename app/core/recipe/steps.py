"""One step of a recipe, on a parsed body, in place. The same body always comes out the same.

Places are JSON pointers (RFC 6901). A step never makes the object that its place lies in, and never
writes over another value but its own: what does not fit the body is told, not guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

_INTEGER: Final = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d{1,18}(\.\d+)?([eE][+-]?\d{1,2})?", re.ASCII)
_WORDS: Final = {"true": True, "false": False}


class Absent:
    """No value at all, which null is not."""


ABSENT: Final = Absent()


class StepFailed(Exception):
    """A step does not apply to a body. `code`: absent, taken, not_castable or not_in_table."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Step:
    """`verb` and `path`, and what the verb needs: `value` (set; map_value's default, if any), `to`
    (rename: a place, cast: a type), `table` (map_value: JSON of a plain value -> another).

    `optional`: where it does not apply, it is left out.
    """

    verb: str
    path: str
    value: Any = ABSENT
    to: str = ""
    table: Mapping[bytes, Any] = field(default_factory=dict)
    optional: bool = False

    @property
    def places(self) -> tuple[str, ...]:
        """Where it changes something."""
        return (self.path, self.to) if self.verb == "rename" else (self.path,)

    def apply(self, document: Any) -> None:
        """Raises StepFailed, and has changed nothing then."""
        _VERBS[self.verb](document, self)

    def __str__(self) -> str:
        return f"{self.verb} {self.path}"


def value_at(document: Any, pointer: str) -> Any:
    """The value at a place, or ABSENT."""
    try:
        parent, key = _parent(document, pointer)
        return parent[key]
    except (StepFailed, LookupError):
        return ABSENT


def key_of(value: Any) -> bytes:
    """A plain value as a table knows it: 1, "1" and true are three. b"" for any other."""
    plain = value is None or isinstance(value, str | int | float)
    return orjson.dumps(value) if plain else b""


def _parent(document: Any, pointer: str) -> tuple[Any, Any]:
    """Object or list that a place lies in, and its name or index there. Raises StepFailed."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    here = document
    for part in parts[:-1]:
        key = _key(here, part)
        if isinstance(here, dict) and key not in here:
            raise StepFailed("absent")
        here = here[key]
    return here, _key(here, parts[-1])


def _key(holder: Any, part: str) -> Any:
    """A list has no places but those that are filled."""
    if isinstance(holder, dict):
        return part
    plain = part.isascii() and part.isdigit() and len(part) <= 9 and str(int(part)) == part
    if isinstance(holder, list) and plain and int(part) < len(holder):
        return int(part)
    raise StepFailed("absent")


def _found(document: Any, pointer: str) -> tuple[Any, Any]:
    parent, key = _parent(document, pointer)
    if isinstance(parent, dict) and key not in parent:
        raise StepFailed("absent")
    return parent, key


def _set(document: Any, step: Step) -> None:
    parent, key = _parent(document, step.path)
    parent[key] = deepcopy(step.value)


def _rename(document: Any, step: Step) -> None:
    source, name = _found(document, step.path)
    target, new = _parent(document, step.to)
    if not isinstance(target, dict):
        raise StepFailed("absent")
    if new in target:
        raise StepFailed("taken")
    value = source[name]
    del source[name]
    target[new] = value


def _drop(document: Any, step: Step) -> None:
    parent, key = _found(document, step.path)
    del parent[key]


def _cast(document: Any, step: Step) -> None:
    parent, key = _found(document, step.path)
    value = _CASTS[step.to](parent[key])
    if value is None:
        raise StepFailed("not_castable")
    parent[key] = value


def _map_value(document: Any, step: Step) -> None:
    parent, key = _found(document, step.path)
    new = step.table.get(key_of(parent[key]), step.value)
    if new is ABSENT:
        raise StepFailed("not_in_table")
    parent[key] = deepcopy(new)


def _to_string(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return str(orjson.dumps(value), "ascii") if isinstance(value, int | float) else None


def _to_integer(value: Any) -> int | None:
    if isinstance(value, str):
        text = value.strip()
        return int(text) if _INTEGER.fullmatch(text) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else None
    return None if isinstance(value, bool) or not isinstance(value, int) else value


def _to_number(value: Any) -> float | int | None:
    if isinstance(value, str):
        text = value.strip()
        if _INTEGER.fullmatch(text):
            return int(text)
        return float(text) if _NUMBER.fullmatch(text) else None
    return None if isinstance(value, bool) or not isinstance(value, int | float) else value


def _to_boolean(value: Any) -> bool | None:
    if isinstance(value, str):
        return _WORDS.get(value.strip().lower())
    return bool(value) if isinstance(value, int) and value in (0, 1) else None


_CASTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "string": _to_string,
    "integer": _to_integer,
    "number": _to_number,
    "boolean": _to_boolean,
}
_VERBS: Final[Mapping[str, Callable[[Any, Step], None]]] = {
    "set": _set,
    "rename": _rename,
    "cast": _cast,
    "drop": _drop,
    "map_value": _map_value,
}
TYPES: Final = tuple(_CASTS)
VERBS: Final = tuple(_VERBS)
