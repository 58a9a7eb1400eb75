"""The value of one expression over one document, as JSON: `sluice mappings eval`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import orjson

from app.core.dataprep import Problem, compile_expression
from app.core.dataprep.values import RowFault, Value, kind_of, show_date
from app.core.errors import MappingSetInvalid

# A batch asks for the same few expressions over and over.
_KEPT: Final = 256

# Deeper than any event; Python's own limit is not far beyond.
_MAX_DEPTH: Final = 200


def value_of(expression: str, document: Value, received_ms: int = 0) -> Value:
    """The value; dates stay datetimes.

    Raises MappingSetInvalid for an expression that cannot be compiled (its problems name the
    character) and RowFault for one that cannot be computed over this document.
    """
    run = _compiled(expression)
    if not callable(run):
        raise MappingSetInvalid(run)
    try:
        return run(document, received_ms)
    except RowFault:
        raise
    except Exception as fault:  # its text may hold values of the event
        raise RowFault(f"{type(fault).__name__} in the computation") from None


def evaluate(expression: str, document: Value, received_ms: int = 0) -> bytes:
    """The value as JSON; dates are RFC 3339 texts, nulls and empties stay.

    Raises what `value_of` does, and RowFault for a value that JSON cannot hold.
    """
    return _json(value_of(expression, document, received_ms))


def eval_line(line: bytes, received_ms: int = 0) -> bytes:
    """One line of a batch, `{"expr", "input"}`, to `{"value"}` or `{"error"}`. Raises nothing.

    An `input` that is left out is `{}`. The answer has no line end.
    """
    try:
        asked = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _error("the line is no JSON")
    if not isinstance(asked, dict) or not isinstance(asked.get("expr"), str):
        return _error('the line is no {"expr": text, "input": object}')
    try:
        return b'{"value":%b}' % evaluate(asked["expr"], asked.get("input", {}), received_ms)
    except MappingSetInvalid as invalid:
        return _error("; ".join(invalid.faults))
    except RowFault as fault:
        return _error(str(fault))


@lru_cache(maxsize=_KEPT)
def _compiled(expression: str) -> Callable[[Value, int], Value] | tuple[Problem, ...]:
    try:
        return compile_expression(expression)
    except MappingSetInvalid as invalid:
        return invalid.problems


def _error(text: str) -> bytes:
    return b'{"error":%b}' % orjson.dumps(text)


def _json(value: Value) -> bytes:
    shown = _shown(value, _MAX_DEPTH)
    try:
        return orjson.dumps(shown)
    except TypeError:  # an integer of more than 64 bits (to_bigint)
        return json.dumps(shown, separators=(",", ":")).encode()


def _shown(value: Value, depth: int) -> Any:
    if depth == 0:
        raise RowFault("a value nested too deeply")
    if isinstance(value, dict):
        return {str(name): _shown(child, depth - 1) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(child, depth - 1) for child in value]
    if isinstance(value, datetime):
        return show_date(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise RowFault("a number that is not finite, which JSON cannot hold")
    if value is None or isinstance(value, str | int | float):
        return value
    raise RowFault(f"{kind_of(value)}, which JSON cannot hold")
