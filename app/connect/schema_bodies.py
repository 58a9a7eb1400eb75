"""What the Schema Registry has to be told to give out a document of config/schemas. Pure.

The document is what the registry would answer (`xed-full`); a request has less in it: the registry
works out most types, and knows Adobe's own field groups by their `$id` (platform.md section 5.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.core.xdm import fill_schema
from app.core.xdm.compose.event import EVENT_CLASS, EVENT_CLASS_EXTENDS

# In answers only. `additionalProperties: false` is ours (app/core/xdm/compose/document.py).
_ANSWERED: Final = frozenset({"meta:xdmField", "meta:referencedFrom", "meta:xdmType"})


def tenant_fields(document: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """`{"_TENANT": schema}`: the tenant's own part of a document, as a request says it."""
    filled = fill_schema(dict(document), {"TENANT": tenant})
    own = filled.get("properties", {}).get(f"_{tenant}")
    return {} if own is None else {f"_{tenant}": _told(own)}


def field_group_body(title: str, description: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """POST /tenant/fieldgroups."""
    return {
        "type": "object",
        "title": title,
        "description": description,
        "meta:intendedToExtend": [EVENT_CLASS],
        "definitions": {"customFields": {"type": "object", "properties": dict(fields)}},
        "allOf": [{"$ref": "#/definitions/customFields"}],
    }


def schema_body(
    title: str, description: str, parts: tuple[str, ...], *, union: bool
) -> dict[str, Any]:
    """POST /tenant/schemas. `parts`: ids of the class and of the field groups."""
    body: dict[str, Any] = {
        "type": "object",
        "title": title,
        "description": description,
        "allOf": [{"$ref": part} for part in parts],
    }
    return body | ({"meta:immutableTags": ["union"]} if union else {})


def standard_parts(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The class, and Adobe's field groups, that a document is made of."""
    class_id = str(document.get("meta:class", EVENT_CLASS))
    others = [
        str(part)
        for part in document.get("meta:extends", [])
        if part not in (class_id, *EVENT_CLASS_EXTENDS) and "{TENANT}" not in str(part)
    ]
    return (class_id, *others)


def missing_fields(
    wanted: Mapping[str, Any], found: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(JSON pointer below `properties`, schema) of each field that is wanted and not found.

    Pointers are of the outermost that is missing, as JSON Patch's `add` wants them.
    """
    for name, schema in wanted.items():
        here = f"{path}/{name}"
        other = found.get(name)
        if not isinstance(other, Mapping):
            yield here, schema
        elif isinstance(schema.get("properties"), Mapping):
            inner = other.get("properties")
            yield from missing_fields(
                schema["properties"],
                inner if isinstance(inner, Mapping) else {},
                f"{here}/properties",
            )


def field_types(fields: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """(path, type) of each field below these that has none below itself: `tags[*]` is an array's,
    a map's type is `map`."""
    for name, schema in fields.items():
        here = f"{path}.{name}" if path else name
        while isinstance(schema.get("items"), Mapping):
            here, schema = f"{here}[*]", schema["items"]
        if isinstance(schema.get("properties"), Mapping):
            yield from field_types(schema["properties"], here)
        else:
            a_map = isinstance(schema.get("additionalProperties"), Mapping)
            yield here, "map" if a_map else str(schema.get("type", "any"))


def clashing_fields(
    wanted: Mapping[str, Any], found: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, str, str]]:
    """(path, type found, type wanted) of fields that are there with another type: no change of a
    type is allowed once data came in (section 5.1, evolution)."""
    for name, schema in wanted.items():
        other = found.get(name)
        if not isinstance(other, Mapping):
            continue
        here = f"{path}.{name}" if path else name
        if other.get("type") != schema.get("type"):
            yield here, str(other.get("type")), str(schema.get("type"))
            continue
        for key in ("properties", "items"):
            mine, theirs = schema.get(key), other.get(key)
            if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
                as_fields = key == "properties"
                yield from clashing_fields(
                    mine if as_fields else {"[*]": mine},
                    theirs if as_fields else {"[*]": theirs},
                    here,
                )


def _told(schema: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "meta:xdmType" and value == "map":
            told[key] = value
        elif key in _ANSWERED or (key == "additionalProperties" and value is False):
            continue
        elif key == "properties":
            told[key] = {name: _told(field) for name, field in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, Mapping):
            told[key] = _told(value)
        else:
            told[key] = value
    return told
