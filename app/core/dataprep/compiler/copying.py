"""Many plain copies out of one object into another: one look at the keys that are there.

A set names all that any kind of event may have, an event has a few of it: going through its keys
costs less than asking for each of the set's.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from app.core.dataprep.compiler.destinations import Destination
from app.core.dataprep.compiler.leaves import Leaves, takes_text
from app.core.dataprep.compiler.quoting import expression, statements
from app.core.dataprep.compiler.sources import Sources, Steps
from app.core.dataprep.language.syntax import Node, Path
from app.core.dataprep.shapes import Shape

# Fewer copies than this are cheaper one by one.
_LEAST: Final = 8

_COPY = """
if type(PARENT) is dict:
    for key, value in PARENT.items():
        place = PLACES.get(key)
        if place is not None:
            if type(value) is str:
                if value:
                    HOLDER[place] = value
            elif value is not None:
                try:
                    KEPT = FITTED
                    if KEPT is not None:
                        HOLDER[place] = KEPT
                except Exception as fault:
                    warnings += NOTED(ROWS[key], fault)
"""

# Children of one object by the object that they are copied from.
Groups = dict[Steps, dict[str, Destination]]


def copied_together(
    node: Destination, trees: Mapping[int, Node], sources: Sources, shape: Shape | None
) -> Groups:
    """The children that are plain copies of texts, many of them from one object."""
    groups: defaultdict[Steps, dict[str, Destination]] = defaultdict(dict)
    for child in node.children.values():
        if child.row is None or child.children:
            continue
        tree, place = trees[child.row], None if shape is None else shape.at(child.path)
        # With types all of them are texts; without, nothing is known of any.
        if isinstance(tree, Path) and (shape is None or _is_text(place)):
            *parents, last = tree.steps
            if isinstance(last, str) and sources.is_read_once(tree.steps):
                groups[tuple(parents)][last] = child
    return {parents: group for parents, group in groups.items() if len(group) >= _LEAST}


def copies(
    parents: Steps,
    group: Mapping[str, Destination],
    holder: str,
    sources: Sources,
    leaves: Leaves,
    shape: Shape | None,
) -> list[ast.stmt]:
    """The statements that copy a group into the object `holder`."""
    first = next(iter(group.values()))
    fit = leaves.fit(None if shape is None else shape.at(first.path))
    fitted = "FIT(value)" if shape is None else "str(value) if type(value) is int else FIT(value)"
    return statements(
        _COPY,
        PARENT=sources.local(parents),
        PLACES=leaves.bind("places", {key: str(child.path[-1]) for key, child in group.items()}),
        ROWS=leaves.bind("rows", {key: child.row for key, child in group.items()}),
        HOLDER=holder,
        KEPT=leaves.name("w"),
        FITTED=expression(fitted, FIT=fit),
    )


def _is_text(place: Shape | None) -> bool:
    return place is not None and takes_text(place) and place.type == "string"
