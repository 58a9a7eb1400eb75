"""The calls to Schema Registry (platform.md section 5.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, Literal
from urllib.parse import quote

from app.adobe.platform_client import Params, PlatformClient
from app.adobe.reading import at, items, text
from app.adobe.schema_registry import documents
from app.adobe.schema_registry.documents import EXPERIENCE_EVENT, IDENTITY, Descriptor, Resource
from app.core.errors import PlatformMissing, PlatformUnreadable

BASE: Final = "/data/foundation/schemaregistry"

_PAGE: Final = 500
_PAGES_MAX: Final = 50
# Every GET must say what it accepts; descriptors say xdm where all others say xed.
_LIST: Final = "application/vnd.adobe.xed+json"
_IDS: Final = "application/vnd.adobe.xed-id+json"
_ONE: Final = "application/vnd.adobe.xed+json;version={version}"
_FULL: Final = "application/vnd.adobe.xed-full+json;version={version}"
_DESCRIPTORS: Final = "application/vnd.adobe.xdm+json"
# Has a meaning of its own in a filter.
_NOT_IN_A_FILTER: Final = frozenset(",=!<>~&|*?[]()\"'\\")

Kind = Literal["schemas", "fieldgroups", "classes"]
Container = Literal["tenant", "global"]
Operation = Mapping[str, Any]


class SchemaRegistry:
    """Raises what PlatformClient raises. Titles are unique: PlatformTaken."""

    def __init__(self, client: PlatformClient) -> None:
        self._client = client

    async def tenant_id(self) -> str:
        """Custom fields live under `_<tenant id>`."""
        path = f"{BASE}/stats"
        tenant = text(at(await self._client.get(path, accept=_IDS), "tenantId"))
        if not tenant:
            raise PlatformUnreadable(f"GET {path}", "the answer names no tenantId")
        return tenant

    async def check_access(self) -> None:
        """The test call of section 3: whether the credential is in a role. Raises PlatformRefused
        when it is not, though its token is good."""
        await self._client.get(f"{BASE}/global/classes", accept=_IDS)

    async def titled(
        self, kind: Kind, title: str, container: Container = "tenant"
    ) -> Resource | None:
        """The one of a title, as it is in full detail of composition; None = there is none."""
        async for item in self._listed(f"{container}/{kind}", _title_filter(title)):
            if at(item, "title") == title and (found := text(at(item, "$id"))):
                return await self.resource(kind, found, container)
        return None

    async def resource(
        self, kind: Kind, resource_id: str, container: Container = "tenant", *, version: int = 1
    ) -> Resource | None:
        """By `$id` or short id, with what it is composed of; None = there is none."""
        accept = _ONE.format(version=version)
        return await self._one(_path(kind, resource_id, container), accept)

    async def full_schema(self, schema_id: str, *, version: int = 1) -> dict[str, Any] | None:
        """The whole schema, every field in its place (`xed-full`); None = there is none."""
        path = _path("schemas", schema_id, "tenant")
        found = await self._one(path, _FULL.format(version=version))
        return found.document if found is not None else None

    async def create_field_group(
        self,
        title: str,
        properties: Mapping[str, Any],
        description: str = "",
        *,
        extends: str = EXPERIENCE_EVENT,
    ) -> Resource:
        """`properties`: of the record, such as `{"_tenant": {"type": "object", ...}}`."""
        return await self.create(
            "fieldgroups", documents.field_group(title, properties, description, extends)
        )

    async def create_schema(
        self,
        title: str,
        field_group_ids: Sequence[str],
        description: str = "",
        *,
        class_id: str = EXPERIENCE_EVENT,
        union: bool = True,
    ) -> Resource:
        """`union`: enabled for Profile, for ever."""
        return await self.create(
            "schemas", documents.schema(title, field_group_ids, description, class_id, union)
        )

    async def create(self, kind: Kind, body: Mapping[str, Any]) -> Resource:
        """Posts a whole document."""
        path = f"{BASE}/tenant/{kind}"
        reply = await self._client.call("POST", path, body=body)
        return documents.resource(f"POST {path}", reply.document)

    async def patch(
        self, kind: Kind, resource_id: str, operations: Sequence[Operation]
    ) -> Resource:
        """JSON Patch, such as `{"op": "add", "path": "/allOf/-", "value": {"$ref": id}}`. Adding
        twice adds two: a fault that says `maybe_done` means to look first."""
        path = _path(kind, resource_id, "tenant")
        reply = await self._client.call("PATCH", path, body=list(operations))
        return documents.resource(f"PATCH {path}", reply.document)

    async def delete(self, kind: Kind, resource_id: str) -> bool:
        """False = it was not there any more."""
        return await self._deleted(_path(kind, resource_id, "tenant"))

    async def descriptors(self, schema_id: str) -> list[Descriptor]:
        """The identity descriptors of a schema."""
        found = [documents.descriptor(item) async for item in self._descriptors()]
        return [each for each in found if each.id and each.schema_id == schema_id]

    async def create_descriptor(
        self,
        schema_id: str,
        path: str,
        namespace: str,
        *,
        primary: bool = False,
        schema_version: int = 1,
    ) -> Descriptor:
        """Makes a field an identity. `path`: begins with `/`, has no `properties` in it.
        `namespace`: a code. One primary a schema."""
        body = documents.identity_descriptor(schema_id, path, namespace, primary, schema_version)
        call = f"{BASE}/tenant/descriptors"
        reply = await self._client.call("POST", call, body=body)
        made = text(at(reply.document, "@id"))
        if not made:
            raise documents.unnamed(f"POST {call}")
        return Descriptor(made, schema_id, path, namespace, primary)

    async def delete_descriptor(self, descriptor_id: str) -> bool:
        """False = it was not there any more."""
        return await self._deleted(f"{BASE}/tenant/descriptors/{_quoted(descriptor_id)}")

    async def _one(self, path: str, accept: str) -> Resource | None:
        try:
            return documents.resource(f"GET {path}", await self._client.get(path, accept=accept))
        except PlatformMissing:
            return None

    async def _deleted(self, path: str) -> bool:
        try:
            await self._client.call("DELETE", path)
        except PlatformMissing:
            return False
        return True

    async def _listed(self, what: str, params: Params) -> AsyncIterator[Any]:
        path, start = f"{BASE}/{what}", ""
        for _ in range(_PAGES_MAX):
            # `limit` and `start` need `orderby`.
            paging = [("orderby", "title"), ("limit", str(_PAGE))]
            more = [("start", start)] if start else []
            page = await self._client.get(path, [*params, *paging, *more], accept=_LIST)
            found = at(page, "results")
            if not isinstance(found, list):
                raise PlatformUnreadable(f"GET {path}", "the answer has no list of results")
            for item in found:
                yield item
            previous, start = start, _next_start(page)
            if not start or start == previous:
                return
        raise PlatformUnreadable(f"GET {path}", f"there are over {_PAGES_MAX * _PAGE} of them")

    async def _descriptors(self) -> AsyncIterator[Any]:
        """However they are laid out: the reference does not say. A list, or lists by their kind."""
        path = f"{BASE}/tenant/descriptors"
        found = await self._client.get(path, accept=_DESCRIPTORS)
        if not isinstance(found, list | dict):
            raise PlatformUnreadable(f"GET {path}", "the answer has no list of descriptors")
        lists = [found] if isinstance(found, list) else list(found.values())
        for item in (item for each in lists for item in items(each)):
            if at(item, "@type") == IDENTITY:
                yield item


def _next_start(page: Any) -> str:
    """A title, as we order by them; "" at the end."""
    found = at(page, "_page", "next")
    return str(found) if isinstance(found, str | int) and found is not True else ""


def _title_filter(title: str) -> Params:
    return [] if _NOT_IN_A_FILTER & set(title) else [("property", f"title=={title}")]


def _path(kind: Kind, resource_id: str, container: Container) -> str:
    return f"{BASE}/{container}/{kind}/{_quoted(resource_id)}"


def _quoted(resource_id: str) -> str:
    if not resource_id:
        raise ValueError("an id is needed")
    return quote(resource_id, safe="")
