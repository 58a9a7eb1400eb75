"""A configuration of small documents, and what tests do to its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.settings import Connection

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["_id", "timestamp"],
    "additionalProperties": False,
    "properties": {
        "_id": {"type": "string", "meta:xdmType": "string"},
        "timestamp": {"type": "string", "format": "date-time", "meta:xdmType": "date-time"},
        "eventType": {"type": "string", "meta:xdmType": "string"},
        "_acme": {
            "type": "object",
            "meta:xdmType": "object",
            "properties": {
                "count": {"type": "integer", "maximum": 10, "meta:xdmType": "int"},
                "text": {"type": "string", "meta:xdmType": "string"},
            },
        },
    },
}
EVENT = {"event_id": "e1", "object_type": "email", "metric": "sent", "timestamp": 1_700_000_000,
         "data": {"count": 3}}  # fmt: skip


def row(source: str, destination: str, kind: str = "ATTRIBUTE") -> dict[str, str]:
    return {"sourceType": kind, "source": source, "destination": destination}


ROWS = [
    row("event_id", "_id"),
    row("dformat(timestamp * 1000, \"yyyy-MM-dd'T'HH:mm:ssX\")", "timestamp", "EXPRESSION"),
    row("data.count", "_{TENANT}.count"),
]


def mapping_set(
    version: int = 1, *more: dict[str, str], rows: list[dict[str, str]] = ROWS
) -> dict[str, Any]:
    return {"name": "small", "version": version, "mappings": [*rows, *more]}


def examples(out: dict[str, Any]) -> dict[str, Any]:
    """One example of EVENT."""
    return {
        "set": "small",
        "variables": {"TENANT": "acme"},
        "examples": [{"name": "an event", "in": EVENT, "out": out}],
    }


class Files:
    """The files of one connection."""

    def __init__(self, folder: Path, name: str = "small") -> None:
        self.mapping = folder / "mappings" / f"{name}.json"
        self.schema = folder / "schemas" / f"{name}.json"
        self.examples = folder / "mappings" / "examples" / f"{name}.json"
        for path in (self.schema, self.examples):
            path.parent.mkdir(parents=True, exist_ok=True)
        self.write(self.mapping, mapping_set())
        self.write(self.schema, SCHEMA)

    @staticmethod
    def write(path: Path, document: Any) -> None:
        path.write_text(json.dumps(document))

    def connection(self, name: str = "a", mode: str = "xdm") -> Connection:
        return Connection(
            name=name,
            signing_keys=(b"k",),
            mapping_set=self.mapping.stem,
            tenant="acme",
            platform={
                "url": "https://dcs.adobedc.net/collection/" + "a" * 64,
                "mode": mode,
                "flow_id": "f",
                "dataset_id": "d",
                "schema": {"id": "https://ns.adobe.com/acme/schemas/x"},
                "org_id": "X@AdobeOrg",
            },
            mapping_path=self.mapping,
            schema_path=self.schema,
        )
