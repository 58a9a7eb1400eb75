"""All rows of a set into one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from app.core.dataprep.compiler.destinations import Destination, DestinationTaken
from app.core.dataprep.compiler.expressions import CannotCompile, Expressions
from app.core.dataprep.compiler.leaves import Leaves
from app.core.dataprep.compiler.program import function
from app.core.dataprep.compiler.quoting import statements
from app.core.dataprep.compiler.records import RecordWriter
from app.core.dataprep.compiler.sources import Sources, paths_read
from app.core.dataprep.language.grammar import ExpressionInvalid, parse_expression
from app.core.dataprep.language.paths import PathInvalid, parse_path
from app.core.dataprep.language.syntax import Each, Literal, Node, Path, Step
from app.core.dataprep.problems import Problem
from app.core.dataprep.rows import ATTRIBUTE, STATIC, Row, step_column
from app.core.dataprep.shapes import Shape
from app.core.dataprep.values import Occasion, RowFault, clean


class RowsCompiler:
    """Compiles rows; `problems` has what is wrong with them, `places` what they write."""

    def __init__(self, rows: list[Row], shape: Shape | None) -> None:
        self.rows = rows
        self.problems: list[Problem] = []
        self.places = Destination()
        self._shape = shape
        self._trees: dict[int, Node] = {}
        for row in rows:
            self._guard(row, self._place)
            self._guard(row, self._read)
        self._check_loops()
        self._sources = Sources(self._trees.values())
        self._expressions = Expressions(self._sources)
        self._shared = self._expressions.share(self._trees.values())
        self._write()

    def function(self, required: frozenset[str], reports: Mapping[str, Any]) -> Callable[..., Any]:
        """The function of all rows; `reports` is bound to its names for what goes wrong.

        Raises RecursionError for rows nested deeper than Python compiles.
        """
        sources, expressions = self._sources, self._expressions
        leaves = Leaves(expressions)
        writer = RecordWriter(self._trees, sources, leaves, self._shape, required)
        built = writer.write(self.places)
        body = statements("warnings = ()")
        if expressions.occasional:
            body += statements("occasion = OCCASION(source, received_ms)")
        body += [*sources.load(), *self._shared, *built]
        body += statements("return MAKE(MAPPED, (record, warnings))")
        bound = {**sources.bound, **expressions.bound, **leaves.bound, "OCCASION": Occasion}
        return function(body, {**bound, **reports})

    def paths(self) -> dict[int, tuple[tuple[Step, ...], ...]]:
        """The paths of the source that each row reads or asks for, by the row's number."""
        return {
            number: tuple(dict.fromkeys(paths_read(tree))) for number, tree in self._trees.items()
        }

    def _guard(self, row: Row, work: Callable[[Row], None]) -> None:
        try:
            work(row)
        except CannotCompile as invalid:
            self.problems += [row.problem("source", text, at) for at, text in invalid.faults]
        except ExpressionInvalid as invalid:
            self.problems.append(row.problem("source", str(invalid), invalid.column))
        except RowFault as fault:
            self.problems.append(row.problem("source", str(fault)))
        except RecursionError:
            self.problems.append(row.problem("source", "it is nested too deeply"))

    def _place(self, row: Row) -> None:
        try:
            steps = parse_path(row.destination)
            self.places.place(steps, row.number)
        except PathInvalid as fault:
            self.problems.append(row.problem("destination", str(fault), fault.column))
        except DestinationTaken as taken:
            column = step_column(row.destination, taken.position)
            self.problems.append(row.problem("destination", str(taken), column))

    def _read(self, row: Row) -> None:
        if row.kind == STATIC:
            self._trees[row.number] = Literal(row.source)
        elif row.kind == ATTRIBUTE:
            try:
                self._trees[row.number] = Path(parse_path(str(row.source)))
            except PathInvalid as fault:
                self.problems.append(row.problem("source", str(fault), fault.column))
        else:
            self._trees[row.number] = parse_expression(str(row.source))

    def _check_loops(self) -> None:
        """Constants under `[*]` go into the elements that other rows make."""
        by_number = {row.number: row for row in self.rows}
        waiting = [self.places]
        while waiting:
            node = waiting.pop()
            waiting += node.children.values()
            if Each.EACH not in node.children or node.row is not None:
                continue
            leaves = list(node.leaves())
            if all(isinstance(self._trees.get(leaf.row or 0), Literal) for leaf in leaves):
                row = by_number[leaves[0].row or 0]
                message = "a constant under [*] needs another row that makes the elements"
                self.problems.append(row.problem("destination", message))

    def _write(self) -> None:
        """Every row's value as an expression: so it shows what cannot be computed."""
        for row in self.rows:
            tree = self._trees.get(row.number)
            if tree is not None:
                self._guard(row, partial(self._write_row, tree))

    def _write_row(self, tree: Node, row: Row) -> None:
        self._expressions.write(tree)
        if isinstance(tree, Literal):
            clean(tree.value)
