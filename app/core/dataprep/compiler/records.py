"""Building the record: the tree of destinations, written out as plain dict building.

Nothing is made before something goes into it, so there are no empties to take out again. Places
that several rows write into one another (`[*]`, or an object and something inside it) are woven
(weaving.py).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from app.core.dataprep.compiler.copying import copied_together, copies
from app.core.dataprep.compiler.destinations import Destination
from app.core.dataprep.compiler.leaves import Leaves, Store, into, onto
from app.core.dataprep.compiler.quoting import constant, name, statements
from app.core.dataprep.compiler.sources import Sources
from app.core.dataprep.compiler.weaving import BOUND, Same
from app.core.dataprep.language.syntax import Each, Literal, Node, Path, Step
from app.core.dataprep.shapes import Fit, Shape, fit_for, nesting_fit

_ROW = """
try:
    BODY
except Exception as fault:
    CAUGHT
"""


class RecordWriter:
    """Writes the statements that build a record."""

    def __init__(
        self,
        trees: Mapping[int, Node],
        sources: Sources,
        leaves: Leaves,
        shape: Shape | None,
        required: frozenset[str],
    ) -> None:
        """`shape` None: nothing is known of the schema."""
        self._trees = trees
        self._sources = sources
        self._leaves = leaves
        self._shape = shape
        self._required = required
        leaves.bound.update(BOUND)

    def write(self, root: Destination) -> list[ast.stmt]:
        """Statements that leave the record in `record`."""
        body = statements("RECORD = {}", RECORD="record")
        for step, child in root.children.items():
            body += self._child(child, self._storing(step, "record"))
            if step in self._required:
                body += statements(
                    "if KEY not in record:\n    raise MISSING(ROW)",
                    KEY=constant(str(step)),
                    ROW=constant(next(child.leaves()).row),
                )
        return body

    def _child(self, node: Destination, store: Store) -> list[ast.stmt]:
        if Each.EACH in node.children or (node.children and node.row is not None):
            return self._woven(node, store)
        if not node.children:
            return self._leaf(node, store)
        if len(node.children) == 1:
            [(step, child)] = node.children.items()
            return self._child(child, _wrapping(step, store))
        made = self._leaves.name("o")
        is_array = isinstance(next(iter(node.children)), int)
        if is_array:
            body = statements("MADE = []", MADE=made)
            for step, child in sorted(node.children.items(), key=_by_index):
                body += self._child(child, self._storing(step, made))
        else:
            body = statements("MADE = {}", MADE=made) + self._members(node, made)
        return body + statements("if MADE:\n    STORE", MADE=made, STORE=store(name(made)))

    def _members(self, node: Destination, made: str) -> list[ast.stmt]:
        body: list[ast.stmt] = []
        together = copied_together(node, self._trees, self._sources, self._shape)
        for parents, group in together.items():
            body += copies(parents, group, made, self._sources, self._leaves, self._shape)
        copied = {child.row for group in together.values() for child in group.values()}
        for step, child in node.children.items():
            if child.row is None or child.row not in copied:
                body += self._child(child, self._storing(step, made))
        return body

    def _storing(self, step: Step, holder: str) -> Store:
        return into(holder, step) if isinstance(step, str) else onto(holder)

    def _leaf(self, node: Destination, store: Store) -> list[ast.stmt]:
        tree = self._trees[_row_of(node)]
        body = self._leaves.write(tree, self._shape_at(node.path), store)
        return body if isinstance(tree, Literal) or not body else self._guarded(node, body)

    def _woven(self, node: Destination, store: Store) -> list[ast.stmt]:
        """All rows here and below: each gives a column, the columns make the value."""
        body: list[ast.stmt] = []
        places: list[tuple[Step, ...]] = []
        columns: list[ast.expr] = []
        for leaf in sorted(node.leaves(), key=self._is_constant):
            # A whole array is laid out by its elements, so that other rows find theirs.
            spread = _has_elements(leaf)
            path = (*leaf.path, Each.EACH) if spread else leaf.path
            places.append(path[len(node.path) :])
            column, written = self._column(leaf, path)
            columns.append(column)
            body += written
        made = self._leaves.name("w")
        build = statements(
            "MADE = WEAVE(PLACES, COLUMNS)\nif MADE is not None:\n    STORE",
            MADE=made,
            PLACES=self._leaves.bind("places", tuple(places)),
            COLUMNS=ast.Tuple(columns, ast.Load()),
            STORE=store(name(made)),
        )
        return body + self._guarded(next(node.leaves()), build)

    def _column(self, leaf: Destination, path: tuple[Step, ...]) -> tuple[ast.expr, list[ast.stmt]]:
        row, depth = _row_of(leaf), sum(isinstance(step, Each) for step in path)
        fit = self._column_fit(self._trees[row], path, depth)
        if self._is_constant(leaf) and depth:
            tree = self._trees[row]
            assert isinstance(tree, Literal)
            return self._same(fit, tree), []
        column = self._leaves.name("c")
        body = statements("COLUMN = None", COLUMN=column)
        body += self._guarded(
            leaf,
            statements(
                "KEPT = COLUMN(VALUE, FIT, DEPTH)",
                KEPT=column,
                VALUE=self._leaves.value(self._trees[row]),
                FIT=self._leaves.bind("fit", fit),
                DEPTH=constant(depth),
            ),
        )
        return name(column), body

    def _same(self, fit: Fit, tree: Literal) -> ast.expr:
        fitted = fit(tree.value)
        if fitted is None:
            return constant(None)
        return name(self._leaves.bind("same", Same(fitted)))

    def _column_fit(self, tree: Node, path: tuple[Step, ...], depth: int) -> Fit:
        shape = self._shape_at(path)
        if depth and shape is not None and isinstance(tree, Path):
            last = tree.steps[-1]
            if isinstance(last, str) and last in shape.children:
                return nesting_fit(shape, last)
        return fit_for(shape)

    def _is_constant(self, leaf: Destination) -> bool:
        return isinstance(self._trees[_row_of(leaf)], Literal)

    def _shape_at(self, path: Sequence[Step]) -> Shape | None:
        return None if self._shape is None else self._shape.at(tuple(path))

    def _guarded(self, node: Destination, body: list[ast.stmt]) -> list[ast.stmt]:
        """A fault nulls the field with a warning, or ends the event where it is required."""
        required = len(node.path) == 1 and node.path[0] in self._required
        caught = statements(
            "raise FAILED(ROW, fault) from None" if required else "warnings += NOTED(ROW, fault)",
            ROW=constant(node.row),
        )
        return statements(_ROW, BODY=body, CAUGHT=caught)


def _wrapping(step: Step, store: Store) -> Store:
    """Storing what an object or array of one place holds: nothing is made before there is it."""
    if isinstance(step, str):
        return lambda value: store(ast.Dict([constant(step)], [value]))
    return lambda value: store(ast.List([value], ast.Load()))


def _row_of(node: Destination) -> int:
    assert node.row is not None
    return node.row


def _has_elements(node: Destination) -> bool:
    """Do other rows write elements of what this row writes?"""
    return bool(node.children) and not isinstance(next(iter(node.children)), str)


def _by_index(entry: tuple[Step, Destination]) -> int:
    return entry[0] if isinstance(entry[0], int) else 0
