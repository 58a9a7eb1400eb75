"""The schema of Customer.io's events, as the Schema Registry answers it (`xed-full`).

`config/schemas/customerio-events.json` is exactly this; a test compares. What only a registry can
know is left out: imsOrg, meta:sandboxId, meta:registryMetadata.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from app.core.xdm.compose.event import EVENT_CLASS, EVENT_CLASS_EXTENDS, EVENT_FIELDS
from app.core.xdm.compose.field_groups import FIELD_GROUPS
from app.core.xdm.compose.fields import Field, group, type_of
from app.core.xdm.compose.tenant import TENANT_FIELDS

SCHEMA_TITLE: Final = "Customer.io events"
SCHEMA_DESCRIPTION: Final = "Message and subscription events of Customer.io, one record per event."
TENANT_GROUP_TITLE: Final = "Customer.io event"
TENANT_GROUP_DESCRIPTION: Final = "What Customer.io says of an event, under its own names."

_NAME: Final = "customerio-events"
_TENANT_GROUP: Final = "https://ns.adobe.com/{TENANT}/mixins/customerio-event"


def compose(tenant_fields: tuple[Field, ...] = TENANT_FIELDS) -> dict[str, Any]:
    """The whole schema document, with `{TENANT}` in it.

    Its shape is that of the answers in help/xdm/api/schemas.md, but for the key
    `additionalProperties`: the registry does not say that an object takes no other keys, yet
    Platform refuses them (platform.md section 2.5), so it is said here for any validator to see.
    """
    standard = [*EVENT_FIELDS, *(added for group in FIELD_GROUPS for added in group.fields)]
    root = expand_all(standard, full=True, standard=True)
    root["properties"] |= expand_all([tenant_object(tenant_fields)], full=True)["properties"]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"https://ns.adobe.com/{{TENANT}}/schemas/{_NAME}",
        "meta:altId": f"_{{TENANT}}.schemas.{_NAME}",
        "meta:resourceType": "schemas",
        "version": "1.0",
        "title": SCHEMA_TITLE,
        "type": "object",
        "description": SCHEMA_DESCRIPTION,
        **root,
        "meta:extensible": False,
        "meta:abstract": False,
        "meta:extends": [
            EVENT_CLASS,
            *EVENT_CLASS_EXTENDS,
            *(group.id for group in FIELD_GROUPS),
            _TENANT_GROUP,
        ],
        "meta:xdmType": "object",
        "meta:class": EVENT_CLASS,
        "meta:immutableTags": ["union"],
        "meta:containerId": "tenant",
        "meta:tenantNamespace": "_{TENANT}",
    }


def tenant_object(fields: tuple[Field, ...]) -> Field:
    """`_{TENANT}`, in which a tenant's own fields live (platform.md section 5.1)."""
    return group("_{TENANT}", "", *fields)


def expand(field: Field, *, full: bool, standard: bool = False) -> dict[str, Any]:
    """The JSON Schema of one field.

    `full`: as the registry answers; else as it wants to be told. `standard`: one of Adobe's, which
    is called `xdm:<name>` in XDM itself (help/xdm/api/appendix.md, Compatibility Mode).
    """
    texts = {"title": field.title, "description": field.description}
    schema: dict[str, Any] = {key: text for key, text in texts.items() if text}
    schema |= type_of(field.type) | _constraints(field)
    # A map has to be told as such; the registry works out the other types by itself.
    if full or field.type == "map":
        schema["meta:xdmType"] = field.type
    if full and standard and field.name:
        schema["meta:xdmField"] = _standard_name(field.name)
    if full and field.data_type:
        schema["meta:referencedFrom"] = field.data_type
    if field.type == "object":
        schema |= expand_all(field.children, full=full, standard=standard)
    elif field.items is not None:
        below = "items" if field.type == "array" else "additionalProperties"
        schema[below] = expand(field.items, full=full, standard=standard)
    return schema


def expand_all(fields: Iterable[Field], *, full: bool, standard: bool = False) -> dict[str, Any]:
    """`properties` and `required` of an object with these fields."""
    fields = tuple(fields)
    found: dict[str, Any] = {
        "properties": {field.name: expand(field, full=full, standard=standard) for field in fields}
    }
    if required := [field.name for field in fields if field.required]:
        found["required"] = required
    if full:
        found["additionalProperties"] = False
    return found


def _constraints(field: Field) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if field.format:
        found["format"] = field.format
    if field.pattern:
        found["pattern"] = field.pattern
    if field.max_length is not None:
        found["maxLength"] = field.max_length
    if field.default is not None:
        found["default"] = field.default
    if field.enum:
        if not field.open_enum:
            found["enum"] = list(field.enum)
        found["meta:enum"] = dict(field.enum)
    return found


def _standard_name(name: str) -> str:
    return f"@{name[1:]}" if name.startswith("_") else f"xdm:{name}"
