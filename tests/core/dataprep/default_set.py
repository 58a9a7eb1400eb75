"""The default set as a connection has it: variables filled in, types from its schema."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from app.core.dataprep import MappingSet, compile_mapping_set
from app.core.xdm import Schema, compile_schema, fill_schema, types_of

CONFIG = Path(__file__).parents[3] / "config"

# As in the set's own examples. The last two are there without being told, too; told, they hold
# still when the set changes.
VARIABLES = {
    "TENANT": "acme",
    "EMAIL_NAMESPACE": "Email",
    "ID_NAMESPACE": "CustomerioId",
    "CIO_ID_NAMESPACE": "CustomerioCioId",
    "MAPPING_SET": "customerio-default",
    "MAPPING_VERSION": "2-example",
}

# Later than every example.
NOW = 1_900_000_000.0


def read(path: str) -> Any:
    return json.loads((CONFIG / path).read_text())


def default_set() -> tuple[MappingSet, Schema]:
    schema = fill_schema(read("schemas/customerio-events.json"), VARIABLES)
    document = read("mappings/customerio-default.json")
    return compile_mapping_set(document, VARIABLES, types_of(schema)), compile_schema(schema)


@cache
def compiled() -> tuple[MappingSet, Schema]:
    """`default_set`, compiled once a run of the tests."""
    return default_set()


def mapped(source: dict[str, Any]) -> dict[str, Any]:
    """The record of an event that maps without a warning to a valid record."""
    mapping_set, schema = compiled()
    before = copy.deepcopy(source)
    record, warnings = mapping_set.transform(source)
    assert warnings == ()
    assert schema.check(record, NOW) == ()
    assert source == before
    return record


def tenant(record: dict[str, Any]) -> dict[str, Any]:
    """Customer.io's own fields in a record."""
    return record["_acme"]["customerio"]
