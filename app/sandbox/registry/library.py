"""Adobe's own classes and field groups, as far as events of Customer.io need them.

Their fields are taken from the schema that the sandbox validates with: it was composed of the same
(platform.md section 5.1). Where it lacks one, that one is there without fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.sandbox.registry.resource import NS, Kind

EVENT_CLASS: Final = f"{NS}xdm/context/experienceevent"
PROFILE_CLASS: Final = f"{NS}xdm/context/profile"
_CLASS_FIELDS: Final = (
    "_id",
    "timestamp",
    "eventType",
    "eventMergeId",
    "producedBy",
    "identityMap",
)
_TEXT: Final = {"type": "string"}
_IDENTITIES: Final = {"type": "array", "items": {"type": "object"}}
# For a sandbox that was started without a schema.
_LEAST: Final[Mapping[str, dict[str, Any]]] = {
    "_id": {"type": "string", "format": "uri-reference"},
    "timestamp": {"type": "string", "format": "date-time"},
    "eventType": _TEXT,
    "eventMergeId": _TEXT,
    "producedBy": _TEXT,
    "identityMap": {"type": "object", "additionalProperties": _IDENTITIES},
}
# `$id` below xdm/context/experienceevent-, title, and what it adds to the root.
FIELD_GROUPS: Final = (
    ("directmarketing", "Direct Marketing Details", "directMarketing"),
    ("pushtracking", "Push notification tracking", "pushNotificationTracking"),
    ("inappmessage-tracking", "Inapp message tracking", "inappMessageTracking"),
    ("marketing", "Campaign Marketing Details", "marketing"),
    ("channel", "Channel Details", "channel"),
)


def library(schema: Mapping[str, Any] | None) -> Iterator[tuple[Kind, str, dict[str, Any]]]:
    """(kind, `$id`, body) of all that the container `global` holds."""
    fields = dict((schema or {}).get("properties", {}))
    yield (
        "classes",
        EVENT_CLASS,
        {
            "title": "XDM ExperienceEvent",
            "type": "object",
            "properties": {name: fields.get(name, _LEAST[name]) for name in _CLASS_FIELDS},
            "required": ["_id", "timestamp"],
        },
    )
    profile = {"title": "XDM Individual Profile", "type": "object"}
    identities = {"identityMap": fields.get("identityMap", _LEAST["identityMap"])}
    yield "classes", PROFILE_CLASS, {**profile, "properties": identities}
    for name, title, field in FIELD_GROUPS:
        body = {
            "title": title,
            "type": "object",
            "meta:intendedToExtend": [EVENT_CLASS],
            "properties": {field: fields.get(field, {"type": "object"})},
        }
        yield "fieldgroups", f"{EVENT_CLASS}-{name}", body
