"""Objects of Flow Service as platform.md section 1 shows them."""

from __future__ import annotations

from typing import Any

from app.adobe.flow_service import (
    specs,
)

INLET = "https://dcs.adobedc.net/collection/" + "ab" * 32
CIO = {"id": "96479064-7b8a-4d69-b9ed-21c5683837ea", "version": "1.0"}
LAKE = {"id": "c604ff05-7f1a-43c0-8e18-33bf874cb11c", "version": "1.0"}
HTTP = {"id": "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb", "version": "1.0"}
SCHEMA = "https://ns.adobe.com/tenant/schemas/hash"


def flow_item(**changes: Any) -> dict[str, Any]:
    """As section 1.7 shows it."""
    return {
        "id": "f1", "name": "cio-flow", "state": "enabled", "etag": '"e1"', "version": '"v"',
        "createdAt": 10, "updatedAt": 20, "sandboxName": "prod", "imsOrgId": "X@AdobeOrg",
        "flowSpec": {"id": specs.STREAMING, "version": "1.0"},
        "sourceConnectionIds": ["s1"], "targetConnectionIds": ["t1"],
        "inheritedAttributes": {
            "properties": {"isSourceFlow": True},
            "sourceConnections": [{"id": "s1", "connectionSpec": CIO}],
            "targetConnections": [{"id": "t1", "connectionSpec": LAKE}],
        },
        "options": {"inletUrl": INLET},
        "transformations": [
            {"name": "Mapping", "params": {"mappingId": "m1", "mappingVersion": 3}}
        ],
        "lastOperation": {"started": 11, "updated": 12, "operation": "enable"},
        **changes,
    }  # fmt: skip


def page(*found: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"items": list(found), "_links": {}, **more}
