"""Connection specs and flow specs (platform.md section 0). Ids are Adobe's; names, where the
reference has none, ours. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

STREAMING_PROVIDER: Final = "521eee4d-8cbe-4906-bb48-fb6bd4450033"
_LAKE_PROVIDER: Final = "14e34fac-d307-11e9-bb65-2a2ae2dbcce4"

CUSTOMERIO: Final = "96479064-7b8a-4d69-b9ed-21c5683837ea"
HTTP_API: Final = "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb"
DATA_LAKE: Final = "c604ff05-7f1a-43c0-8e18-33bf874cb11c"

GENERIC_STREAMING: Final = "e77fde5a-22a8-11ed-861d-0242ac120002"
HTTP_MAPPED: Final = "c1a19761-d2c7-4702-b9fa-fe91f0613e81"
HTTP_PLAIN: Final = "d8a6f005-7eaf-4153-983e-e8574508b877"

# The only way in that the HTTP API source has (section 1.9).
AUTH_SPEC: Final = "Streaming Connection"
VERSION: Final = "1.0"


@dataclass(frozen=True, slots=True)
class FlowSpec:
    """`source`: the connection spec its source must have; `mapped`: whether it maps raw data."""

    id: str
    name: str
    source: str
    mapped: bool

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "providerId": STREAMING_PROVIDER,
            "version": VERSION,
            "sourceConnectionSpecIds": [self.source],
            "targetConnectionSpecIds": [DATA_LAKE],
            "transformationSpec": [{"name": "Mapping"}] if self.mapped else [],
            "attributes": {"isSourceFlow": True, "flacValidationSupported": self.mapped},
        }


FLOW_SPECS: Final = {
    spec.id: spec
    for spec in (
        FlowSpec(GENERIC_STREAMING, "GenericStreamingAEP", CUSTOMERIO, mapped=True),
        FlowSpec(HTTP_MAPPED, "Stream data with transformation", HTTP_API, mapped=True),
        FlowSpec(HTTP_PLAIN, "Stream data without transformation", HTTP_API, mapped=False),
    )
}

CONNECTION_SPECS: Final[dict[str, dict[str, Any]]] = {
    str(spec["id"]): spec
    for spec in (
        {
            "id": CUSTOMERIO,
            "name": "Customer.io",
            "providerId": STREAMING_PROVIDER,
            "version": VERSION,
            "authSpec": [],
            "attributes": {"isSource": True, "category": "Marketing Automation"},
        },
        {
            "id": HTTP_API,
            "name": "HTTP API",
            "providerId": STREAMING_PROVIDER,
            "version": VERSION,
            "authSpec": [{"name": AUTH_SPEC, "type": "Streaming"}],
            "attributes": {"isSource": True, "category": "Streaming"},
        },
        {
            "id": DATA_LAKE,
            "name": "Data Lake",
            "providerId": _LAKE_PROVIDER,
            "version": VERSION,
            "authSpec": [],
            "attributes": {"isSource": False},
        },
    )
}
