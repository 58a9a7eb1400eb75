"""Data Prep: mapping sets, and what Platform thinks of them (platform.md section 4.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from app.adobe.platform_client import PlatformClient
from app.adobe.reading import at, count, items, text
from app.core.errors import PlatformMissing, PlatformUnreadable

BASE: Final = "/data/foundation/conversion/mappingSets"

_PAGE: Final = 100
_PAGES_MAX: Final = 100

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredSet:
    """A mapping set at Platform. `created_ms`: Unix ms, 0 = not said. `rows`: as Platform keeps
    them, with the legacy twins of their keys."""

    id: str
    version: int
    name: str
    schema_id: str
    schema_type: str
    created_ms: int
    rows: tuple[Any, ...] = field(repr=False)
    document: Any = field(repr=False, compare=False)


class MadeSet(NamedTuple):
    """What a dataflow is pointed at."""

    id: str
    version: int


class RowVerdict(NamedTuple):
    """Of one row, in the order of the set. `errors`: as Platform words them."""

    ok: bool
    errors: tuple[str, ...]


class RowError(NamedTuple):
    """What a row did to one event of a preview."""

    source: str
    destination: str
    exception: str


class Previewed(NamedTuple):
    """What became of one event: its record, and which rows failed."""

    record: Any
    errors: tuple[RowError, ...]


class DataPrep:
    """Raises what PlatformClient raises. Names are not unique here."""

    def __init__(self, client: PlatformClient) -> None:
        self._client = client

    async def named(self, name: str) -> list[StoredSet]:
        """Every set of this name, the oldest first."""
        found = [each async for each in self.sets(name) if each.name == name and each.id]
        return sorted(found, key=lambda each: (each.created_ms, each.id))

    async def sets(self, name: str = "") -> AsyncIterator[StoredSet]:
        """All sets, or those of a name as far as Platform filters by it."""
        named = [("name", name)] if name else []
        for page in range(_PAGES_MAX):
            # Both are required.
            paging = [("limit", str(_PAGE)), ("start", str(page * _PAGE))]
            found = at(await self._client.get(BASE, [*named, *paging]), "data")
            if not isinstance(found, list):
                raise PlatformUnreadable(f"GET {BASE}", "the answer has no list of data")
            for item in found:
                yield _set(item)
            if len(found) < _PAGE:
                return
        raise PlatformUnreadable(f"GET {BASE}", f"there are over {_PAGES_MAX * _PAGE} of them")

    async def set(self, set_id: str, version: int | None = None) -> StoredSet | None:
        """`version`: None = the newest. None = there is none."""
        params = [] if version is None else [("version", str(version))]
        path = _path(set_id)
        try:
            found = _set(await self._client.get(path, params))
        except PlatformMissing:
            return None
        if not found.id:
            raise PlatformUnreadable(f"GET {path}", "the answer is no mapping set")
        return found

    async def create(self, document: Document) -> MadeSet:
        """Posts a whole set, with its `outputSchema` and `mappings`."""
        reply = await self._client.call("POST", BASE, body=dict(document))
        return _made("POST", reply.document)

    async def replace(self, set_id: str, document: Document) -> MadeSet:
        """Puts a whole set in place of another; the version is what Platform says afterwards,
        which may be the old one (section 8). Point the dataflow at it."""
        reply = await self._client.call("PUT", _path(set_id), body=dict(document))
        if type(at(reply.document, "version")) is int:
            return _made("PUT", reply.document)
        newest = await self.set(set_id)
        if newest is None:
            raise PlatformUnreadable(f"PUT {_path(set_id)}", "the set is gone after it was changed")
        return MadeSet(newest.id, newest.version)

    async def validate(self, document: Document) -> list[RowVerdict]:
        """Of every row, in order. Raises PlatformUnreadable when rows and verdicts do not match."""
        path = f"{BASE}/validate"
        reply = await self._client.call("POST", path, body=dict(document), safe=True)
        verdicts = [_verdict(each) for each in items(at(reply.document, "validationResponse"))]
        if len(verdicts) != len(items(document.get("mappings"))):
            raise PlatformUnreadable(f"POST {path}", "the answer does not match the set's rows")
        return verdicts

    async def preview(self, events: Sequence[Any], document: Document) -> list[Previewed]:
        """The record that Platform makes of each event, in order; nothing is stored."""
        path = f"{BASE}/preview"
        body = {"data": list(events), "mappingSet": dict(document)}
        reply = await self._client.call("POST", path, body=body, safe=True)
        made = [_previewed(each) for each in items(reply.document)]
        if len(made) != len(events):
            raise PlatformUnreadable(f"POST {path}", "the answer does not match the events")
        return made


def _path(set_id: str) -> str:
    if not set_id:
        raise ValueError("an id is needed")
    return f"{BASE}/{quote(set_id, safe='')}"


def _set(item: Any) -> StoredSet:
    schema = at(item, "outputSchema", "schemaRef")
    return StoredSet(
        text(at(item, "id")),
        count(at(item, "version")) or 0,
        text(at(item, "name")),
        text(at(schema, "id")),
        text(at(schema, "contentType")),
        count(at(item, "createdDate")) or 0,
        tuple(items(at(item, "mappings"))),
        item,
    )


def _made(method: str, document: Any) -> MadeSet:
    made = MadeSet(text(at(document, "id")), count(at(document, "version")) or 0)
    if made.id:
        return made
    fault = PlatformUnreadable(f"{method} {BASE}", "the answer names no id; look for the set")
    fault.maybe_done = True
    raise fault


def _verdict(item: Any) -> RowVerdict:
    errors = tuple(_said(each) for each in items(at(item, "errors")))
    return RowVerdict(text(at(item, "status")).upper() == "SUCCESS" and not errors, errors)


def _said(error: Any) -> str:
    """The reference does not show an error of `validate`: its text, wherever it is."""
    keys = ("message", "exception", "error", "detail")
    found = next((text(at(error, key)) for key in keys if text(at(error, key))), "")
    return text(error) or found or "refused without a reason"


def _previewed(item: Any) -> Previewed:
    errors = [
        RowError(text(at(e, "source")), text(at(e, "destination")), text(at(e, "exception")))
        for e in items(at(item, "errors"))
    ]
    return Previewed(at(item, "data"), tuple(errors))
