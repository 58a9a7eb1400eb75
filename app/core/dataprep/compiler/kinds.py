"""What kinds of value an expression can give, as far as its tree tells.

Only for speed: what is certain here need not be asked again for every event. Unknown is None.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

from app.core.dataprep.functions import BOOLEAN as BOOLEAN_FUNCTIONS
from app.core.dataprep.functions import FUNCTIONS
from app.core.dataprep.language.operators import BOOLEAN as BOOLEAN_OPERATORS
from app.core.dataprep.language.syntax import (
    ArrayOf,
    Binary,
    Call,
    Literal,
    Method,
    Node,
    ObjectOf,
    Ternary,
    Unary,
)

Kinds = frozenset[type]

NONE: Final = type(None)
TEXT: Final[Kinds] = frozenset({str})
TEXT_OR_NONE: Final[Kinds] = frozenset({str, NONE})
BOOLEAN: Final[Kinds] = frozenset({bool})
NUMBER: Final[Kinds] = frozenset({int, float})
_OBJECT: Final[Kinds] = frozenset({dict})
_ARRAY: Final[Kinds] = frozenset({list})


def kinds_of(node: Node) -> Kinds | None:
    """The kinds that a tree's value may have; None where that is not known."""
    match node:
        case Literal(value):
            return frozenset({type(value)})
        case Call(name, arguments):
            return _of_call(name, arguments)
        case Method(_, name, _) if name in BOOLEAN_FUNCTIONS:
            return BOOLEAN
        case Unary("not", _):
            return BOOLEAN
        case Binary(operator, _, _) if operator in BOOLEAN_OPERATORS:
            return BOOLEAN
        case Ternary(_, then, other):
            return _any_of((then, other))
        case ArrayOf():
            return _ARRAY
        case ObjectOf():
            return _OBJECT
    return None


def _of_call(name: str, arguments: tuple[Node, ...]) -> Kinds | None:
    if name in BOOLEAN_FUNCTIONS:
        return BOOLEAN
    if name == "iif":
        return _any_of(arguments[1:])
    if name == "nullify":
        return frozenset({NONE})
    if name == "decode":
        return _of_decode(arguments[1:])
    if name == "coalesce":
        return _of_coalesce(arguments)
    return _of_function(FUNCTIONS.get(name))


def _of_decode(pairs: tuple[Node, ...]) -> Kinds | None:
    found = _any_of(pairs[1::2] if len(pairs) % 2 == 0 else (*pairs[1::2], pairs[-1]))
    if found is None or len(pairs) % 2:
        return found
    return found | {NONE}


def _of_coalesce(arguments: tuple[Node, ...]) -> Kinds | None:
    if not arguments:
        return None
    found, last = _any_of(arguments), kinds_of(arguments[-1])
    if found is None or last is None or NONE in last:
        return found
    return found - {NONE}


def _any_of(nodes: Iterable[Node]) -> Kinds | None:
    found: Kinds = frozenset()
    for node in nodes:
        kinds = kinds_of(node)
        if kinds is None:
            return None
        found |= kinds
    return found


_ANNOTATED: Final = {"str": str, "bool": bool, "int": int, "float": float, "None": NONE}


@cache
def _of_function(function: Callable[..., Any] | None) -> Kinds | None:
    """What a function's annotation promises: `str | None`; anything else promises nothing."""
    if function is None:
        return None
    promised = inspect.signature(function).return_annotation
    words = [word.strip() for word in str(promised).split("|")]
    if not all(word in _ANNOTATED for word in words):
        return None
    return frozenset(_ANNOTATED[word] for word in words)
