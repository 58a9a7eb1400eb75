"""Reading the source once: every path of a set becomes one local variable of the transform.

Paths share their parents: `data` and `data.identifiers` are looked at once an event, and where a
parent is absent nothing below it is.
"""

from __future__ import annotations

import ast
from typing import Final

from app.core.dataprep.compiler.quoting import constant, expression, name, statements
from app.core.dataprep.language.syntax import Each, Step
from app.core.dataprep.values import Value

ROOT: Final = "source"


class Place:
    """One place of the source; `local` is the variable that holds what lies there, or None."""

    __slots__ = ("children", "local")

    def __init__(self, local: str) -> None:
        self.local = local
        self.children: dict[str | int, Place] = {}


class Sources:
    """All places that a set reads."""

    def __init__(self) -> None:
        self._root = Place(ROOT)
        self._count = 0

    def read(self, steps: tuple[Step, ...]) -> ast.expr:
        """An expression for the value at a path; None where it is absent."""
        for position, step in enumerate(steps):
            if isinstance(step, Each):
                before, after = self._place(steps[:position]), steps[position + 1 :]
                return expression(
                    "SPREAD(BEFORE, AFTER)", BEFORE=before.local, AFTER=steps_tuple(after)
                )
        return name(self._place(steps).local)

    def exists(self, steps: tuple[Step, ...]) -> ast.expr:
        """An expression: is there such a place, be it null?"""
        last = steps[-1]
        if isinstance(last, Each) or any(isinstance(step, Each) for step in steps):
            return expression("VALUE is not None", VALUE=self.read(steps))
        parent = self._place(steps[:-1]).local
        if isinstance(last, int):
            return expression(
                "type(PARENT) is list and len(PARENT) > KEY", PARENT=parent, KEY=constant(last)
            )
        # Reading the path, too, makes `load` fill the variable with the parent's names.
        self._place(steps)
        return expression("KEY in NAMES", NAMES=f"names_{parent}", KEY=constant(last))

    def load(self) -> list[ast.stmt]:
        """The statements that fill the variables."""
        return self._children(self._root)

    def _place(self, steps: tuple[Step, ...]) -> Place:
        place = self._root
        for step in steps:
            assert not isinstance(step, Each)
            if step not in place.children:
                self._count += 1
                place.children[step] = Place(f"v{self._count}")
            place = place.children[step]
        return place

    def _children(self, place: Place) -> list[ast.stmt]:
        body: list[ast.stmt] = []
        for kind, template in (
            (str, "CHILD = GET(KEY)"),
            (int, "CHILD = PARENT[KEY] if len(PARENT) > KEY else None"),
        ):
            chosen = {k: child for k, child in place.children.items() if type(k) is kind}
            if not chosen:
                continue
            getter = f"get_{place.local}"
            block = statements(
                "NAMES = PARENT\nGET = PARENT.get",
                NAMES=f"names_{place.local}",
                GET=getter,
                PARENT=place.local,
            )
            block = block if kind is str else []
            for key, child in chosen.items():
                block += statements(
                    template, CHILD=child.local, GET=getter, PARENT=place.local, KEY=constant(key)
                )
                block += self._children(child)
            body += self._guarded(place, kind, list(chosen.values()), block)
        return body

    def _guarded(
        self, place: Place, kind: type, children: list[Place], block: list[ast.stmt]
    ) -> list[ast.stmt]:
        absent = [ast.Name(local, ast.Store()) for c in children for local in _locals(c)]
        nothing: list[ast.stmt] = [ast.Assign(list(absent), constant(None))]
        named = [place, *children] if kind is str else children
        for empty in (local for each in named for local in _names(each, each is place)):
            nothing += statements("NAMES = ()", NAMES=empty)
        return statements(
            "if type(PARENT) is KIND:\n    BLOCK\nelse:\n    NOTHING",
            PARENT=place.local,
            KIND="dict" if kind is str else "list",
            BLOCK=block,
            NOTHING=nothing,
        )


def _locals(place: Place) -> list[str]:
    found = [place.local]
    for child in place.children.values():
        found += _locals(child)
    return found


def _names(place: Place, only_here: bool) -> list[str]:
    """The variables for the names in a place and those below it, as far as there are any."""
    here = [f"names_{place.local}"] if any(type(key) is str for key in place.children) else []
    below = () if only_here else place.children.values()
    return here + [found for child in below for found in _names(child, False)]


def steps_tuple(steps: tuple[Step, ...]) -> ast.expr:
    """Steps as a constant of generated code."""
    items = [name("EACH") if isinstance(step, Each) else constant(step) for step in steps]
    return ast.Tuple(items, ast.Load())


def spread(value: Value, steps: tuple[Step, ...]) -> Value:
    """`value[*]` and the steps after it: one item an element, None where there is nothing."""
    if type(value) is not list:
        return None
    return [walk(item, steps) for item in value]


def walk(value: Value, steps: tuple[Step, ...]) -> Value:
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
