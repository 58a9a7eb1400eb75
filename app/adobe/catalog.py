"""Catalog: the batches of a dataset (platform.md section 6.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from app.adobe.platform_client import PlatformClient
from app.adobe.reading import at, count, items, text

BASE: Final = "/data/foundation/catalog"

_PAGE: Final = 100
_PAGES_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch. `created_ms`: Unix ms, 0 = not said; `codes`: of its errors."""

    batch_id: str
    status: str
    created_ms: int
    failed: int
    codes: tuple[str, ...]


class Catalog:
    """Raises what PlatformClient raises."""

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


def _batch(batch_id: str, document: Any) -> Batch:
    codes = [text(at(error, "code")) for error in items(at(document, "errors"))]
    return Batch(
        batch_id,
        text(at(document, "status")),
        count(at(document, "created")) or 0,
        count(at(document, "metrics", "failedRecordCount")) or 0,
        tuple(dict.fromkeys(code for code in codes if code)),
    )
