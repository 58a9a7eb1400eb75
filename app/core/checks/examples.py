"""A set's examples: what goes in, what must come out (config/mappings/examples)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from app.core.dataprep import (
    Mapped,
    MappingSet,
    Problem,
    VariableInvalid,
    compile_mapping_set,
    label_of,
)
from app.core.dataprep.problems import one_line
from app.core.dataprep.values import Value, kind_of
from app.core.errors import MappingFailed, MappingSetInvalid
from app.core.xdm import Schema, compile_schema, fill_schema, types_of

# Differences told of one example: who has more of them looks at the first.
_SHOWN: Final = 3

_NOTHING: Final = object()


def example_problems(document: Any, schema_document: Any, examples: Any) -> Iterator[Problem]:
    """A problem for each example that comes out differently; texts hold no values of it."""
    if examples is None:
        return
    if not isinstance(examples, dict) or not isinstance(examples.get("examples"), list):
        yield _of_set('the examples are no {"variables", "examples": [...]}')
        return
    variables = examples.get("variables") or {}
    try:
        schema = None if schema_document is None else fill_schema(schema_document, variables)
        types = None if schema is None else types_of(schema)
        mapping_set = compile_mapping_set(document, variables, types)
        compiled = None if schema is None else compile_schema(schema)
    except MappingSetInvalid as invalid:
        yield _of_set(f"with the variables of the examples: {invalid.faults[0]}")
        return
    except (VariableInvalid, ValueError, TypeError, AttributeError) as fault:
        yield _of_set(f"with the variables of the examples: {fault}")
        return
    for number, example in enumerate(examples["examples"], 1):
        difference = _difference(mapping_set, compiled, example)
        if difference:
            label = f"example {number}{_name(example)} of {label_of(document)}"
            yield Problem(0, "set", None, f"{label}: {difference}")


def _difference(mapping_set: MappingSet, schema: Schema | None, example: Any) -> str:
    if not isinstance(example, dict) or not isinstance(example.get("in"), dict):
        return 'it is no {"in": object, "out" or "fails"}'
    if ("out" in example) == ("fails" in example):
        return "it needs either `out` or `fails`"
    try:
        mapped = mapping_set.transform(example["in"], _received_ms(example))
    except MappingFailed as failed:
        return _failure(example, failed.path, f"{failed.code} in {failed.row}: {failed.detail}")
    violations = () if schema is None else schema.check(mapped.record)
    if violations:
        first = violations[0]
        return _failure(example, first.path, f"{first.path} {first.message}")
    if "fails" in example:
        return f"it should fail at {example['fails']}, but makes a valid record"
    return _warnings(example, mapped) or _records(example["out"], mapped.record)


def _failure(example: dict[str, Any], path: str, told: str) -> str:
    if "fails" not in example:
        return f"it should make a record, but fails: {told}"
    wanted = example["fails"]
    return "" if wanted == path else f"it should fail at {wanted}, but fails at {path}"


def _warnings(example: dict[str, Any], mapped: Mapped) -> str:
    wanted = example.get("warns", [])
    found = [warning.path for warning in mapped.warnings]
    if found == wanted:
        return ""
    told = [f"{warning.path}: {warning.detail}" for warning in mapped.warnings]
    return f"rows that fail are {told or 'none'}, not {wanted or 'none'}"


def _records(wanted: Value, found: Value) -> str:
    differences = list(_differences(wanted, found, ""))
    more = f" (and {len(differences) - _SHOWN} more)" if len(differences) > _SHOWN else ""
    return "; ".join(differences[:_SHOWN]) + more


def _differences(wanted: Value, found: Value, path: str) -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name in dict.fromkeys((*wanted, *found)):
            below = f"{path}.{name}" if path else str(name)
            yield from _differences(wanted.get(name, _NOTHING), found.get(name, _NOTHING), below)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(one, other, f"{path}[{index}]")
    elif found is _NOTHING:
        yield f"{path} is missing"
    elif wanted is _NOTHING:
        yield f"{path} is there, but not wanted"
    elif type(wanted) is not type(found):
        yield f"{path} is {kind_of(found)}, not {kind_of(wanted)}"
    elif wanted != found:
        yield f"{path} has another {'length' if isinstance(wanted, list) else 'value'}"


def _received_ms(example: dict[str, Any]) -> int:
    given = example.get("received_ms", 0)
    return given if type(given) is int else 0


def _name(example: Any) -> str:
    name = example.get("name") if isinstance(example, dict) else None
    return f" ({one_line(name, 60)})" if isinstance(name, str) else ""


def _of_set(message: str) -> Problem:
    return Problem(0, "set", None, message)
