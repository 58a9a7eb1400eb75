"""Adobe's two Customer.io tutorials, to the letter (platform.md sections 1 and 1.8): data.

For `--like-tutorial`: who follows Adobe's page sees the same objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# Section 1.5: all into one object of the tenant's; the names are the tutorial's own.
_API: Final = (
    ("data.identifiers.cio_id", "cio_id"),
    ("data.identifiers.email", "email"),
    ("event_id", "event_id0"),
    ("metric", "metricx"),
    ("object_type", "object_type1"),
    ("timestamp", "timestampx"),
)
# Section 1.8: seven mandatory target fields. The names that the page does not spell are the API
# page's.
_UI: Final = (*_API, ("data.identifiers.id", "id"))

# The tutorials' schema has what they map; Customer.io's timestamp is a whole number of seconds.
_TYPES: Final[Mapping[str, str]] = {"timestampx": "integer"}

FIELD_GROUP: Final = "Customer.io tutorial"
SCHEMA: Final = "Customer.io tutorial events"


def rows(tutorial: str) -> tuple[tuple[str, str], ...]:
    """(source, field of the tenant's) of the `api` or the `ui` page."""
    return _UI if tutorial == "ui" else _API


def tutorial_set(tutorial: str, tenant: str, schema_reference: Mapping[str, str]) -> dict[str, Any]:
    """The mapping set, with the older keys of a row that the page uses."""
    return {
        "outputSchema": {"schemaRef": dict(schema_reference)},
        "mappings": [
            {
                "sourceAttribute": source,
                "destinationXdmPath": f"_{tenant}.{field}",
                "identity": False,
                "version": 0,
            }
            for source, field in rows(tutorial)
        ],
    }


def tutorial_fields(tutorial: str, tenant: str) -> dict[str, Any]:
    """The properties of the field group that such a mapping writes to."""
    fields = {
        field: {"type": _TYPES.get(field, "string"), "title": field} for _, field in rows(tutorial)
    }
    return {f"_{tenant}": {"type": "object", "properties": fields}}
