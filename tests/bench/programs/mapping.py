"""The mapping set exactly as the worker compiles it, from the configuration in the environment."""

from __future__ import annotations

from typing import Any

import orjson

from app.core.dataprep import MappingSet, compile_mapping_set
from app.core.xdm import Schema, compile_schema, fill_schema, types_of
from app.settings import environment, load_all
from app.settings.mapping_files import read_mapping_files
from tests.bench.services import CONNECTION

Documents = tuple[dict[str, Any], dict[str, Any], dict[str, str]]


def documents() -> Documents:
    """Mapping set, schema with its variables filled in, and variables of the bench connection."""
    connection = load_all(environment())[1][CONNECTION]
    assert connection.mapping_path is not None
    files = read_mapping_files(connection.mapping_path, connection.schema_path)
    assert files.schema is not None
    variables = connection.mapping_variables
    schema: dict[str, Any] = fill_schema(orjson.loads(files.schema), variables)
    return orjson.loads(files.mapping), schema, variables


def compiled(found: Documents | None = None) -> tuple[MappingSet, Schema]:
    """The bench connection's mapping set and schema, without the check a worker makes of them."""
    mapping, schema, variables = found or documents()
    return compile_mapping_set(mapping, variables, types_of(schema)), compile_schema(schema)
