"""Catalog: datasets (platform.md section 5.3), and the batches of one (section 6.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from app.adobe.platform_client import Params, PlatformClient
from app.adobe.reading import at, count, items, text, texts
from app.core.errors import PlatformMissing, PlatformUnreadable

BASE: Final = "/data/foundation/catalog"

_PAGE: Final = 100
_PAGES_MAX: Final = 1_000
_JSON_PATCH: Final = "application/json-patch+json"
_ENABLED: Final = "enabled:true"


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch. `created_ms`: Unix ms, 0 = not said; `codes`: of its errors."""

    batch_id: str
    status: str
    created_ms: int
    failed: int
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset. `row_expiry`: ISO 8601 such as `P3Y`, "" without; `profile`, `identity`: whether
    its records go on to those services. `created_ms`: Unix ms, 0 = not said."""

    id: str
    name: str
    description: str
    schema_id: str
    schema_type: str
    error_diagnostics: bool
    profile: bool
    identity: bool
    row_expiry: str
    created_ms: int
    document: Any = field(repr=False, compare=False)


class Catalog:
    """Raises what PlatformClient raises. Names of datasets are not sure to be unique."""

    def __init__(self, client: PlatformClient) -> None:
        self._client = client

    async def failed_batches(
        self, dataset_id: str, after_ms: int, before_ms: int
    ) -> AsyncIterator[Batch]:
        """Failed batches created between two times, the newest first."""
        params = [
            ("dataSet", dataset_id),
            ("status", "failed"),
            ("createdAfter", str(after_ms)),
            ("createdBefore", str(before_ms)),
            ("orderBy", "desc:created"),
            ("limit", str(_PAGE)),
        ]
        for page in range(_PAGES_MAX):
            start = ("start", str(page * _PAGE))
            found = await self._client.get(f"{BASE}/batches", [*params, start])
            batches = found if isinstance(found, dict) else {}
            for batch_id, document in batches.items():
                yield _batch(batch_id, document)
            if len(batches) < _PAGE:
                return

    async def datasets_named(self, name: str) -> list[Dataset]:
        """Every dataset of this name, the oldest first."""
        found = [each async for each in self._datasets([("name", name)]) if each.name == name]
        return sorted(found, key=lambda each: (each.created_ms, each.id))

    async def dataset(self, dataset_id: str) -> Dataset | None:
        """None = there is none."""
        path = _path(dataset_id)
        try:
            found = await self._client.get(path)
        except PlatformMissing:
            return None
        if not isinstance(at(found, dataset_id), dict):
            raise PlatformUnreadable(f"GET {path}", "the answer does not hold what was asked for")
        return _dataset(dataset_id, at(found, dataset_id))

    async def create_dataset(
        self,
        name: str,
        schema_id: str,
        schema_type: str,
        description: str = "",
        *,
        error_diagnostics: bool = True,
        profile: bool = False,
    ) -> str:
        """The new dataset's id. `profile`: records go on to Profile and Identity."""
        body = dataset_body(name, schema_id, schema_type, description, error_diagnostics, profile)
        path = f"{BASE}/dataSets"
        reply = await self._client.call("POST", path, [("requestDataSource", "true")], body=body)
        # `["@/dataSets/<id>"]`
        made = "".join(texts(reply.document)[:1]).rpartition("/")[2]
        if made:
            return made
        fault = PlatformUnreadable(f"POST {path}", "the answer names no id; look for the dataset")
        fault.maybe_done = True
        raise fault

    async def patch_dataset(self, dataset_id: str, changes: Mapping[str, Any]) -> None:
        """Merges keys, such as `{"description": "..."}`."""
        await self._client.call("PATCH", _path(dataset_id), body=dict(changes), safe=True)

    async def patch_dataset_json(
        self, dataset_id: str, operations: Sequence[Mapping[str, Any]]
    ) -> None:
        """JSON Patch, such as `{"op": "add", "path": "/tags/unifiedProfile", "value": [...]}`."""
        headers = {"Content-Type": _JSON_PATCH}
        await self._client.call("PATCH", _path(dataset_id), body=list(operations), headers=headers)

    async def enable_profile(self, dataset_id: str) -> None:
        """Records go on to Profile and Identity from now on; its schema must have `union`."""
        found = await self._client.get(_path(dataset_id))
        tags = ("unifiedProfile", "unifiedIdentity")
        changes: list[dict[str, Any]] = [
            {"op": "add", "path": f"/tags/{tag}", "value": [_ENABLED]} for tag in tags
        ]
        if not isinstance(at(found, dataset_id, "tags"), dict):
            # JSON Patch makes no parents (RFC 6902 section 4.1).
            changes = [{"op": "add", "path": "/tags", "value": {}}, *changes]
        await self.patch_dataset_json(dataset_id, changes)

    async def set_row_expiry(self, dataset_id: str, period: str) -> None:
        """`period`: ISO 8601, such as `P3Y`; older rows go for ever."""
        path = f"{BASE}/v2/dataSets/{_quoted(dataset_id)}"
        expiry = {"adobe_lakeHouse": {"rowExpiration": {"ttlValue": period}}}
        await self._client.call("PATCH", path, body={"extensions": expiry}, safe=True)

    async def delete_dataset(self, dataset_id: str) -> bool:
        """With all its data, for ever. False = Platform says that it was not there."""
        try:
            await self._client.call("DELETE", _path(dataset_id))
        except PlatformMissing:
            return False
        return True

    async def _datasets(self, params: Params) -> AsyncIterator[Dataset]:
        path = f"{BASE}/dataSets"
        for page in range(_PAGES_MAX):
            paging = [("limit", str(_PAGE)), ("start", str(page * _PAGE))]
            found = await self._client.get(path, [*params, *paging])
            if not isinstance(found, dict):
                raise PlatformUnreadable(f"GET {path}", "the answer is no object of datasets")
            for dataset_id, document in found.items():
                yield _dataset(dataset_id, document)
            if len(found) < _PAGE:
                return
        raise PlatformUnreadable(f"GET {path}", f"there are over {_PAGES_MAX * _PAGE} of them")


def dataset_body(
    name: str,
    schema_id: str,
    schema_type: str,
    description: str,
    error_diagnostics: bool,
    profile: bool,
) -> dict[str, Any]:
    """The document of a dataset."""
    body: dict[str, Any] = {
        "name": name,
        "description": description,
        "schemaRef": {"id": schema_id, "contentType": schema_type},
        "fileDescription": {"persisted": True, "containerFormat": "parquet", "format": "parquet"},
        "enableErrorDiagnostics": error_diagnostics,
    }
    tags = {"unifiedProfile": [_ENABLED], "unifiedIdentity": [_ENABLED]}
    return {**body, "tags": tags} if profile else body


def _path(dataset_id: str) -> str:
    return f"{BASE}/dataSets/{_quoted(dataset_id)}"


def _quoted(dataset_id: str) -> str:
    if not dataset_id:
        raise ValueError("an id is needed")
    return quote(dataset_id, safe="")


def _dataset(dataset_id: str, document: Any) -> Dataset:
    expiry = at(document, "extensions", "adobe_lakeHouse", "rowExpiration")
    return Dataset(
        dataset_id,
        text(at(document, "name")),
        text(at(document, "description")),
        text(at(document, "schemaRef", "id")),
        text(at(document, "schemaRef", "contentType")),
        at(document, "enableErrorDiagnostics") is True,
        _ENABLED in texts(at(document, "tags", "unifiedProfile")),
        _ENABLED in texts(at(document, "tags", "unifiedIdentity")),
        text(at(expiry, "ttlValue")),
        count(at(document, "created")) or 0,
        document,
    )


def _batch(batch_id: str, document: Any) -> Batch:
    codes = [text(at(error, "code")) for error in items(at(document, "errors"))]
    return Batch(
        batch_id,
        text(at(document, "status")),
        count(at(document, "created")) or 0,
        count(at(document, "metrics", "failedRecordCount")) or 0,
        tuple(dict.fromkeys(code for code in codes if code)),
    )
