"""What a set writes, against what the schema knows, takes and requires."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.core.dataprep import Problem, Row
from app.core.dataprep.document import rows_in, with_own
from app.core.dataprep.language.grammar import ExpressionInvalid, parse_expression
from app.core.dataprep.language.paths import PathInvalid, parse_path
from app.core.dataprep.language.syntax import Call, Literal, Node, Step, Ternary, show_path
from app.core.dataprep.problems import did_you_mean
from app.core.dataprep.rows import EXPRESSION, STATIC, read_rows, step_column
from app.core.dataprep.shapes import Shape, fit_for
from app.core.dataprep.values import RowFault, Value
from app.core.errors import MappingSetInvalid
from app.core.xdm import Schema

Steps = tuple[Step, ...]

# A record needs these whatever else is asked of it.
_BASE: Final = {"_id": "1", "timestamp": "2021-01-01T00:00:00Z"}


def target_problems(
    document: Any,
    variables: Mapping[str, str],
    schema_document: dict[str, Any],
    schema: Schema,
    shape: Shape,
) -> Iterator[Problem]:
    """Unknown destinations, constants that do not fit, required places that no row writes.

    Only of rows that can be read: what is wrong with the others is told elsewhere.
    """
    written: dict[Steps, Row] = {}
    for row, steps in _readable(document, variables):
        written.setdefault(steps, row)
        unknown = _unknown(row, steps, shape)
        if unknown is not None:
            yield unknown
        else:
            yield from _unfit(row, steps, schema, shape)
    yield from _unwritten(schema_document, written)


def _readable(document: Any, variables: Mapping[str, str]) -> Iterator[tuple[Row, Steps]]:
    try:
        rows, _ = read_rows(rows_in(document), with_own(document, variables))
    except MappingSetInvalid:
        return
    for row in rows:
        try:
            yield row, parse_path(row.destination)
        except PathInvalid:
            continue


def _unknown(row: Row, steps: Steps, shape: Shape) -> Problem | None:
    place = shape
    for position, step in enumerate(steps):
        if position and place.is_open:
            return None
        below = place.step(step)
        if below is None:
            column = step_column(row.destination, position)
            return row.problem("destination", _why_unknown(steps, position, place), column)
        place = below
    return None


def _why_unknown(steps: Steps, position: int, place: Shape) -> str:
    above = show_path(steps[:position]) or "the record"
    step = steps[position]
    if isinstance(step, str) and place.children:
        return f"the schema has no {step} in {above}{did_you_mean(step, place.children)}"
    kind = place.type or ("array" if place.items else "object")
    wanted = "an object" if isinstance(step, str) else "an array"
    return f"{above} is {kind} in the schema, not {wanted}"


def _unfit(row: Row, steps: Steps, schema: Schema, shape: Shape) -> Iterator[Problem]:
    """Constants that the row can write, tried one by one in a record of their own."""
    place = shape.at(steps)
    for constant in _constants(row):
        try:
            fitted = fit_for(place)(constant.value)
        except RowFault as fault:
            yield row.problem("source", f"the constant cannot be written: {fault}")
            continue
        if fitted is None:
            continue
        pointer = _pointer(steps)
        for violation in schema.check(_record(steps, fitted)):
            if violation.path == pointer and violation.keyword != "future":
                yield row.problem("source", f"a constant that does not fit: {violation.message}")


def _constants(row: Row) -> Iterator[Literal]:
    if row.kind == STATIC:
        yield Literal(row.source)
    elif row.kind == EXPRESSION:
        try:
            yield from _outcomes(parse_expression(str(row.source)))
        except (ExpressionInvalid, RecursionError):
            return


def _outcomes(node: Node) -> Iterator[Literal]:
    """The constants that an expression's value may be."""
    match node:
        case Literal():
            yield node
        case Ternary(_, then, other) | Call("iif", (_, then, other)):
            yield from _outcomes(then)
            yield from _outcomes(other)
        case Call("decode", (_, *pairs)):
            for value in [*pairs[1::2], *(pairs[-1:] if len(pairs) % 2 else [])]:
                yield from _outcomes(value)
        case Call("coalesce", parts):
            for part in parts:
                yield from _outcomes(part)


def _record(steps: Steps, value: Value) -> dict[str, Any]:
    for step in reversed(steps[1:]):
        value = {step: value} if isinstance(step, str) else [value]
    return {**_BASE, str(steps[0]): value}


def _pointer(steps: Steps) -> str:
    names = [step if isinstance(step, str) else "0" for step in steps]
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


def _unwritten(schema: dict[str, Any], written: Mapping[Steps, Row]) -> Iterator[Problem]:
    """Required places that no row writes, in objects into which some row writes."""
    for above, name in _required(schema, ()):
        here = [row for steps, row in written.items() if _within(steps, above)]
        whole = any(_within(above, steps) for steps in written)
        if whole or any(_within(steps, (*above, name)) for steps in written):
            continue
        if not above:
            message = f"no row writes {show_path((name,))}, which the schema requires"
            yield Problem(0, "set", None, message)
        elif here:
            message = f"{show_path(above)} needs a {name}, which no row writes"
            yield here[0].problem("destination", message)


def _required(schema: dict[str, Any], path: Steps) -> Iterator[tuple[Steps, str]]:
    for name in schema.get("required", ()):
        yield path, name
    for part in schema.get("allOf", ()):
        yield from _required(part, path)
    for name, child in schema.get("properties", {}).items():
        yield from _required(child, (*path, name))


def _within(steps: Steps, place: Steps) -> bool:
    return steps[: len(place)] == place
