"""Building the record: the tree of destinations, written out as plain dict building.

Nothing is made before something goes into it, so there are no empties to take out again.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from app.core.dataprep.compiler.quoting import constant, name, statements
from app.core.dataprep.language.syntax import Each, Step, show_path
from app.core.dataprep.shapes import Shape, fit_for
from app.core.dataprep.values import RowFault, Value

_ROW = """
try:
    BODY
except Exception as fault:
    CAUGHT
"""

# For places that hold no text: a value is cleaned and brought to its type.
_WRITE_FITTED = """
if VALUE is not None:
    KEPT = FIT(VALUE)
    if KEPT is not None:
        STORE_KEPT
"""

# A text goes in as it is; anything else is cleaned and brought to its type first.
_WRITE = """
if VALUE is not None:
    if type(VALUE) is str:
        if VALUE:
            STORE
    else:
        KEPT = FIT(VALUE)
        if KEPT is not None:
            STORE_KEPT
"""


class DestinationTaken(ValueError):
    """Two rows write the same place, or one writes an object and another an array there."""


class Destination:
    """One place of the record: the row that writes it, and the places below."""

    __slots__ = ("children", "path", "row")

    def __init__(self, path: tuple[Step, ...]) -> None:
        self.path = path
        self.row: int | None = None
        self.children: dict[Step, Destination] = {}

    def place(self, steps: tuple[Step, ...], row: int) -> None:
        """Notes that a row writes at a path. Raises DestinationTaken."""
        node = self
        for step in steps:
            if node.children and any(type(other) is not type(step) for other in node.children):
                raise DestinationTaken(f"{show_path(node.path)} is written in two ways")
            node = node.children.setdefault(step, Destination((*node.path, step)))
        if node.row is not None:
            raise DestinationTaken(f"{show_path(steps)} is written by row #{node.row} already")
        node.row = row


class RecordWriter:
    """Writes the statements that build a record. `bound`: what names in them stand for."""

    def __init__(
        self, values: Sequence[ast.expr | None], shape: Shape, required: frozenset[str]
    ) -> None:
        self._values = values
        self._shape = shape
        self._required = required
        self._count = 0
        self.bound: dict[str, Any] = {"WEAVE": weave}

    def write(self, root: Destination) -> list[ast.stmt]:
        """Statements that leave the record in `record`."""
        body = statements("RECORD = {}", RECORD="record")
        for step, child in root.children.items():
            body += self._child(child, step, "record")
            if step in self._required and child.row is not None:
                body += statements(
                    "if KEY not in record:\n    raise MISSING(ROW)",
                    KEY=constant(step if isinstance(step, str) else None),
                    ROW=constant(child.row),
                )
        return body

    def _child(self, node: Destination, step: Step, holder: str) -> list[ast.stmt]:
        if Each.EACH in node.children:
            return self._loop(node, step, holder)
        if not node.children:
            return self._leaf(node, step, holder)
        made = self._name("o")
        is_array = isinstance(next(iter(node.children)), int)
        body = statements("MADE = []" if is_array else "MADE = {}", MADE=made)
        if node.row is not None:
            body += self._copied(node, made, is_array)
        children = node.children.items()
        for below, child in sorted(children, key=_by_index) if is_array else children:
            body += self._child(child, below, made)
        return body + statements(
            "if MADE:\n    STORE", MADE=made, STORE=_store(holder, step, name(made))
        )

    def _copied(self, node: Destination, made: str, is_array: bool) -> list[ast.stmt]:
        """A whole object first, then what other rows write into it."""
        kept = self._name("w")
        fit = self._fit(node)
        copied = statements(
            "KEPT = FIT(VALUE)\nif type(KEPT) is KIND:\n    MADE = KEPT",
            KEPT=kept,
            FIT=fit,
            VALUE=self._value(node),
            KIND="list" if is_array else "dict",
            MADE=made,
        )
        return self._guarded(node, copied)

    def _leaf(self, node: Destination, step: Step, holder: str) -> list[ast.stmt]:
        value = self._value(node)
        if isinstance(value, ast.Constant):
            fitted = fit_for(self._shape.at(node.path))(value.value)
            return [] if fitted is None else _store(holder, step, constant(fitted))
        body: list[ast.stmt] = []
        local = value.id if isinstance(value, ast.Name) else self._name("w")
        if not isinstance(value, ast.Name):
            body = statements("LOCAL = VALUE", LOCAL=local, VALUE=value)
        kept = self._name("w")
        shape = self._shape.at(node.path)
        body += statements(
            _WRITE if shape is None or shape.type in ("", "string") else _WRITE_FITTED,
            VALUE=local,
            STORE=_store(holder, step, name(local)),
            KEPT=kept,
            FIT=self._fit(node),
            STORE_KEPT=_store(holder, step, name(kept)),
        )
        return self._guarded(node, body)

    def _loop(self, node: Destination, step: Step, holder: str) -> list[ast.stmt]:
        """All rows below `[*]` together: each gives a column, the columns make the elements."""
        columns: list[ast.expr] = []
        body: list[ast.stmt] = []
        for leaf in _leaves(node.children[Each.EACH]):
            column = self._name("c")
            body += statements("COLUMN = None", COLUMN=column)
            body += self._guarded(
                leaf, statements("COLUMN = VALUE", COLUMN=column, VALUE=self._value(leaf))
            )
            inner = leaf.path[len(node.path) + 1 :]
            steps = ast.Tuple([constant(str(below)) for below in inner], ast.Load())
            columns.append(ast.Tuple([steps, name(column)], ast.Load()))
        made = self._name("w")
        first = next(_leaves(node))
        build = statements(
            "MADE = FIT(WEAVE(COLUMNS))\nif MADE is not None:\n    STORE",
            MADE=made,
            FIT=self._fit(node),
            COLUMNS=ast.Tuple(columns, ast.Load()),
            STORE=_store(holder, step, name(made)),
        )
        return body + self._guarded(first, build)

    def _guarded(self, node: Destination, body: list[ast.stmt]) -> list[ast.stmt]:
        """A fault nulls the field with a warning, or ends the event where it is required."""
        required = len(node.path) == 1 and node.path[0] in self._required
        caught = statements(
            "raise FAILED(ROW, fault) from None" if required else "warnings += NOTED(ROW, fault)",
            ROW=constant(node.row),
        )
        return statements(_ROW, BODY=body, CAUGHT=caught)

    def _value(self, node: Destination) -> ast.expr:
        assert node.row is not None
        value = self._values[node.row]
        assert value is not None
        return value

    def _fit(self, node: Destination) -> str:
        label = f"fit{len(self.bound)}"
        fit = fit_for(self._shape.at(node.path))
        for known, bound in self.bound.items():
            if bound is fit:
                return known
        self.bound[label] = fit
        return label

    def _name(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"


def _store(holder: str, step: Step, value: ast.expr) -> list[ast.stmt]:
    if isinstance(step, int):
        return statements("HOLDER.append(VALUE)", HOLDER=holder, VALUE=value)
    return statements("HOLDER[KEY] = VALUE", HOLDER=holder, KEY=constant(str(step)), VALUE=value)


def _by_index(entry: tuple[Step, Destination]) -> int:
    return entry[0] if isinstance(entry[0], int) else 0


def _leaves(node: Destination) -> Any:
    if node.row is not None:
        yield node
    for child in node.children.values():
        yield from _leaves(child)


def weave(columns: tuple[tuple[tuple[str, ...], Value], ...]) -> Value:
    """Columns, each with its path inside the element, as one list of elements."""
    for _, column in columns:
        if column is not None and type(column) is not list:
            raise RowFault("a loop needs an array at its source")
    elements = []
    for values in zip_longest(*(column or () for _, column in columns)):
        element: Value = {}
        for (steps, _), value in zip(columns, values, strict=True):
            element = _put(element, steps, value)
        elements.append(element)
    return elements or None


def _put(element: Value, steps: tuple[str, ...], value: Value) -> Value:
    if value is None:
        return element
    if not steps:
        return value
    inner = element
    for step in steps[:-1]:
        inner = inner.setdefault(step, {})
    inner[steps[-1]] = value
    return element
