"""What is posted to Schema Registry, and what it tells of its resources (section 5.1). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from app.adobe.reading import at, count, items, text, texts
from app.core.errors import PlatformUnreadable

EXPERIENCE_EVENT: Final = "https://ns.adobe.com/xdm/context/experienceevent"
UNION: Final = "union"
IDENTITY: Final = "xdm:descriptorIdentity"


@dataclass(frozen=True, slots=True)
class Resource:
    """A schema, field group or class. `id`: its `$id`, an address; `alt_id`: the short one.

    `major`: of its version, 1 at first. `refs`: what it is composed of, by `$id`: class and field
    groups of a schema. `union`: whether the schema is enabled for Profile.
    """

    id: str
    alt_id: str
    title: str
    description: str
    version: str
    refs: tuple[str, ...]
    union: bool
    document: Any = field(repr=False, compare=False)

    @property
    def major(self) -> int:
        return count(self.version.partition(".")[0]) or 1


class Descriptor(NamedTuple):
    """An identity descriptor. `path`: into the schema, `/_tenant/customerio/email`."""

    id: str
    schema_id: str
    path: str
    namespace: str
    primary: bool


def field_group(
    title: str,
    properties: Mapping[str, Any],
    description: str = "",
    extends: str = EXPERIENCE_EVENT,
) -> dict[str, Any]:
    """The document of a custom field group."""
    return {
        "type": "object",
        "title": title,
        "description": description,
        "meta:intendedToExtend": [extends],
        "definitions": {"customFields": {"type": "object", "properties": dict(properties)}},
        "allOf": [{"$ref": "#/definitions/customFields"}],
    }


def schema(
    title: str,
    field_group_ids: Sequence[str],
    description: str = "",
    class_id: str = EXPERIENCE_EVENT,
    union: bool = True,
) -> dict[str, Any]:
    """The document of a schema: one class and any number of field groups."""
    body: dict[str, Any] = {
        "type": "object",
        "title": title,
        "description": description,
        "allOf": [{"$ref": each} for each in (class_id, *field_group_ids)],
    }
    return {**body, "meta:immutableTags": [UNION]} if union else body


def identity_descriptor(
    schema_id: str, path: str, namespace: str, primary: bool, schema_version: int
) -> dict[str, Any]:
    """The document that makes a field an identity, of a namespace by its code."""
    return {
        "@type": IDENTITY,
        "xdm:sourceSchema": schema_id,
        "xdm:sourceVersion": schema_version,
        "xdm:sourceProperty": path,
        "xdm:namespace": namespace,
        "xdm:property": "xdm:code",
        "xdm:isPrimary": primary,
    }


def resource(call: str, item: Any) -> Resource:
    """Out of the answer to `call`. Raises PlatformUnreadable when it is none."""
    made = Resource(
        text(at(item, "$id")),
        text(at(item, "meta:altId")),
        text(at(item, "title")),
        text(at(item, "description")),
        text(at(item, "version")),
        tuple(_refs(item)),
        UNION in texts(at(item, "meta:immutableTags")),
        item,
    )
    if not made.id:
        raise unnamed(call)
    return made


def _refs(item: Any) -> Iterator[str]:
    for each in items(at(item, "allOf")):
        ref = text(at(each, "$ref"))
        # A field group refers to its own definitions, too.
        if ref and not ref.startswith("#"):
            yield ref


def unnamed(call: str) -> PlatformUnreadable:
    """The fault of an answer that does not say what was made."""
    fault = PlatformUnreadable(call, "the answer names no id; look for it by its title")
    fault.maybe_done = not call.startswith("GET")
    return fault


def descriptor(item: Any) -> Descriptor:
    return Descriptor(
        text(at(item, "@id")),
        text(at(item, "xdm:sourceSchema")),
        text(at(item, "xdm:sourceProperty")),
        text(at(item, "xdm:namespace")),
        at(item, "xdm:isPrimary") is True,
    )
