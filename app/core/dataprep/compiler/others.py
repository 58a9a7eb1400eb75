"""The children of an object other than some: an idiom of mapping sets, at almost no cost.

`add_to_map(to_map("a", nullify(), "b", nullify()), object_to_map(x))` is what Adobe's functions
have for "all that x has besides a and b": the first map wins (documented), and its nulls are left
out of the record (platform.md section 2.8).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.core.dataprep.language.syntax import Call, Literal, Node
from app.core.dataprep.values import RowFault, Value, as_text, kind_of


def others_of(node: Node) -> tuple[frozenset[str], Node] | None:
    """The names that are left out and the object, where a tree is the idiom."""
    match node:
        case Call("add_to_map", (Call("to_map" | "to_object", pairs), rest)):
            names, values = pairs[::2], pairs[1::2]
            if len(names) != len(values) or not all(map(_is_null, values)):
                return None
            known = [name.value for name in names if isinstance(name, Literal)]
            if len(known) != len(names):
                return None
            return frozenset(as_text(name) for name in known if name is not None), _plain(rest)
    return None


def _plain(node: Node) -> Node:
    match node:
        case Call("object_to_map", (inner,)):
            return inner
    return node


def _is_null(node: Node) -> bool:
    return node in (Literal(None), Call("nullify", ()))


def others(known: frozenset[str]) -> Callable[[Value], dict[str, Any] | None]:
    """The function that gives an object's other children, None when there are none."""
    holds_all = known.issuperset

    def left(value: Value) -> dict[str, Any] | None:
        if type(value) is dict:
            if holds_all(value):
                return None
            return {name: child for name, child in value.items() if name not in known}
        if value is None:
            return None
        raise RowFault(f"{kind_of(value)} where an object is needed")

    return left
