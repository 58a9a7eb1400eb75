"""What a schema comes to: its class and field groups as one JSON schema. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from app.sandbox.registry.resource import Resource

Resources = Mapping[str, Resource]
# Adobe's ranges tell the integers apart (platform.md section 5.1, field types).
_INTEGERS: Final = (("byte", 2**7), ("short", 2**15), ("int", 2**31))
_FORMATS: Final = ("date", "date-time")


class NoSuchReference(Exception):
    """A `$ref` leads nowhere. `args[0]`: where to."""


def class_of(resource: Resource, resources: Resources) -> str:
    """The `$id` of a schema's class; "" when it has none."""
    found = [ref for ref in resource.refs() if ref in resources and _is_class(resources[ref])]
    return found[0] if found else ""


def composed(resource: Resource, resources: Resources) -> dict[str, Any]:
    """`properties` and `required` with everything resolved and typed. Raises NoSuchReference."""
    root: dict[str, Any] = {"properties": {}}
    _gather(root, resource.document.body, resource, resources)
    return {**root, "properties": {name: typed(p) for name, p in root["properties"].items()}}


def full(shown: Mapping[str, Any], resource: Resource, resources: Resources) -> dict[str, Any]:
    """`xed-full`: `shown` with `$ref` and `allOf` resolved."""
    kept = {key: value for key, value in shown.items() if key not in ("allOf", "definitions")}
    return {**kept, **composed(resource, resources), "type": "object"}


def closed(schema: Any) -> Any:
    """A copy that refuses what it does not list: the registry does not say so, yet the collection
    service does (section 2.5)."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(below) for key, below in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type", "object") == "object":
        found.setdefault("additionalProperties", False)
    return found


def required_at(schema: dict[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """A copy in which the fields at `paths` (`/a/b`) must be there: primary identities."""
    found = deepcopy(schema)
    for path in paths:
        here = found
        for name in path.strip("/").split("/"):
            here["required"] = sorted({*here.get("required", []), name})
            here = here.get("properties", {}).get(name, {})
    return found


def at_path(schema: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    """The field at `/a/b`, or None."""
    here: Any = schema
    for name in path.strip("/").split("/"):
        here = here.get("properties", {}).get(name) if isinstance(here, dict) else None
        if here is None:
            return None
    return here if isinstance(here, dict) else None


def _is_class(resource: Resource) -> bool:
    return resource.kind == "classes"


def _gather(
    root: dict[str, Any], body: Mapping[str, Any], resource: Resource, resources: Resources
) -> None:
    _merge(root, body)
    for part in body.get("allOf", []):
        ref = part.get("$ref") if isinstance(part, dict) else None
        if ref is None:
            _merge(root, part)
        elif ref.startswith("#/definitions/"):
            name = ref.removeprefix("#/definitions/")
            definition = resource.document.body.get("definitions", {}).get(name)
            if definition is None:
                raise NoSuchReference(ref)
            _gather(root, definition, resource, resources)
        elif ref in resources:
            _gather(root, resources[ref].document.body, resources[ref], resources)
        else:
            raise NoSuchReference(ref)


def _merge(root: dict[str, Any], part: Mapping[str, Any]) -> None:
    """Objects of the same name become one: several field groups share the tenant's."""
    for name, field in part.get("properties", {}).items():
        there = root["properties"].get(name)
        if isinstance(there, dict) and "properties" in there and "properties" in field:
            _merge(there, field)
        else:
            root["properties"][name] = deepcopy(field)
    if part.get("required"):
        root["required"] = sorted({*root.get("required", []), *part["required"]})


def typed(field: Any) -> Any:
    """The field with `meta:xdmType` at every place: "set by the system"."""
    if not isinstance(field, dict):
        return field
    found = {**field, "meta:xdmType": field.get("meta:xdmType") or xdm_type(field)}
    if isinstance(field.get("properties"), dict):
        found["properties"] = {name: typed(each) for name, each in field["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(field.get(key), dict):
            found[key] = typed(field[key])
    return found


def xdm_type(field: Mapping[str, Any]) -> str:
    """The XDM type that a field's JSON type, format and range come to."""
    kind = field.get("type", "object")
    if kind == "string":
        return str(field["format"]) if field.get("format") in _FORMATS else "string"
    if kind == "object":
        is_map = "additionalProperties" in field and "properties" not in field
        return "map" if is_map else "object"
    if kind != "integer":
        return str(kind)
    most = max(abs(field.get("minimum", -(2**53))), abs(field.get("maximum", 2**53)))
    return next((name for name, end in _INTEGERS if most <= end), "long")


def places(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(path, field) of every field, the outer ones first; `[]` stands for an array's items."""
    for name, field in schema.get("properties", {}).items():
        here = f"{path}/{name}"
        yield here, field
        yield from places(field, here)
        items = field.get("items")
        if isinstance(items, dict):
            yield f"{here}[]", items
            yield from places(items, f"{here}[]")
