"""A mapping set as it was posted, and as Platform gives it out again (platform.md section 4.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from app.sandbox.plane.document import Document

_OLD_KINDS: Final = {
    "ATTRIBUTE": "text/x.schema-path",
    "EXPRESSION": "text/x.aep-xl",
    "STATIC": "text/plain",
}


def source_of(row: dict[str, Any]) -> Any:
    """Under the current key, or the tutorial's."""
    found = row.get("source")
    return row.get("sourceAttribute") if found is None else found


def destination_of(row: dict[str, Any]) -> Any:
    found = row.get("destination")
    return row.get("destinationXdmPath") if found is None else found


def kind_of(row: dict[str, Any]) -> Any:
    """The row's type in its older name; the tutorial's rows name none and are attributes."""
    kind = row.get("sourceType", "text/x.schema-path")
    return _OLD_KINDS.get(kind, kind)


def stored(document: Document, version: int) -> dict[str, Any]:
    """The whole set."""
    reference = document.body["outputSchema"]["schemaRef"]
    return {
        **document.body,
        **stamp(document, version),
        "mappings": mappings_of(document, version),
        "status": "PUBLISHED",
        "strictMapping": False,
        "xdmSchema": reference["id"],
        "xdmVersion": "1.0",
        "schemaRef": reference,
        "supportVersion": False,
    }


def stamp(document: Document, version: int) -> dict[str, Any]:
    """What POST answers; createdDate is a number, as the tutorial shows it."""
    return {
        "id": document.id,
        "version": version,
        "createdDate": document.created_ms,
        "modifiedDate": document.updated_ms,
        "createdBy": document.created_by,
        "modifiedBy": document.updated_by,
    }


def mappings_of(document: Document, version: int) -> list[dict[str, Any]]:
    """The rows with their twins: the older spelling beside the current one."""
    return [
        {
            **row,
            "id": f"{document.id[:24]}{number:08x}",
            "version": version,
            "sourceType": kind_of(row),
            "source": source_of(row),
            "destination": destination_of(row),
            "sourceAttribute": source_of(row),
            "destinationXdmPath": destination_of(row),
            "identity": row.get("identity", False),
            "primaryIdentity": row.get("primaryIdentity", False),
            "matchScore": 0.0,
            "functionVersion": 0,
        }
        for number, row in enumerate(document.body["mappings"])
    ]


def iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
