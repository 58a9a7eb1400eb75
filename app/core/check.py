"""Is a mapping set right? All faults at once, before a single event meets it.

What `sluice mappings check`, `check-config` and a worker that starts or takes a new version ask:
does it compile, does the schema know what it writes, do its constants fit, does something write
what is required, and do its examples come out as they are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from app.core.checks.examples import example_problems
from app.core.checks.targets import target_problems
from app.core.dataprep import MappingSet, Problem, VariableInvalid, compile_mapping_set
from app.core.dataprep.problems import did_you_mean
from app.core.dataprep.shapes import TypesInvalid, shape_of
from app.core.errors import MappingSetInvalid
from app.core.xdm import Schema, compile_schema, fill_schema, types_of


class Report(NamedTuple):
    """What a check found. Set and schema are there when they compile, whatever else is wrong."""

    mapping_set: MappingSet | None
    schema: Schema | None
    problems: tuple[Problem, ...]


def check_mapping_set(
    document: Any,
    variables: Mapping[str, str],
    schema_document: Any = None,
    examples: Any = None,
) -> Report:
    """Compiles a set and its schema, and says all that is wrong with them. Raises nothing.

    `schema_document`: as the Schema Registry returns it, its variables not filled in. `examples`:
    the document beside the set (config/mappings/examples), run with its own variables. Texts of
    problems hold no values of examples.
    """
    problems: list[Problem] = []
    filled, schema = _schema(schema_document, variables, problems)
    types = _types(filled, problems)
    mapping_set: MappingSet | None = None
    try:
        mapping_set = compile_mapping_set(document, variables, types)
    except MappingSetInvalid as invalid:
        problems += invalid.problems
    if filled is not None and schema is not None and types:
        problems += target_problems(document, variables, filled, schema, shape_of(types))
    if mapping_set is not None:
        problems += example_problems(document, schema_document, examples)
    return Report(mapping_set, schema, _in_order(problems))


def unknown_sources(mapping_set: MappingSet, published: Iterable[str]) -> Iterator[Problem]:
    """Rows that read what no published kind of event has: a hint, for senders add fields.

    `published`: paths of app/core/published.py. The nearest that there is to Adobe's "references
    to attributes that do not exist" (monitor-streaming.md).
    """
    known = set(published)
    known |= {path[:at] for path in published for at, each in enumerate(path) if each in ".["}
    for row in mapping_set.rows:
        for path in mapping_set.reads(row):
            if path not in known and not any(path.startswith(f"{each}.") for each in _open(known)):
                hint = did_you_mean(path, known)
                yield row.problem("source", f"no published event has {path}{hint}")


def _open(known: set[str]) -> Iterator[str]:
    """Paths that end in `*`: anything may lie below."""
    return (path.removesuffix(".*") for path in known if path.endswith(".*"))


def _schema(
    document: Any, variables: Mapping[str, str], problems: list[Problem]
) -> tuple[dict[str, Any] | None, Schema | None]:
    if document is None:
        return None, None
    try:
        if not isinstance(document, dict):
            raise ValueError("it is no JSON object")
        filled = fill_schema(document, variables)
        return filled, compile_schema(filled)
    except (VariableInvalid, ValueError, RecursionError) as fault:
        problems.append(_of_set(f"the schema cannot be used: {fault}"))
        return None, None


def _types(schema: dict[str, Any] | None, problems: list[Problem]) -> dict[str, str] | None:
    if schema is None:
        return None
    try:
        types = types_of(schema)
        shape_of(types)
        return types
    except TypesInvalid as invalid:
        problems += [_of_set(f"the schema: {fault}") for fault in invalid.faults]
    except (TypeError, AttributeError, RecursionError):
        problems.append(_of_set("the schema is of no shape that the registry returns"))
    return None


def _of_set(message: str) -> Problem:
    return Problem(0, "set", None, message)


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """By row, the set's own last; each once."""
    once = dict.fromkeys(problems)
    return tuple(sorted(once, key=lambda problem: (problem.row == 0, problem.row)))
