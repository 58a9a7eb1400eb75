"""What a field group, class or schema must say (platform.md section 5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.sandbox.gateway.errors import api_error
from app.sandbox.gateway.view import View
from app.sandbox.plane.body import refused, text_in
from app.sandbox.registry.compose import NoSuchReference, class_of, composed
from app.sandbox.registry.resource import Kind, Resource

# Letters, digits, - and _, not starting with _.
_NAME: Final = re.compile(r"[A-Za-z0-9-][A-Za-z0-9_-]*", re.ASCII)
_TYPES: Final = ("string", "number", "integer", "boolean", "array", "object")
_FORMATS: Final = ("uri", "uri-reference", "date", "date-time", "email")
_MAP_TYPES: Final = ("string", "integer")
_TAGS: Final = (None, ["union"])


def check_resource(view: View, resource: Resource) -> None:
    """Everything that can be wrong with a resource as it is to be. Raises Turned."""
    body = resource.document.body
    text_in(view, body, "title")
    if body.get("type") != "object":
        raise refused(view, "type must be object")
    _check_title(view, resource)
    if not isinstance(body.get("allOf", []), list):
        raise refused(view, "allOf must be a list")
    check = {"schemas": _check_schema, "fieldgroups": _check_group, "classes": _check_class}
    check[resource.kind](view, resource)
    try:
        composed(resource, view.sandbox.plane.resources)
    except NoSuchReference as fault:
        raise refused(view, f"$ref {fault.args[0]} cannot be resolved", "XDM-1012-400") from None


def _check_title(view: View, resource: Resource) -> None:
    """Titles are unique across all kinds of resources (help/xdm/troubleshooting-guide.md)."""
    for other in view.sandbox.plane.resources.values():
        same = other.title == resource.title and other.container == "tenant"
        if same and other.id != resource.id:
            text = "Title must be unique"
            detail = f"{text}. An object {other.id} already exists with the same title."
            raise api_error(view.sandbox, view.side, 400, detail, "XDM-3005-400", text)


def _check_schema(view: View, resource: Resource) -> None:
    body, resources = resource.document.body, view.sandbox.plane.resources
    refs = resource.refs()
    for ref in refs:
        if ref not in resources:
            raise refused(view, f"$ref {ref} cannot be resolved", "XDM-1012-400")
    classes = [ref for ref in refs if resources[ref].kind == "classes"]
    if len(classes) != 1:
        raise refused(view, f"allOf must name exactly one class, it names {len(classes)}")
    for ref in refs:
        group = resources[ref]
        if group.kind == "schemas":
            raise refused(view, f"$ref {ref} is a schema, wanted a class or field group")
        if group.kind == "fieldgroups" and classes[0] not in _extends(group):
            text = f"The field group {group.title} does not extend the class {classes[0]}"
            raise refused(view, text)
    if body.get("properties"):
        raise refused(view, "A schema has no fields but those of its class and field groups")
    if body.get("meta:immutableTags") not in _TAGS:
        raise refused(view, 'meta:immutableTags must be ["union"]')


def _extends(group: Resource) -> list[str]:
    found = group.document.body.get("meta:intendedToExtend", [])
    return found if isinstance(found, list) else []


def _check_group(view: View, resource: Resource) -> None:
    extends = resource.document.body.get("meta:intendedToExtend")
    if not isinstance(extends, list) or not extends:
        raise refused(view, "meta:intendedToExtend must be a list of classes")
    for each in extends:
        found = view.sandbox.plane.resources.get(str(each))
        if found is None or found.kind != "classes":
            raise refused(view, f"meta:intendedToExtend: there is no class {each}")
    _check_fields(view, resource)


def _check_class(view: View, resource: Resource) -> None:
    _check_fields(view, resource)


def _check_fields(view: View, resource: Resource) -> None:
    """Own fields lie under `_<tenant>`, and nowhere else."""
    tenant = f"_{view.sandbox.config.tenant}"
    roots = list(_roots(resource.document.body))
    if not any(root.get("properties") for root in roots):
        raise refused(view, "It has no fields: give properties under definitions")
    for root in roots:
        for name, field in root.get("properties", {}).items():
            if name != tenant:
                text = (
                    f"For custom fields, you must use a top level field named {tenant} and all "
                    f"the other fields must be defined under it, not {name}"
                )
                raise refused(view, text)
            for path, fault in _faults(field, f"/{tenant}"):
                raise refused(view, f"{path}: {fault}")


def _roots(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Where fields of the root may be listed: on top, in definitions that allOf names, in allOf."""
    yield body
    for part in body.get("allOf", []):
        if not isinstance(part, dict):
            continue
        ref = part.get("$ref", "")
        if ref.startswith("#/definitions/"):
            definition = body.get("definitions", {}).get(ref.removeprefix("#/definitions/"))
            if isinstance(definition, dict):
                yield from _roots(definition)
        elif "properties" in part:
            yield part


def _faults(field: Any, path: str) -> Iterator[tuple[str, str]]:
    """(path, what is wrong) of a field and all below it."""
    if not isinstance(field, dict):
        yield path, "it must be an object"
        return
    kind = field.get("type")
    if kind not in _TYPES:
        yield path, f"type {kind} is unknown, wanted one of {', '.join(_TYPES)}"
    if "format" in field and field["format"] not in _FORMATS:
        yield path, f"format {field['format']} is unknown, wanted one of {', '.join(_FORMATS)}"
    if kind == "array":
        yield from _faults(field.get("items"), f"{path}[]")
    if kind == "object":
        yield from _object_faults(field, path)


def _object_faults(field: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    values = field.get("additionalProperties")
    if isinstance(values, dict) and "properties" not in field:
        if values.get("type") not in _MAP_TYPES:
            yield path, "a map has values of type string or integer"
        return
    properties = field.get("properties")
    if not isinstance(properties, dict) or not properties:
        yield path, "an object must list its properties"
        return
    for name, below in properties.items():
        if _NAME.fullmatch(name) is None:
            yield (
                f"{path}/{name}",
                "a field's name is letters, digits, - and _, and does not start with _",
            )
        yield from _faults(below, f"{path}/{name}")


def check_union(view: View, before: Resource, after: Resource) -> None:
    """Raises Turned: what is enabled for Profile stays so."""
    if before.union and not after.union:
        raise refused(view, "meta:immutableTags: union cannot be removed")
    resources = view.sandbox.plane.resources
    if before.kind == "schemas" and class_of(before, resources) != class_of(after, resources):
        raise refused(view, "The class of a schema cannot be changed")


def kind_of(path: str) -> Kind | None:
    """The kind behind a name in a path; `mixins` is the old one of field groups."""
    known: dict[str, Kind] = {
        "classes": "classes",
        "fieldgroups": "fieldgroups",
        "mixins": "fieldgroups",
        "schemas": "schemas",
    }
    return known.get(path)
