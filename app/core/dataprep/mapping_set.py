"""A mapping set: Adobe's JSON in, one Python function out (platform.md sections 4.1 and 4.2).

The set is compiled once, to a single function over all rows: the paths of the source are read
once, rows whose source is absent cost next to nothing, and nothing is parsed per event.

Warnings and errors (section 4.4, help/sources/tutorials/ui/monitor-streaming.md): a row that
fails leaves its own field out with a *warning*; where the field is required the event fails.
*Errors* are, documented, syntax errors (no set with one compiles), references to attributes that
do not exist, and XDM type mismatches: a value that cannot be brought to its type stays as it is,
and the schema check refuses the record. Judgement: an attribute that one event lacks is no
reference to an attribute that does not exist, since the kinds of events differ; it leaves its
field out without a word. What no kind of event has, `check` can say (app/core/check.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

from app.core.dataprep.compiler.destinations import Destination
from app.core.dataprep.compiler.rows_function import RowsCompiler
from app.core.dataprep.document import digest_of, label_of, name_in, rows_in, version_in, with_own
from app.core.dataprep.language.syntax import show_path
from app.core.dataprep.problems import Problem
from app.core.dataprep.rows import Row, read_rows
from app.core.dataprep.shapes import Shape, TypesInvalid, shape_of
from app.core.dataprep.values import RowFault, Value
from app.core.errors import MappingFailed, MappingSetInvalid

# Without these no ExperienceEvent is accepted (platform.md section 2.8).
REQUIRED: Final = frozenset({"_id", "timestamp"})


class RowWarning(NamedTuple):
    """A row that failed on one event, so that its field is left out.

    `row`: the row as text; `path`: its destination; `code` and `detail`: what failed, without
    values of the event; `number`: the row's, from 1.
    """

    row: str
    path: str
    code: str
    detail: str
    number: int = 0


class Mapped(NamedTuple):
    """A record and what went wrong on the way; `warnings` is the shared () on the usual way."""

    record: dict[str, Value]
    warnings: tuple[RowWarning, ...]


Transform = Callable[..., Mapped]


@dataclass(frozen=True)
class MappingSet:
    """A compiled set. `transform(source, received_ms=0)` gives Mapped, or raises MappingFailed.

    It leaves the source alone, shares nothing with it that can change, and is deterministic:
    `received_ms`, the moment in Unix milliseconds at which the event was received, is stored with
    the event, and all that now() and uuid() come from. `label` names the set and its version;
    `digest` is of what its rows say.
    """

    name: str
    version: int
    digest: str
    label: str
    rows: tuple[Row, ...]
    transform: Transform
    _places: Destination = field(repr=False, compare=False)
    _reads: Mapping[int, tuple[str, ...]] = field(repr=False, compare=False)
    _lenient: Callable[[], Transform] = field(repr=False, compare=False)

    @cached_property
    def trial(self) -> Transform:
        """As transform, but nothing is required: every row that fails is a warning."""
        return self._lenient()

    def row(self, number: int) -> Row | None:
        """The row of that number, as people count."""
        return next((row for row in self.rows if row.number == number), None)

    def row_at(self, pointer: str) -> Row | None:
        """The row that writes a place of the record, or the object that it lies in.

        `pointer` is a violation's: `/_acme/customerio/recipients/0/device_id`.
        """
        number = self._places.row_at(pointer)
        return None if number is None else self.row(number)

    def reads(self, row: Row) -> tuple[str, ...]:
        """The paths of the source that a row reads or asks for, each once."""
        return self._reads.get(row.number, ())


def compile_mapping_set(
    document: Any,
    variables: Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
) -> MappingSet:
    """Compiles a set. Raises MappingSetInvalid with every fault, each naming its row.

    `variables` stand for `{TENANT}` and the like; {MAPPING_SET} and {MAPPING_VERSION} are always
    there. `types` is the target schema's path → XDM type table: with it values are brought to
    their types and objects are copied by equal names only.
    """
    rows, problems = read_rows(rows_in(document), with_own(document, variables or {}))
    shape = _shape(types, problems)
    compiler = RowsCompiler(rows, shape)
    problems += compiler.problems
    transform: Transform | None = None
    if not problems:
        transform = _function(compiler, REQUIRED, problems)
    if problems or transform is None:
        raise MappingSetInvalid(sorted(problems, key=lambda problem: problem.row))
    return MappingSet(
        name_in(document),
        version_in(document),
        digest_of(document),
        label_of(document),
        tuple(rows),
        transform,
        compiler.places,
        {number: tuple(map(show_path, paths)) for number, paths in compiler.paths().items()},
        lambda: compiler.function(frozenset(), _reports(rows)),
    )


def _shape(types: Mapping[str, str] | None, problems: list[Problem]) -> Shape | None:
    if not types:
        return None
    try:
        return shape_of(types)
    except TypesInvalid as invalid:
        problems += [Problem(0, "set", None, fault) for fault in invalid.faults]
        return None


def _function(
    compiler: RowsCompiler, required: frozenset[str], problems: list[Problem]
) -> Transform | None:
    try:
        return compiler.function(required, _reports(compiler.rows))
    except RecursionError:
        problems.append(Problem(0, "set", None, "its rows are nested too deeply"))
        return None


def _reports(rows: list[Row]) -> dict[str, Any]:
    """How generated code says what went wrong, and gives its answer."""
    by_number = {row.number: row for row in rows}

    def noted(number: int, fault: Exception) -> tuple[RowWarning]:
        row, (code, detail) = by_number[number], _told(fault)
        return (RowWarning(str(row), row.destination, code, detail, number),)

    def failed(number: int, fault: Exception) -> MappingFailed:
        row, (code, detail) = by_number[number], _told(fault)
        return MappingFailed(code, detail, row.destination, str(row))

    def missing(number: int) -> MappingFailed:
        row = by_number[number]
        detail = "a required field came out empty"
        return MappingFailed("required_missing", detail, row.destination, str(row))

    return {
        "NOTED": noted, "FAILED": failed, "MISSING": missing, "MAPPED": Mapped,
        "MAKE": tuple.__new__,
    }  # fmt: skip


def _told(fault: Exception) -> tuple[str, str]:
    """A fault's code and text; texts of exceptions that are not ours may hold values."""
    if isinstance(fault, RowFault):
        return "row_failed", str(fault)
    return "row_broken", f"{type(fault).__name__} in the row's computation"
