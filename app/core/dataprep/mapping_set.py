"""A mapping set: Adobe's JSON in, one Python function out (platform.md sections 4.1 and 4.2).

The set is compiled once, to a single function over all rows: the paths of the source are read
once, rows whose source is absent cost next to nothing, and nothing is parsed per event. A row
that fails leaves its own field out with a warning; where the field is required the event fails
(platform.md section 4.4).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from app.core.dataprep.compiler.expressions import CannotCompile, Expressions
from app.core.dataprep.compiler.quoting import statements
from app.core.dataprep.compiler.records import Destination, DestinationTaken, RecordWriter
from app.core.dataprep.compiler.sources import Sources
from app.core.dataprep.language.grammar import ExpressionInvalid, parse_expression
from app.core.dataprep.language.paths import PathInvalid, parse_path
from app.core.dataprep.language.syntax import Each, Literal, Node, Path, Step
from app.core.dataprep.rows import Row, RowInvalid, read_rows
from app.core.dataprep.shapes import Shape, shape_of
from app.core.dataprep.values import RowFault, Value, clean
from app.core.errors import MappingFailed, MappingSetInvalid

# Without these no ExperienceEvent is accepted (platform.md section 2.8).
REQUIRED: Final = frozenset({"_id", "timestamp"})


class RowWarning(NamedTuple):
    """A row that failed on one event, so that its field is left out.

    `row`: the row as text; `path`: its destination; `code` and `detail`: what failed, without
    values of the event.
    """

    row: str
    path: str
    code: str
    detail: str


class Mapped(NamedTuple):
    """A record and what went wrong on the way; `warnings` is the shared () on the usual way."""

    record: dict[str, Value]
    warnings: tuple[RowWarning, ...]


@dataclass(frozen=True, slots=True)
class MappingSet:
    """A compiled set. `transform(source)` gives Mapped, or raises MappingFailed.

    It leaves the source alone, shares nothing with it that can change, and is deterministic.
    """

    name: str
    version: int
    rows: tuple[Row, ...]
    transform: Callable[[dict[str, Value]], Mapped]


def compile_mapping_set(
    document: Mapping[str, Value],
    variables: Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
) -> MappingSet:
    """Compiles a set. Raises MappingSetInvalid with every fault, each naming its row.

    `variables` stand for `{TENANT}` and the like. `types` is the target schema's path → XDM type
    table: with it values are brought to their types and objects are copied by equal names only.
    """
    try:
        rows, faults = read_rows(document, variables or {})
    except RowInvalid as fault:
        raise MappingSetInvalid([str(fault)]) from None
    compiler = _Compiler(rows, shape_of(types or {}))
    faults += compiler.faults
    if faults:
        raise MappingSetInvalid([text for _, text in sorted(faults)])
    label = document.get("name")
    version = document.get("version")
    return MappingSet(
        label if isinstance(label, str) else "",
        version if isinstance(version, int) else 0,
        tuple(rows),
        compiler.function(),
    )


class _Compiler:
    """Rows into one function; `faults` has what is wrong, as (row number, text)."""

    def __init__(self, rows: list[Row], shape: Shape) -> None:
        self._rows = {row.number: row for row in rows}
        self._shape = shape
        self._sources = Sources()
        self._expressions = Expressions(self._sources)
        self._root = Destination(())
        self.faults: list[tuple[int, str]] = []
        self._trees: dict[int, Node] = {}
        self._values: list[ast.expr | None] = [None] * (max(self._rows, default=0) + 1)
        for work in (self._place, self._read):
            self._each(work)
        self._fresh = self._expressions.share(self._trees.values())
        self._each(self._write)

    def _each(self, work: Callable[[Row], None]) -> None:
        for row in self._rows.values():
            try:
                work(row)
            except CannotCompile as invalid:
                self.faults += [(row.number, f"{row}: {text}") for text in invalid.faults]
            except (PathInvalid, ExpressionInvalid, DestinationTaken, RowFault) as invalid:
                self.faults.append((row.number, f"{row}: {invalid}"))

    def _place(self, row: Row) -> None:
        steps = parse_path(row.destination)
        if sum(isinstance(step, Each) for step in steps) > 1:
            raise PathInvalid("a destination with two [*] is not supported")
        if Each.EACH in steps and any(isinstance(step, int) for step in _after_each(steps)):
            raise PathInvalid("an index after [*] is not supported")
        self._root.place(steps, row.number)

    def _read(self, row: Row) -> None:
        if row.kind == "STATIC":
            self._trees[row.number] = Literal(row.source)
        elif row.kind == "ATTRIBUTE":
            self._trees[row.number] = Path(parse_path(str(row.source)))
        else:
            self._trees[row.number] = parse_expression(str(row.source))

    def _write(self, row: Row) -> None:
        if row.number in self._trees:
            value = self._expressions.write(self._trees[row.number])
            if isinstance(value, ast.Constant):
                clean(value.value)
            self._values[row.number] = value

    def function(self) -> Callable[[dict[str, Value]], Mapped]:
        """The set as one function. Only here does the engine's code become a program."""
        writer = RecordWriter(self._values, self._shape, REQUIRED)
        built = writer.write(self._root)
        body = [*statements("warnings = ()"), *self._sources.load(), *self._fresh, *built]
        body += statements("return MAKE(MAPPED, (record, warnings))")
        module = ast.Module(
            statements("def transform(source):\n    BODY", BODY=body), type_ignores=[]
        )
        program = compile(ast.fix_missing_locations(module), "<mapping set>", "exec")
        bound: dict[str, Any] = {**self._expressions.bound, **writer.bound, **self._reports()}
        exec(program, bound)  # our own tree: of the mapping file it holds constants only
        transform: Callable[[dict[str, Value]], Mapped] = bound["transform"]
        return transform

    def _reports(self) -> dict[str, Any]:
        rows = self._rows

        def noted(number: int, fault: Exception) -> tuple[RowWarning]:
            code, detail = _told(fault)
            return (RowWarning(str(rows[number]), rows[number].destination, code, detail),)

        def failed(number: int, fault: Exception) -> MappingFailed:
            code, detail = _told(fault)
            return MappingFailed(code, detail, rows[number].destination, str(rows[number]))

        def missing(number: int) -> MappingFailed:
            detail = "a required field came out empty"
            row = rows[number]
            return MappingFailed("required_missing", detail, row.destination, str(row))

        return {
            "NOTED": noted, "FAILED": failed, "MISSING": missing, "MAPPED": Mapped,
            "MAKE": tuple.__new__, "__builtins__": _BUILTINS,
        }  # fmt: skip


# All that generated code may call besides what is bound to it.
_BUILTINS: Final = {
    "type": type, "str": str, "dict": dict, "list": list, "len": len, "Exception": Exception,
}  # fmt: skip


def _told(fault: Exception) -> tuple[str, str]:
    """A fault's code and text; texts of exceptions that are not ours may hold values."""
    if isinstance(fault, RowFault):
        return "row_failed", str(fault)
    return "row_broken", f"{type(fault).__name__} in the row's computation"


def _after_each(steps: tuple[Step, ...]) -> Iterator[Step]:
    return iter(steps[steps.index(Each.EACH) :])
