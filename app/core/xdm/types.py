"""Path → XDM type: the table that a mapping set's values are brought to, out of a schema and back.

`a.b` is a field, `a.b[*]` an item of an array, `a.b.*` a value of a map.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.core.dataprep.shapes import ANY, Shape, shape_of
from app.core.xdm.compose.fields import type_of


def types_of(schema: dict[str, Any]) -> dict[str, str]:
    """Path → XDM type of every place a schema knows: what `compile_mapping_set` coerces to."""
    return dict(_types(schema, ""))


def _types(schema: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    if path:
        yield path, schema.get("meta:xdmType", schema.get("type", ""))
    for name, child in schema.get("properties", {}).items():
        # A dot inside a name is escaped in Data Prep's paths (platform.md section 4.2).
        step = name.replace(".", "\\.")
        yield from _types(child, f"{path}.{step}" if path else step)
    if isinstance(schema.get("items"), dict):
        yield from _types(schema["items"], f"{path}[*]")
    if path and isinstance(schema.get("additionalProperties"), dict):
        yield from _types(schema["additionalProperties"], f"{path}.{ANY}")


def schema_of_types(types: Mapping[str, str]) -> dict[str, Any]:
    """A schema that knows no more than these places; anywhere else any value may be.

    For previews without a schema. Objects and arrays on the way need no entry of their own.
    Raises ValueError: TypesInvalid with all faults of the table, or for a place that is a text by
    its own entry and an object by another's.
    """
    return _schema_of(shape_of(types), "")


def _schema_of(shape: Shape, path: str) -> dict[str, Any]:
    kind = shape.type or ("object" if shape.children else "array" if shape.items else "")
    schema = type_of(kind) if kind else {}
    if kind:
        schema["meta:xdmType"] = kind
    if shape.children:
        _must_be("object", schema, path)
        below = {
            name: _schema_of(child, f"{path}.{name}") for name, child in shape.children.items()
        }
        if (others := below.pop(ANY, None)) is not None:
            schema["additionalProperties"] = others
        # Said, for an object that lists its fields takes no others.
        schema = {"properties": below, "additionalProperties": True, **schema}
    if shape.items is not None:
        _must_be("array", schema, path)
        schema["items"] = _schema_of(shape.items, f"{path}[*]")
    return schema


def _must_be(kind: str, schema: dict[str, Any], path: str) -> None:
    if schema.get("type") != kind:
        raise ValueError(f"types: {path[1:]} is no {kind}, yet other paths lead through it")
