"""What can be called, with how many arguments, and what to say of a call of anything else."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

from app.core.dataprep.compiler.inline import INLINE
from app.core.dataprep.compiler.methods import METHODS
from app.core.dataprep.functions import FUNCTIONS, FUNCTIONS_OF_EVENT, REFUSED
from app.core.dataprep.problems import did_you_mean

_NAMES: Final = frozenset({*FUNCTIONS, *FUNCTIONS_OF_EVENT, *INLINE})

# Of methods only: as functions they have other names, or none.
_ONLY_METHODS: Final = frozenset({"equals", "equalsIgnoreCase", "get"})


@cache
def arity(function: Callable[..., Any], given: int = 0) -> tuple[int, int | None]:
    """How many arguments a function takes: at least, and at most (None: any number).

    `given`: so many at the front are given without being written.
    """
    parameters = list(inspect.signature(function).parameters.values())[given:]
    least = sum(p.default is p.empty and p.kind is not p.VAR_POSITIONAL for p in parameters)
    endless = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return least, None if endless else len(parameters)


@cache
def signature(name: str, function: Callable[..., Any], given: int = 0) -> str:
    """`substr(text, start, length?)`; `...` follows what may come any number of times."""
    shown = []
    for parameter in list(inspect.signature(function).parameters.values())[given:]:
        label = parameter.name.strip("_")
        if parameter.kind is parameter.VAR_POSITIONAL:
            label += "..."
        elif parameter.default is not parameter.empty:
            label += "?"
        shown.append(label)
    return f"{name}({', '.join(shown)})"


def miscounted(name: str, count: int, least: int, most: int | None, shown: str) -> str:
    """The fault of a call with too few or too many arguments."""
    if most is None:
        wanted, plural = f"{least} or more", True
    elif least == most:
        wanted, plural = str(least or "no"), least != 1
    else:
        wanted, plural = f"{least} to {most}", True
    return f"{name}() takes {wanted} argument{'s' if plural else ''}, not {count}: {shown}"


def why_no_function(name: str) -> str:
    """Why a function cannot be called."""
    if name in REFUSED:
        return f"{name}() cannot be used here: {REFUSED[name]}"
    if name.startswith("aa_get_"):
        return f"{name}() is only for Adobe Analytics and Web SDK sources"
    if name in METHODS:
        return f"there is no function {name}(): write it as a method, value.{name}(...)"
    return f"there is no function {name}(){_alike(name, _NAMES)}"


def why_no_method(name: str) -> str:
    """Why a method cannot be called."""
    if name in _NAMES - _ONLY_METHODS:
        return f"{name}() is a function, no method: write {name}(value, ...)"
    return f"there is no method {name}(){_alike(name, METHODS)}"


def _alike(name: str, known: Iterable[str]) -> str:
    for other in known:
        if other.lower() == name.lower():
            return f": capital and small letters differ, write {other}()"
    # Function names take part as calls, so that the hint can be copied.
    return did_you_mean(f"{name}()", [f"{other}()" for other in sorted(known)])
