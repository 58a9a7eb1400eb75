"""Two mapping sets over the same events: which fields differ, which events only one can map.

Pure. An event goes through each set as it would in the worker: parse, transform, check.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Final, NamedTuple

from app.core.dataprep import MappingSet
from app.core.event import peek_event
from app.core.trial import Side

# How many of the events that only one set can map are named.
NAMED: Final = 10


class _Absent:
    """No value at all, which null is not."""


_ABSENT: Final = _Absent()


@dataclass(slots=True)
class FieldDifference:
    """One field that the sets write differently: in how many events, and one of them.

    `path` has `[*]` for places in arrays. `old` and `new` are the example's values, None where
    there is none; `old_row` and `new_row` the rows that wrote them.
    """

    path: str
    added: int = 0
    removed: int = 0
    changed: int = 0
    event_id: str = ""
    old: Any = None
    new: Any = None
    old_row: str = ""
    new_row: str = ""

    @property
    def events(self) -> int:
        return self.added + self.removed + self.changed


@dataclass(slots=True)
class Passing:
    """Events that only one of the sets can map: how many, the first few, and why not the other."""

    events: int = 0
    named: list[str] = field(default_factory=list)
    why: Counter[str] = field(default_factory=Counter)

    def note(self, event_id: str, why: str) -> None:
        self.events += 1
        self.why[why] += 1
        if len(self.named) < NAMED:
            self.named.append(event_id)


@dataclass(slots=True)
class Comparison:
    """What was found so far. Every event is in one of: same, different, a `Passing`, neither."""

    old: Side
    new: Side
    events: int = 0
    same: int = 0
    different: int = 0
    neither: int = 0
    only_old: Passing = field(default_factory=Passing)
    only_new: Passing = field(default_factory=Passing)
    fields: dict[str, FieldDifference] = field(default_factory=dict)

    def add(self, body: bytes, received_ms: int, now: float) -> None:
        """Puts one event through both. `now`: Unix seconds."""
        self.events += 1
        old = self.old.outcome(body, received_ms, now)
        new = self.new.outcome(body, received_ms, now)
        event_id = peek_event(body)[0] or "(no id)"
        if old.record is None and new.record is None:
            self.neither += 1
        elif old.record is None:
            self.only_new.note(event_id, old.why)
        elif new.record is None:
            self.only_old.note(event_id, new.why)
        else:
            self._compare(event_id, old.record, new.record)

    def _compare(self, event_id: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        # Several places of one array are one field, and one event counts once.
        seen: set[tuple[str, str]] = set()
        for change in _changes(old, new, "", ""):
            if self._is_label(change.old, change.new):
                continue
            found = self.fields.setdefault(change.path, FieldDifference(change.path))
            if not found.events:
                self._exemplify(found, event_id, change)
            if (change.path, change.what) not in seen:
                seen.add((change.path, change.what))
                setattr(found, change.what, getattr(found, change.what) + 1)
        if seen:
            self.different += 1
        else:
            self.same += 1

    def _exemplify(self, found: FieldDifference, event_id: str, change: _Change) -> None:
        found.event_id = event_id
        if change.old is not _ABSENT:
            found.old, found.old_row = change.old, self.old.row_at(change.pointer)
        if change.new is not _ABSENT:
            found.new, found.new_row = change.new, self.new.row_at(change.pointer)

    def _is_label(self, old: Any, new: Any) -> bool:
        """Do they differ in nothing but which set wrote them? Every record would."""
        if type(old) is not str or type(new) is not str:
            return False
        return _unsigned(old, self.old.mapping) == _unsigned(new, self.new.mapping)


@dataclass(slots=True)
class Revival:
    """How many dead letters would pass now, by what they died of (class, stage, code)."""

    old: Side
    new: Side
    letters: int = 0
    pass_new: int = 0
    pass_old: int = 0
    causes: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)

    def add(self, cause: tuple[str, str, str], body: bytes, received_ms: int, now: float) -> None:
        """Puts one letter through both. `causes` counts: letters, pass with old, pass with new."""
        with_old = self.old.outcome(body, received_ms, now).record is not None
        with_new = self.new.outcome(body, received_ms, now).record is not None
        self.letters += 1
        self.pass_old += with_old
        self.pass_new += with_new
        counts = self.causes.setdefault(cause, [0, 0, 0])
        for at, one in enumerate((1, with_old, with_new)):
            counts[at] += one


class _Change(NamedTuple):
    """One place that differs. `what`: added, removed or changed; `pointer`: the place itself."""

    path: str
    pointer: str
    what: str
    old: Any
    new: Any


def _changes(old: Any, new: Any, path: str, pointer: str) -> Iterator[_Change]:
    """Every leaf that differs. What only one side has is told leaf by leaf, too."""
    if isinstance(old, dict) or isinstance(new, dict):
        yield from _in_objects(old, new, path, pointer)
    elif isinstance(old, list) or isinstance(new, list):
        ours, theirs = _as(list, old), _as(list, new)
        for at, (one, other) in enumerate(zip_longest(ours, theirs, fillvalue=_ABSENT)):
            yield from _changes(one, other, f"{path}[*]", f"{pointer}/{at}")
        yield from _leaf_beside(old, new, list, path, pointer)
    elif type(old) is not type(new) or old != new:
        what = "added" if old is _ABSENT else "removed" if new is _ABSENT else "changed"
        yield _Change(path, pointer, what, old, new)


def _in_objects(old: Any, new: Any, path: str, pointer: str) -> Iterator[_Change]:
    ours, theirs = _as(dict, old), _as(dict, new)
    for name in (*ours, *(name for name in theirs if name not in ours)):
        step = str(name).replace(".", "\\.")
        yield from _changes(
            ours.get(name, _ABSENT),
            theirs.get(name, _ABSENT),
            f"{path}.{step}" if path else step,
            f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}",
        )
    yield from _leaf_beside(old, new, dict, path, pointer)


def _leaf_beside(old: Any, new: Any, kind: type, path: str, pointer: str) -> Iterator[_Change]:
    """Where one side has an object or array and the other a plain value, that value."""
    if not isinstance(old, kind) and old is not _ABSENT:
        yield from _changes(old, _ABSENT, path, pointer)
    if not isinstance(new, kind) and new is not _ABSENT:
        yield from _changes(_ABSENT, new, path, pointer)


def _as(kind: type, value: Any) -> Any:
    return value if isinstance(value, kind) else kind()


def _unsigned(text: str, mapping: MappingSet) -> str:
    """A text without what it says of the set that wrote it."""
    for own in (mapping.label, f"{mapping.version}-{mapping.digest}", mapping.digest):
        text = text.replace(own, "") if own else text
    return text
