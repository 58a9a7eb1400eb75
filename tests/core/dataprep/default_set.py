"""The default set as a connection has it: variables filled in, types from its schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.core.dataprep import MappingSet, compile_mapping_set
from app.core.xdm import Schema, compile_schema, fill_schema, types_of

CONFIG = Path(__file__).parents[3] / "config"

VARIABLES = {
    "TENANT": "acme",
    "EMAIL_NAMESPACE": "Email",
    "ID_NAMESPACE": "CustomerioId",
    "CIO_ID_NAMESPACE": "CustomerioCioId",
}


def read(path: str) -> Any:
    return json.loads((CONFIG / path).read_text())


def default_set() -> tuple[MappingSet, Schema]:
    schema = fill_schema(read("schemas/customerio-events.json"), VARIABLES)
    document = read("mappings/customerio-default.json")
    return compile_mapping_set(document, VARIABLES, types_of(schema)), compile_schema(schema)
