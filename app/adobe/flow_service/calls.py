"""One call to Flow Service for any of its kinds of object: pages, names, ids, etags."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, Literal, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

from app.adobe.flow_service import objects
from app.adobe.flow_service.bodies import Body, Operation
from app.adobe.flow_service.objects import (
    Made,
    SourceConnection,
    Spec,
    Stored,
    TargetConnection,
)
from app.adobe.platform_client import Params, PlatformClient
from app.adobe.reading import at, items, text
from app.core.errors import PlatformMissing, PlatformUnreadable

BASE: Final = "/data/foundation/flowservice"

_PAGE: Final = 100
# A run an hour, for 30 days, is 720.
_PAGES_MAX: Final = 50
# Has a meaning of its own in a filter (section 1.10): such names are looked for here.
_NOT_IN_A_FILTER: Final = frozenset(",=!<>~&|*?[]()\"'\\")

Kind = Literal["flows", "sourceConnections", "targetConnections", "connections"]

T = TypeVar("T", bound=Stored)
OfSpec = TypeVar("OfSpec", SourceConnection, TargetConnection)


class Calls:
    """Raises what PlatformClient raises."""

    def __init__(self, client: PlatformClient) -> None:
        self.client = client

    async def listed(self, what: str, params: Params, *, strict: bool = True) -> AsyncIterator[Any]:
        """The items of every page.

        `strict`: raises PlatformUnreadable when a page has none to read, or they do not end: who
        asks whether something is there must not take that for no.
        """
        token, call = "", f"GET {BASE}/{what}"
        for _ in range(_PAGES_MAX):
            more = [("continuationToken", token)] if token else []
            asked = [*params, ("limit", str(_PAGE)), *more]
            page = await self.client.get(f"{BASE}/{what}", asked)
            if strict and not isinstance(at(page, "items"), list):
                raise PlatformUnreadable(call, "the answer has no list of items")
            for item in items(at(page, "items")):
                yield item
            previous, token = token, _next_token(page)
            if not token or token == previous:
                return
        if strict:
            raise PlatformUnreadable(call, f"there are over {_PAGES_MAX * _PAGE} of them")

    async def named(
        self, kind: Kind, read: Callable[[Any], T], name: str, params: Params
    ) -> list[T]:
        """The oldest first."""
        found = [read(item) async for item in self.listed(kind, params)]
        return sorted(
            (each for each in found if each.name == name and each.id),
            key=lambda each: (each.created_ms, each.id),
        )

    async def named_of_spec(
        self, kind: Kind, read: Callable[[Any], OfSpec], name: str, spec_id: str
    ) -> list[OfSpec]:
        """The oldest first. Filters on a connection's name are not sure, those on its spec are
        (section 1.10)."""
        params = [("property", f"connectionSpec.id=={spec_id}")]
        found = await self.named(kind, read, name, params)
        return [each for each in found if each.spec_id == spec_id]

    async def one(self, kind: Kind, read: Callable[[Any], T], object_id: str) -> T | None:
        item = await self._item(kind, object_id)
        return read(item) if item is not None else None

    async def _item(self, what: str, object_id: str) -> Any:
        path = path_of(what, object_id)
        try:
            page = await self.client.get(path)
        except PlatformMissing:
            return None
        for item in items(at(page, "items")):
            if at(item, "id") == object_id:
                return item
        raise PlatformUnreadable(f"GET {path}", "the answer does not hold what was asked for")

    async def spec(self, what: str, spec_id: str) -> Spec | None:
        item = await self._item(what, spec_id)
        return objects.spec(item) if item is not None else None

    async def specs_named(self, what: str, name: str) -> list[Spec]:
        listed = self.listed(what, name_filter(name))
        found = [objects.spec(item) async for item in listed]
        return [each for each in found if each.name == name]

    async def create(self, kind: Kind, body: Body) -> Made:
        path = f"{BASE}/{kind}"
        reply = await self.client.call("POST", path, body=body)
        return _made(f"POST {path}", reply.document)

    async def patch(self, flow_id: str, etag: str, operations: Sequence[Operation]) -> Made:
        path = path_of("flows", flow_id)
        # With the etag, a second one cannot undo what came between.
        reply = await self.client.call(
            "PATCH", path, body=list(operations), headers={"If-Match": etag}, safe=True
        )
        return _made(f"PATCH {path}", reply.document)

    async def delete(self, kind: Kind, object_id: str) -> bool:
        try:
            await self.client.call("DELETE", path_of(kind, object_id))
        except PlatformMissing:
            return False
        return True


def path_of(what: str, object_id: str) -> str:
    if not object_id:
        raise ValueError(f"{what}: an id is needed")
    return f"{BASE}/{what}/{quote(object_id, safe='')}"


def name_filter(name: str) -> Params:
    if _NOT_IN_A_FILTER & set(name):
        return []
    return [("property", f"name=={name}")]


def _made(call: str, document: Any) -> Made:
    """Raises PlatformUnreadable."""
    found = items(document)[0] if items(document) else document
    made = Made(text(at(found, "id")), text(at(found, "etag")))
    if made.id:
        return made
    fault = PlatformUnreadable(call, "the answer names no id of what was made; look for it")
    fault.maybe_done = True
    raise fault


def _next_token(page: Any) -> str:
    """Where the next page begins; the reference names the parameter, not where it is found."""
    href = text(at(page, "_links", "next", "href"))
    found = parse_qs(urlsplit(href).query).get("continuationToken", [""])[0]
    return found or text(at(page, "_page", "continuationToken")) or text(at(page, "_page", "next"))
