"""The tutorial's calls of platform.md section 1, literally and in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FLOW = "/foundation/flowservice"
REGISTRY = "/foundation/schemaregistry"
CATALOG = "/foundation/catalog"
CONVERSION = "/foundation/conversion"
NAMESPACES = "/core/idnamespace/identities"

CUSTOMERIO = {"id": "96479064-7b8a-4d69-b9ed-21c5683837ea", "version": "1.0"}
DATA_LAKE = {"id": "c604ff05-7f1a-43c0-8e18-33bf874cb11c", "version": "1.0"}
GENERIC = {"id": "e77fde5a-22a8-11ed-861d-0242ac120002", "version": "1.0"}
HTTP_API = {"id": "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb", "version": "1.0"}
HTTP_PLAIN = {"id": "d8a6f005-7eaf-4153-983e-e8574508b877", "version": "1.0"}

EVENT_CLASS = "https://ns.adobe.com/xdm/context/experienceevent"
CONTENT_TYPE = "application/vnd.adobe.xed-full+json;version=1"
TENANT = "_sluicesandbox"

# The tutorial's six mappings, with its own older keys (section 1.5).
TUTORIAL_ROWS = [
    ("data.identifiers.cio_id", "cio_id"),
    ("data.identifiers.email", "email"),
    ("event_id", "event_id0"),
    ("metric", "metricx"),
    ("object_type", "object_type1"),
    ("timestamp", "timestampx"),
]
# The two that it lacks, and that an ExperienceEvent needs.
NEEDED_ROWS = [
    {"sourceType": "ATTRIBUTE", "source": "event_id", "destination": "_id"},
    {
        "sourceType": "EXPRESSION",
        "source": "dformat(timestamp * 1000, \"yyyy-MM-dd'T'HH:mm:ss.SSSX\")",
        "destination": "timestamp",
    },
]
EVENT = {
    "event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ",
    "object_type": "customer",
    "metric": "subscribed",
    "timestamp": 1_700_000_000,
    "data": {
        "customer_id": "42",
        "email_address": "ada@example.com",
        "identifiers": {"id": "42", "email": "ada@example.com", "cio_id": "d9c106000001"},
    },
}


def tutorial_rows() -> list[dict[str, Any]]:
    return [
        {
            "sourceAttribute": source,
            "destinationXdmPath": f"{TENANT}.{name}",
            "identity": False,
            "version": 0,
        }
        for source, name in TUTORIAL_ROWS
    ]


def field_group(title: str = "cio-fields", **more: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {name: {"type": "string"} for _, name in TUTORIAL_ROWS}
    fields |= {"timestampx": {"type": "integer"}, **more}
    own = {TENANT: {"type": "object", "properties": fields}}
    return {
        "type": "object",
        "title": title,
        "meta:intendedToExtend": [EVENT_CLASS],
        "definitions": {"customFields": {"type": "object", "properties": own}},
        "allOf": [{"$ref": "#/definitions/customFields"}],
    }


@dataclass
class Dataflow:
    """Ids as the answers gave them."""

    platform: Any
    ids: dict[str, str] = field(default_factory=dict)

    async def made(self, path: str, body: Any, status: int = 201) -> Any:
        got, answer = await self.platform.ask("POST", path, body)
        assert got == status, answer
        return answer

    @property
    def schema_ref(self) -> dict[str, str]:
        return {"id": self.ids["schema"], "contentType": CONTENT_TYPE}

    async def schema(self) -> None:
        """1.2 and 5.1."""
        group = await self.made(f"{REGISTRY}/tenant/fieldgroups", field_group())
        self.ids["group"] = group["$id"]
        body = {
            "type": "object",
            "title": "cio-schema",
            "allOf": [{"$ref": EVENT_CLASS}, {"$ref": group["$id"]}],
            "meta:immutableTags": ["union"],
        }
        self.ids["schema"] = (await self.made(f"{REGISTRY}/tenant/schemas", body))["$id"]

    async def dataset(self) -> None:
        """1.3 and 5.3."""
        body = {"name": "cio-dataset", "schemaRef": self.schema_ref}
        (made,) = await self.made(f"{CATALOG}/dataSets?requestDataSource=true", body)
        self.ids["dataset"] = made.removeprefix("@/dataSets/")

    async def source(self) -> None:
        """1.1."""
        body = {
            "name": "cio-source",
            "providerId": "521eee4d-8cbe-4906-bb48-fb6bd4450033",
            "connectionSpec": CUSTOMERIO,
            "data": {"format": "json"},
        }
        self.ids["source"] = (await self.made(f"{FLOW}/sourceConnections", body))["id"]

    async def target(self, **changes: Any) -> str:
        """1.4."""
        schema = {"id": self.ids["schema"], "version": CONTENT_TYPE}
        body = {
            "name": "cio-target",
            "connectionSpec": DATA_LAKE,
            "data": {"format": "json", "schema": schema},
            "params": {"dataSetId": self.ids["dataset"]},
            **changes,
        }
        self.ids["target"] = (await self.made(f"{FLOW}/targetConnections", body))["id"]
        return self.ids["target"]

    async def mapping(self, rows: list[dict[str, Any]]) -> None:
        """1.5."""
        body = {"outputSchema": {"schemaRef": self.schema_ref}, "mappings": rows}
        self.ids["mapping"] = (await self.made(f"{CONVERSION}/mappingSets", body, 200))["id"]

    def transformations(self, version: int = 0) -> list[dict[str, Any]]:
        params = {"mappingId": self.ids["mapping"], "mappingVersion": version}
        return [{"name": "Mapping", "params": params}]

    def flow_body(self, **changes: Any) -> dict[str, Any]:
        """1.6."""
        return {
            "name": "cio-flow",
            "flowSpec": GENERIC,
            "sourceConnectionIds": [self.ids["source"]],
            "targetConnectionIds": [self.ids["target"]],
            "transformations": self.transformations(),
            **changes,
        }

    async def flow(self, **changes: Any) -> None:
        made = await self.made(f"{FLOW}/flows", self.flow_body(**changes))
        self.ids["flow"] = made["id"]

    async def shown(self, what: str = "flow") -> Any:
        """1.7."""
        path = f"{FLOW}/{'flows' if what == 'flow' else what + 'Connections'}/{self.ids[what]}"
        status, answer = await self.platform.ask("GET", path)
        assert status == 200, answer
        (item,) = answer["items"]
        return item

    async def all(self, rows: list[dict[str, Any]]) -> Dataflow:
        """The tutorial's order, but that what is pointed at is made first."""
        await self.schema()
        await self.dataset()
        await self.source()
        await self.target()
        await self.mapping(rows)
        await self.flow()
        return self

    async def send(self, **changes: Any) -> tuple[int, Any]:
        """An event to the inlet, as Customer.io would be told to."""
        url = (await self.shown())["options"]["inletUrl"]
        query = f"?x-adobe-flow-id={self.ids['flow']}"
        answer = await self.platform.client.session.post(url + query, json={**EVENT, **changes})
        return answer.status, await answer.json()

    async def patch(self, operations: Any, etag: str | None = None) -> tuple[int, Any]:
        headers = {} if etag == "" else {"If-Match": etag or (await self.shown())["etag"]}
        path = f"{FLOW}/flows/{self.ids['flow']}"
        return await self.platform.ask("PATCH", path, operations, headers)
