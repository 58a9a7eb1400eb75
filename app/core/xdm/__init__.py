"""XDM: the schema composed, records checked against it, the types it has.

Nothing here may know a value of an event longer than a check lasts, nor put one into a text.
"""

from app.core.xdm.compose import RegistryRequest, compose, registry_requests
from app.core.xdm.filling import fill_schema
from app.core.xdm.schema import (
    FUTURE_ALLOWANCE_SECONDS,
    PROFILE_LIMIT_BYTES,
    Schema,
    compile_schema,
    over_profile_limit,
)
from app.core.xdm.types import schema_of_types, types_of
from app.core.xdm.violation import MAX_VIOLATIONS, Violation

__all__ = [
    "FUTURE_ALLOWANCE_SECONDS",
    "MAX_VIOLATIONS",
    "PROFILE_LIMIT_BYTES",
    "RegistryRequest",
    "Schema",
    "Violation",
    "compile_schema",
    "compose",
    "fill_schema",
    "over_profile_limit",
    "registry_requests",
    "schema_of_types",
    "types_of",
]
