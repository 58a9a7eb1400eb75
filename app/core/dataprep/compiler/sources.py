"""Reading the source once: every path of a set becomes one local variable of the transform.

Paths share their parents: `data` and `data.identifiers` are looked at once an event, and where a
parent is absent nothing below it is. A value that only one row reads is read in that row.
"""

from __future__ import annotations

import ast
import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from app.core.dataprep.compiler.quoting import call, constant, expression, name, statements
from app.core.dataprep.language.paths import PathInvalid, parse_path
from app.core.dataprep.language.syntax import Call, Each, Literal, Node, Path, Step, children
from app.core.dataprep.values import Value

ROOT: Final = "source"

# Functions that ask whether a path is there, without reading it.
ASKING: Final = frozenset({"contains_key", "is_set"})

Steps = tuple[Step, ...]


class Place:
    """One place of the source; `local` is the variable that holds what lies there, or None.

    `is_asked`: the variable `names_…` is wanted, with its keys; `is_searched`: `get_…`, too.
    """

    __slots__ = ("children", "is_asked", "is_searched", "local")

    def __init__(self, local: str) -> None:
        self.local = local
        self.children: dict[str | int, Place] = {}
        self.is_asked = False
        self.is_searched = False

    def below(self) -> Iterator[Place]:
        for child in self.children.values():
            yield child
            yield from child.below()


class Sources:
    """All places that a set reads. `bound`: what the written names stand for."""

    def __init__(self, trees: Iterable[Node] = ()) -> None:
        self._root = Place(ROOT)
        self._count = 0
        self._single = _read_once(trees)
        self.bound: dict[str, Any] = {"NOTHING": _nothing}

    def read(self, steps: Steps) -> ast.expr:
        """An expression for the value at a path; None where it is absent."""
        for position, step in enumerate(steps):
            if isinstance(step, Each):
                before, after = self._place(steps[:position]), steps[position + 1 :]
                return expression(
                    "SPREAD(BEFORE, AFTER)", BEFORE=before.local, AFTER=steps_tuple(after)
                )
        last = steps[-1]
        if isinstance(last, str) and steps in self._single:
            parent = self._place(steps[:-1])
            parent.is_searched = True
            return call(f"get_{parent.local}", constant(last))
        return name(self._place(steps).local)

    def exists(self, steps: Steps) -> ast.expr:
        """An expression: is there such a place, be it null?"""
        last = steps[-1]
        if isinstance(last, Each) or any(isinstance(step, Each) for step in steps):
            return expression("VALUE is not None", VALUE=self.read(steps))
        parent = self._place(steps[:-1])
        if isinstance(last, int):
            return expression(
                "type(PARENT) is list and len(PARENT) > KEY",
                PARENT=parent.local,
                KEY=constant(last),
            )
        parent.is_asked = True
        return expression("KEY in NAMES", NAMES=f"names_{parent.local}", KEY=constant(last))

    def is_read_once(self, steps: Steps) -> bool:
        """Is this the only read of that path, and of what lies below it?"""
        return steps in self._single

    def local(self, steps: Steps) -> str:
        """The variable that holds what lies at a path."""
        return self._place(steps).local

    def load(self) -> list[ast.stmt]:
        """The statements that fill the variables; to be written last, to be run first."""
        return self._children(self._root)

    def _place(self, steps: Steps) -> Place:
        place = self._root
        for step in steps:
            assert not isinstance(step, Each)
            if step not in place.children:
                self._count += 1
                place.children[step] = Place(f"v{self._count}")
            place = place.children[step]
        return place

    def _children(self, place: Place) -> list[ast.stmt]:
        return self._named(place) + self._numbered(place)

    def _named(self, place: Place) -> list[ast.stmt]:
        chosen = {key: child for key, child in place.children.items() if type(key) is str}
        if not (chosen or place.is_asked or place.is_searched):
            return []
        getter = f"get_{place.local}"
        block: list[ast.stmt] = []
        if place.is_asked:
            block += statements("NAMES = PARENT", NAMES=f"names_{place.local}", PARENT=place.local)
        if chosen or place.is_searched:
            block += statements("GET = PARENT.get", GET=getter, PARENT=place.local)
        for key, child in chosen.items():
            block += statements(
                "CHILD = GET(KEY)", CHILD=child.local, GET=getter, KEY=constant(key)
            )
            block += self._children(child)
        return _guarded(place, "dict", [place], list(chosen.values()), block)

    def _numbered(self, place: Place) -> list[ast.stmt]:
        chosen = {key: child for key, child in place.children.items() if type(key) is int}
        if not chosen:
            return []
        block: list[ast.stmt] = []
        for key, child in chosen.items():
            block += statements(
                "CHILD = PARENT[KEY] if len(PARENT) > KEY else None",
                CHILD=child.local,
                PARENT=place.local,
                KEY=constant(key),
            )
            block += self._children(child)
        return _guarded(place, "list", [], list(chosen.values()), block)


def _guarded(
    place: Place, kind: str, here: list[Place], chosen: list[Place], block: list[ast.stmt]
) -> list[ast.stmt]:
    """The block where the place is of that kind; else nothing is there, nor below."""
    below = [place for child in chosen for place in (child, *child.below())]
    nothing: list[ast.stmt] = []
    if below:
        targets: list[ast.expr] = [ast.Name(each.local, ast.Store()) for each in below]
        nothing.append(ast.Assign(targets, constant(None)))
    for each in (*here, *below):
        if each.is_asked:
            nothing += statements("NAMES = ()", NAMES=f"names_{each.local}")
        if each.is_searched:
            nothing += statements("GET = NOTHING", GET=f"get_{each.local}")
    return statements(
        "if type(PARENT) is KIND:\n    BLOCK\nelse:\n    NOTHING",
        PARENT=place.local,
        KIND=kind,
        BLOCK=block,
        NOTHING=nothing or [ast.Pass()],
    )


def _nothing(_name: str) -> None:
    """Looking into what is no object."""


def _read_once(trees: Iterable[Node]) -> frozenset[Steps]:
    """The paths that one place of one tree reads, and of which nothing else is a part."""
    read: Counter[Steps] = Counter()
    parents: set[Steps] = set()
    for node in trees:
        for steps, is_asked in _paths(node):
            ends = [at for at, step in enumerate(steps) if isinstance(step, Each)]
            whole = steps[: ends[0]] if ends else steps
            if not is_asked:
                read[whole] += 1
            if ends:
                parents.add(whole)
            parents.update(whole[:end] for end in range(len(whole)))
    return frozenset(steps for steps, count in read.items() if count == 1 and steps not in parents)


def _paths(tree: Node) -> Iterator[tuple[Steps, bool]]:
    """Every path in a tree, and whether it is only asked for."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Path):
            yield node.steps, False
        elif isinstance(node, Call) and node.name in ASKING and len(node.arguments) == 1:
            [asked] = node.arguments
            steps = steps_asked(asked)
            if steps is not None:
                yield steps, True
            else:
                waiting.append(asked)
        else:
            waiting += children(node)


def steps_asked(node: Node) -> Steps | None:
    """The path that `contains_key` asks for, written plainly or as a text; None for neither."""
    if isinstance(node, Path):
        return node.steps
    if isinstance(node, Literal) and isinstance(node.value, str):
        with contextlib.suppress(PathInvalid):
            return parse_path(node.value)
    return None


def steps_tuple(steps: Steps) -> ast.expr:
    """Steps as a constant of generated code."""
    items = [name("EACH") if isinstance(step, Each) else constant(step) for step in steps]
    return ast.Tuple(items, ast.Load())


def paths_read(tree: Node) -> Iterator[Steps]:
    """Every path of the source that an expression reads or asks for, in no order."""
    for steps, _ in _paths(tree):
        yield steps


def spread(value: Value, steps: Steps) -> Value:
    """`value[*]` and the steps after it: one item an element, None where there is nothing."""
    if type(value) is not list:
        return None
    return [walk(item, steps) for item in value]


def walk(value: Value, steps: Steps) -> Value:
    """What lies at a path below a value; None where it is absent."""
    for position, step in enumerate(steps):
        if isinstance(step, Each):
            return spread(value, steps[position + 1 :])
        if type(step) is str and type(value) is dict:
            value = value.get(step)
        elif type(step) is int and type(value) is list and step < len(value):
            value = value[step]
        else:
            return None
    return value
