"""Which fields that Customer.io publishes does a mapping set write, and do they ever come?

Pure. What a set maps is read from its rows, not guessed from records: a field is mapped when a row
names it for its value, or when an ATTRIBUTE row copies an object around it. A condition
(`iif(contains_key(x), ...)`) is no use of a value. An expression that takes a whole object, such as
the one that keeps what nobody knows, passes fields on, which is not mapping them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from app.core.dataprep import MappingSet, Row
from app.core.dataprep.language.grammar import parse_expression
from app.core.dataprep.language.paths import parse_path
from app.core.dataprep.language.syntax import Call, Method, Node, Path, Step, Ternary, children
from app.core.errors import UnreadableEvent
from app.core.event import parse_event

Names = tuple[str, ...]

MAPPED: Final = "mapped"
PASSED_ON: Final = "passed on"
LEFT_OUT: Final = "left out"
UNMAPPED: Final = "unmapped"

# A kind of its own: bodies of before 2020, whatever they tell of (customerio.md section 12).
OLD_BODIES: Final = "event_type"

# Asking whether something is there is not using it.
_ASKING: Final = frozenset({"contains_key", "is_set", "is_empty"})


class Reading(NamedTuple):
    """A row that reads `names`, and where it writes."""

    row: Row
    names: Names
    destination: tuple[Step, ...]

    @property
    def copies(self) -> bool:
        """Does an object go over as it is, with what is in it?"""
        return self.row.kind == "ATTRIBUTE"


@dataclass(slots=True)
class Covered:
    """One published field. `came`, `filled`: in how many events it had a value, and its value a
    place in the record; None when no events were looked at."""

    path: str
    kinds: tuple[str, ...]
    status: str
    reason: str = ""
    rows: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    came: int | None = None
    filled: int | None = None

    @property
    def never(self) -> bool:
        """Was it looked for, and never filled in?"""
        return self.filled == 0


@dataclass(slots=True)
class Coverage:
    """All published fields. `events`: how many were looked at; `unpublished`: other fields that
    came, with the number of events."""

    fields: list[Covered]
    events: int | None = None
    failed: int = 0
    unpublished: dict[str, int] = field(default_factory=dict)
    _readings: dict[str, list[Reading]] = field(default_factory=dict)

    def count(self, status: str) -> int:
        return sum(one.status == status for one in self.fields)

    @property
    def never(self) -> int:
        return sum(one.never for one in self.fields) if self.events else 0

    def look(self, mapping: MappingSet, bodies: Iterable[tuple[bytes, int]], kind: str) -> None:
        """Counts what comes, and what is filled in, in events of a kind ("" = of all kinds).

        `bodies`: (body, received_ms). What is no event is not counted; an event that the set
        cannot map counts as one in which nothing was filled.
        """
        self.events = 0
        for one in self.fields:
            one.came = one.filled = 0
        known = {_names(one.path)[:2] for one in self.fields}
        for body, received_ms in bodies:
            try:
                event = parse_event(body)
            except UnreadableEvent:
                continue
            if kind in ("", OLD_BODIES if "event_type" in event.document else event.kind):
                self.events += 1
                record = self._record(mapping, event.document, received_ms)
                self._count(event.document, record)
                if not kind:
                    self._note_unpublished(event.document, known)

    def _record(self, mapping: MappingSet, document: dict[str, Any], received_ms: int) -> Any:
        try:
            return mapping.transform(document, received_ms).record
        except Exception:  # whatever it is: `preview` tells it, here nothing was filled in
            self.failed += 1
            return {}

    def _count(self, document: dict[str, Any], record: Any) -> None:
        for one in self.fields:
            names = _names(one.path)
            if not _has(document, names):
                continue
            one.came = (one.came or 0) + 1
            if any(_has(record, _written(reading, names)) for reading in self._readings[one.path]):
                one.filled = (one.filled or 0) + 1

    def _note_unpublished(self, document: dict[str, Any], known: set[Names]) -> None:
        """Names only, and two levels deep: deeper ones may be people's own."""
        inner = document.get("data")
        paths: list[Names] = [(name,) for name in document if name != "data"]
        paths += [("data", name) for name in inner] if isinstance(inner, dict) else []
        for names in paths:
            if names not in known:
                path = ".".join(names)
                self.unpublished[path] = self.unpublished.get(path, 0) + 1


def cover(
    mapping: MappingSet,
    published: Mapping[str, Sequence[str]],
    left_out: Mapping[str, str],
) -> Coverage:
    """What the rows of a set make of each published field. `published`: kind -> source paths."""
    kinds: dict[str, list[str]] = {}
    for kind, paths in published.items():
        for path in paths:
            kinds.setdefault(path, []).append(kind)
    readings = [reading for row in mapping.rows for reading in _readings_of(row)]
    coverage = Coverage([])
    for path, of_kinds in kinds.items():
        own = _about(path, readings)
        coverage.fields.append(_covered(path, tuple(of_kinds), own, left_out))
        coverage._readings[path] = own
    return coverage


def _covered(path: str, kinds: Names, own: list[Reading], left_out: Mapping[str, str]) -> Covered:
    status, reason = PASSED_ON if own else UNMAPPED, ""
    if own and _uses(own[0], path):
        status = MAPPED
    elif path in left_out:
        status, reason = LEFT_OUT, str(left_out[path])
    rows = {f"#{one.row.number}": one.row.destination for one in own}
    return Covered(path, kinds, status, reason, tuple(rows), tuple(dict.fromkeys(rows.values())))


def _about(path: str, readings: Iterable[Reading]) -> list[Reading]:
    """Who reads a field: those that use it, the plainest first; else those that pass it on."""
    own = [one for one in readings if _is_about(one.names, _names(path))]
    using = [one for one in own if _uses(one, path)]
    return sorted(using, key=lambda one: not (one.copies and one.names == _names(path))) or own


def _uses(reading: Reading, path: str) -> bool:
    """Does it name the field, or copy an object around it?"""
    return reading.copies or len(reading.names) >= len(_names(path))


def _readings_of(row: Row) -> Iterator[Reading]:
    if row.kind == "STATIC":
        return
    if row.kind == "ATTRIBUTE":
        read = [parse_path(str(row.source))]
    else:
        read = list(_values(parse_expression(str(row.source))))
    destination = parse_path(row.destination)
    for names in dict.fromkeys(tuple(s for s in steps if isinstance(s, str)) for steps in read):
        yield Reading(row, names, destination)


def _values(node: Node) -> Iterator[tuple[Step, ...]]:
    """The paths that a tree reads for their values."""
    match node:
        case Path(steps):
            yield steps
        case Call("iif", (_, *branches)):
            for branch in branches:
                yield from _values(branch)
        case Ternary(_, then, other):
            yield from _values(then)
            yield from _values(other)
        case Call(name, _) | Method(_, name, _) if name in _ASKING:
            return
        case _:
            for child in children(node):
                yield from _values(child)


def _is_about(read: Names, published: Names) -> bool:
    """Is it the field, an object around it, or a part of it?"""
    shorter = min(len(read), len(published))
    return shorter > 0 and read[:shorter] == published[:shorter]


def _written(reading: Reading, names: Names) -> Names:
    """Where a field ends up: what an object is copied to goes on below its destination."""
    placed = tuple(step for step in reading.destination if isinstance(step, str))
    return placed + (names[len(reading.names) :] if reading.copies else ())


def _names(path: str) -> Names:
    return tuple(step for step in parse_path(path) if isinstance(step, str))


def _has(value: Any, names: Names) -> bool:
    """Is there a value, neither null nor empty, at the path; in any element of arrays on it?"""
    if isinstance(value, list):
        return any(_has(one, names) for one in value)
    if not names:
        return value is not None and value != "" and value != {}
    return isinstance(value, dict) and _has(value.get(names[0]), names[1:])
