"""What several expressions have in common, so that an event computes it once.

What asks for the occasion is not shared: two calls of uuid() are two ids.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable
from typing import Final

from app.core.dataprep.compiler.kinds import NONE, kinds_of
from app.core.dataprep.compiler.quoting import constant, name
from app.core.dataprep.functions import FUNCTIONS_OF_EVENT
from app.core.dataprep.language.syntax import (
    Binary,
    Call,
    Literal,
    Method,
    Node,
    Ternary,
    children,
)

# Stands for a shared result that this event has not needed yet.
UNKNOWN: Final = object()


def shared(nodes: Iterable[Node]) -> list[Node]:
    """The parts that stand in several places and are worth remembering."""
    counts: Counter[Node] = Counter()
    waiting = list(nodes)
    asks = _asks if any(map(_asks, waiting)) else _asks_not
    while waiting:
        node = waiting.pop()
        counts[node] += 1
        if counts[node] == 1 or asks(node):
            waiting += children(node)
    return [n for n, count in counts.items() if count > 1 and not _is_cheap(n) and not asks(n)]


def not_yet(node: Node) -> ast.expr:
    """The mark of a result that is not there yet: None, where the result is never null."""
    kinds = kinds_of(node)
    return name("UNKNOWN") if kinds is None or NONE in kinds else constant(None)


def _asks(node: Node) -> bool:
    """Does a value depend on the occasion, its own parts included?"""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Call) and part.name in FUNCTIONS_OF_EVENT:
            return True
        waiting += children(part)
    return False


def _asks_not(_node: Node) -> bool:
    return False


def _is_cheap(node: Node) -> bool:
    """Is looking it up again as cheap as remembering it?"""
    if isinstance(node, Call):
        return node.name in ("contains_key", "nullify") or all(
            isinstance(argument, Literal) for argument in node.arguments
        )
    return not isinstance(node, Method | Binary | Ternary)
