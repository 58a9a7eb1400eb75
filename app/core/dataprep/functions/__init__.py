"""The functions of the expression language, by category; names are Adobe's.

Functions that read their arguments only as far as needed (`iif`, `decode`, `coalesce`,
`contains_key`, `nullify`) are not here: compiler/inline.py writes them as branches.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Final

from app.core.dataprep.functions import arrays, convert, dates, hashes, objects, strings, urls
from app.core.dataprep.values import Value

FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    **strings.FUNCTIONS,
    **urls.FUNCTIONS,
    **hashes.FUNCTIONS,
    **dates.FUNCTIONS,
    **objects.FUNCTIONS,
    **arrays.FUNCTIONS,
    **convert.FUNCTIONS,
}

# Functions that always give a boolean: conditions on them need no further reading.
BOOLEAN: Final = frozenset(
    {"is_empty", "equals", "equalsIgnoreCase", "matches_regex", "map_has_keys", "contains_key"}
)

_NOT_PURE: Final = "its answer changes with every try, and a record sent again must be the same"
_OUTSIDE: Final = "only Adobe can compute it"

# Adobe's functions that a set for Sluice cannot use, and why.
REFUSED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("now", "timestamp", "uuid", "guid"), _NOT_PURE),
    "fpid_to_ecid": _OUTSIDE,
    **dict.fromkeys(
        ("array_to_string", "filterArray", "transformArray", "flattenArray"),
        "only for destinations",
    ),
}


def arity(function: Callable[..., Value]) -> tuple[int, int | None]:
    """How many arguments a function takes: at least, and at most (None: any number)."""
    parameters = inspect.signature(function).parameters.values()
    least = sum(p.default is p.empty and p.kind is not p.VAR_POSITIONAL for p in parameters)
    endless = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return least, None if endless else len(parameters)
